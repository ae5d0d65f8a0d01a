// Reads what is pasted as HTML as a written text: paragraphs, "## " headings, "- " and "1. " lists.

const DROPPED = "script, style, title, meta, link, template, iframe, object";
const LINES = "address, article, blockquote, div, dl, dt, dd, h1, h2, h3, h4, h5, h6, li, ol, p, pre, section, table, tr, ul";

const ATTRIBUTES = /<([a-z][\w:-]*)\s(?:"[^"]*"|'[^']*'|[^"'>])*>/gi;

export function written(html) {
  // Styles and attributes go before the HTML is read: our Content-Security-Policy complains even of a page never shown.
  const bare = html.replace(/<style[\s\S]*?<\/style>/gi, "").replace(ATTRIBUTES, "<$1>");
  const page = new DOMParser().parseFromString(bare, "text/html");
  const found = [];
  let words = "";

  const end = (mark) => {
    const lines = words.split("\n").map((line) => line.trim());
    const text = (mark ? lines.join(" ") : lines.join("\n")).trim();
    if (text) found.push([mark, mark ? mark + text : text.replace(/^[·•▪]\s*/, "- ")]);
    words = "";
  };
  const read = (node, mark) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) words += child.data.replace(/\s+/g, " ");
      if (child.nodeType !== Node.ELEMENT_NODE || child.matches(DROPPED)) continue;
      if (child.matches("br")) words += "\n";
      if (child.matches("td, th")) words += " ";
      if (!child.matches(LINES) || (mark.endsWith(" ") && child.matches("p, div"))) {
        read(child, mark);
        continue;
      }
      end(mark);
      const own = markOf(child);
      read(child, own);
      end(own);
    }
  };
  read(page.body, "");
  end("");
  return found.map(([mark, text], place) => {
    const before = place ? found[place - 1][0] : null;
    return (place ? (isPoint(mark) && isPoint(before) ? "\n" : "\n\n") : "") + text;
  }).join("");
}

const isPoint = (mark) => /^(- |\d+\. )$/.test(mark);

function markOf(element) {
  if (element.matches("h1, h2, h3, h4, h5, h6")) return "## ";
  if (!element.matches("li")) return "";
  const points = [...element.parentElement.children].filter((one) => one.matches("li"));
  return element.parentElement.matches("ol") ? `${points.indexOf(element) + 1}. ` : "- ";
}
