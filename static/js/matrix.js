// The matrix and the timeline: one tab stop with arrow keys inside, and rows of orientations that open. Without it every row is open.

for (const table of document.querySelectorAll("table[data-roving]")) {
  const cells = [...table.querySelectorAll("tbody td a")];
  cells.forEach((cell, place) => { cell.tabIndex = place === 0 ? 0 : -1; });

  const go = (to) => {
    for (const cell of cells) cell.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    to.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  // A cell that is reached in another way, by a click, is where Tab comes back to.
  table.addEventListener("focusin", (event) => {
    if (!cells.includes(event.target)) return;
    for (const cell of cells) cell.tabIndex = cell === event.target ? 0 : -1;
  });
  table.addEventListener("keydown", (event) => {
    const from = event.target.closest("td a");
    if (!from) return;
    const row = from.closest("tr");
    // By where it is drawn: a cell may fill several columns.
    const place = (link) => link.getBoundingClientRect().left;
    const inRow = (of) => [...of.querySelectorAll("td a")];
    const next = (step) => {
      for (let other = row; (other = step > 0 ? other.nextElementSibling : other.previousElementSibling);) {
        const links = other.offsetParent === null ? [] : inRow(other);
        if (links.length) {
          return links.reduce((best, link) => (Math.abs(place(link) - place(from))
            < Math.abs(place(best) - place(from)) ? link : best));
        }
      }
      return undefined;
    };
    const here = inRow(row);
    const to = (event.ctrlKey ? { Home: () => cells[0], End: () => cells.at(-1) } : {
      ArrowRight: () => here[here.indexOf(from) + 1],
      ArrowLeft: () => here[here.indexOf(from) - 1],
      ArrowDown: () => next(1),
      ArrowUp: () => next(-1),
      Home: () => here[0],
      End: () => here.at(-1),
    })[event.key];
    if (!to) return;
    event.preventDefault();
    const found = to();
    if (found) go(found);
  });
}

for (const twist of document.querySelectorAll("[data-open][aria-controls]")) {
  twist.hidden = false;
  const rows = twist.getAttribute("aria-controls").split(" ").map((id) => document.getElementById(id));
  const show = (open) => {
    twist.setAttribute("aria-expanded", String(open));
    for (const row of rows) row.hidden = !open;
  };
  // An address that names one of the rows opens them, so that it is there to be seen.
  show(twist.dataset.open === "yes" || rows.some((row) => `#${row.id}` === location.hash));
  twist.addEventListener("click", () => show(twist.getAttribute("aria-expanded") !== "true"));
}
for (const table of document.querySelectorAll("[data-folds]")) table.dataset.folds = "ready";
if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView({ block: "center" });
