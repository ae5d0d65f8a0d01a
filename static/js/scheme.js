// Appearance follows the system until the person chooses. Loaded before the page is drawn, so that nothing flashes.
const root = document.documentElement;
const read = () => { try { return localStorage.getItem("scheme"); } catch { return null; } };
const keep = (scheme) => { try { localStorage.setItem("scheme", scheme); } catch { /* a private window forgets */ } };
const isDark = () => root.dataset.colorScheme === "dark"
  || (root.dataset.colorScheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);

if (read()) root.dataset.colorScheme = read();
root.dataset.js = "";  // styles may then fold what a script unfolds

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-scheme-switch]");
  if (!button) return;
  const tell = () => button.setAttribute("aria-pressed", String(isDark()));
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    root.dataset.colorScheme = isDark() ? "light" : "dark";
    keep(root.dataset.colorScheme);
    tell();
  });
});
