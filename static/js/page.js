// Comfort for every page. All pages read and work without it.

// The menu of small screens closes with Escape and gives focus back.
document.querySelector(".c-menu")?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary").focus();
});

// The error summary takes focus when the page was answered with errors.
document.querySelector("[data-take-focus]")?.focus();

// Print and copy buttons are shown only where they work.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
