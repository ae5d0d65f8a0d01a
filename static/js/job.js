// Follows a job: fetches the page anew and swaps in how far the work has come. Without this there is a button.

const WAIT_MS = 2000;
const said = document.querySelector("[data-job-said]");
const byHand = document.querySelector("[data-by-hand]");

async function follow() {
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-job]");
    if (!now) return;
    const heading = page.querySelector("h1").textContent;
    if (heading !== document.querySelector("h1").textContent) said.textContent = heading;
    document.querySelector("h1").textContent = heading;
    document.title = page.title;
    document.querySelector("[data-job]").replaceWith(now);
    byHand.hidden = true;
    if (!("unfinished" in now.dataset)) return;
  } catch {
    byHand.hidden = false;
  }
  setTimeout(follow, WAIT_MS);
}

setTimeout(follow, WAIT_MS);
