// The timeline with a mouse: drawn over free cells of a row, it asks for the whole stretch. Without it each cell is a link.

for (const table of document.querySelectorAll("table.c-timeline")) {
  const free = (target) => target.closest?.("a.c-slot[data-kind=free]");
  let first;
  let picked = [];

  // The free cells on end from the first to this one, or none when something stands between.
  const stretch = (to) => {
    const cells = [...first.closest("tr").children];
    const [from, until] = [first, to].map((link) => cells.indexOf(link.closest("td"))).sort((a, b) => a - b);
    const links = cells.slice(from, until + 1).map((cell) => (cell.children.length === 1 ? free(cell.firstElementChild) : null));
    return links.every(Boolean) ? links : [];
  };
  const show = (links) => {
    for (const link of picked) delete link.dataset.picked;
    picked = links;
    for (const link of picked) link.dataset.picked = "";
  };

  table.addEventListener("dragstart", (event) => event.preventDefault());
  table.addEventListener("pointerdown", (event) => {
    first = event.pointerType === "mouse" && event.button === 0 ? free(event.target) : undefined;
  });
  table.addEventListener("pointerover", (event) => {
    const link = first && free(event.target);
    if (link && link.closest("tr") === first.closest("tr")) show(link === first ? [] : stretch(link));
  });
  document.addEventListener("pointerup", (event) => {
    const links = picked;
    const ended = first && free(event.target);
    show([]);
    first = undefined;
    if (links.length < 2 || !links.includes(ended)) return;
    const to = new URL(links[0].href);
    to.searchParams.set("till", new URL(links.at(-1).href).searchParams.get("till"));
    location.assign(to);
  });
  document.addEventListener("pointercancel", () => { show([]); first = undefined; });
}
