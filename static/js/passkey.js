// Buttons for passkeys are shown only where they work, and a failure is told in words.
const trouble = document.querySelector("[data-passkey-trouble]");

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-needs-passkeys]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("[data-no-passkeys]").forEach((text) => { text.hidden = true; });
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  if (trouble) trouble.textContent = trouble.dataset.passkeyTrouble;
});
document.addEventListener("click", (event) => {
  if (trouble && event.target.closest("[data-needs-passkeys]")) trouble.textContent = "";
});
