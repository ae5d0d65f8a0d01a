// Buttons for passkeys are shown only where they work, and a failure is told in words.
const trouble = document.querySelector("[data-passkey-trouble]");
let told;

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-needs-passkeys]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("[data-no-passkeys]").forEach((text) => { text.hidden = true; });
}

function forget() {
  if (told) told.remove();
  told = undefined;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  forget();
  if (!trouble) return;
  told = trouble.content.firstElementChild.cloneNode(true);
  trouble.after(told);
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-needs-passkeys]")) forget();
});
