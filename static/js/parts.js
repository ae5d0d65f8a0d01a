// Saves a written text by itself, keeps in this browser what is not saved, and gives it back. Without this there is a form.

import { written } from "./pasted.js";

const PAUSE_MS = 1200; // after the last stroke
const AGAIN_MS = 3000;
const TROUBLE_MS = 10_000; // how long saving may fail before the reader is told
const GIVE_UP_MS = 20_000; // on one answer
const KEPT_MS = 30 * 24 * 3600 * 1000;

const place = document.querySelector("[data-part]");
const form = place.querySelector("[data-part-form]");
const area = form?.elements.text;
const said = place.querySelector("[data-part-said]");
const sitting = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`.slice(0, 36);

let version = Number(form?.elements.base_version.value ?? place.dataset.version);
let saved = "refused" in place.dataset ? null : area?.value ?? ""; // the text that the portal is known to have
let turn = 0;
let saving = false;
let since = 0; // when the saving began that has not succeeded yet
let trouble = "";
let conflict = null;
let waiting = 0;

// Words and time

const say = (name, after = "") => {
  said.textContent = document.querySelector(`template[data-say="${name}"]`).content.textContent.trim() + after;
};
const inWords = (moment, options) =>
  new Intl.DateTimeFormat(document.documentElement.lang, options).format(moment).replace(/(\d):(\d)/, "$1.$2");
const clock = () => ` ${inWords(new Date(), { hour: "numeric", minute: "2-digit", hour12: false })}`;
const key = () => document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="))?.slice(10) ?? "";

function tell(kind, reason = "") {
  if (trouble === kind + reason) return;
  trouble = kind + reason;
  const shown = place.querySelector("[data-part-trouble]");
  shown.replaceChildren();
  if (!kind) return;
  shown.append(document.querySelector(`template[data-trouble="${kind}"]`).content.cloneNode(true));
  if (reason) shown.querySelector("[data-part-reason]").textContent = reason;
  shown.querySelector("[data-part-again]").addEventListener("click", save);
}

// The draft in this browser: one for each open page, so that two windows never overwrite each other's

const PREFIX = `collab4m.part.${place.dataset.part}.${place.dataset.writer}.`;
const stored = {
  keys: () => { try { return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)); } catch { return []; } },
  read: (name) => { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } },
  drop: (name) => { try { localStorage.removeItem(name); } catch { /* a private window keeps nothing */ } },
  keep: (draft) => { try { localStorage.setItem(PREFIX + sitting, JSON.stringify(draft)); } catch { /* as above */ } },
};

function keep(text = area.value) {
  if (text === saved) stored.drop(PREFIX + sitting);
  else stored.keep({ text, base: version, at: Date.now() });
}

function offerDrafts() {
  const found = stored.keys().map((name) => ({ name, ...stored.read(name) }));
  for (const draft of found.sort((a, b) => b.at - a.at)) {
    const isOld = !(Date.now() - draft.at < KEPT_MS);
    if (isOld || typeof draft.text !== "string" || draft.text.trim() === saved?.trim()) stored.drop(draft.name);
    else offer(draft);
  }
}

function offer(draft) {
  const note = document.querySelector('template[data-say="draft"]').content.cloneNode(true).firstElementChild;
  const text = note.querySelector("[data-part-text]");
  note.querySelector("[data-part-when]").textContent =
    inWords(draft.at, { day: "numeric", month: "long", hour: "numeric", minute: "2-digit", hour12: false });
  text.textContent = draft.text;
  note.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-part-do]");
    if (button?.dataset.partDo === "show") {
      text.hidden = !text.hidden;
      button.setAttribute("aria-expanded", String(!text.hidden));
    } else if (button?.dataset.partDo === "drop") {
      stored.drop(draft.name);
      note.remove();
    } else if (button?.dataset.partDo === "use") {
      await save();
      area.value = draft.text;
      version = Math.min(draft.base, version);
      keep();
      stored.drop(draft.name);
      note.remove();
      area.focus();
      await save();
    }
  });
  place.querySelector("[data-part-draft]").append(note);
}

// Saving

function send(text, { choice, leaving = false } = {}) {
  const body = { text, sitting, turn: (turn += 1) };
  const chosen = form.elements.on_behalf_of?.value;
  if (chosen) body.on_behalf_of = Number(chosen);
  if (choice) body.choice = choice;
  return fetch(place.dataset.address, {
    method: "PUT",
    cache: "no-store",
    keepalive: leaving,
    signal: leaving ? undefined : AbortSignal.timeout(GIVE_UP_MS),
    headers: {
      "Content-Type": "application/json",
      "Accept-Language": document.documentElement.lang,
      "If-Match": `"${version}"`,
      "X-CSRFToken": key(),
    },
    body: JSON.stringify(body),
  });
}

function later(milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(save, milliseconds);
}

async function save() {
  clearTimeout(waiting);
  if (saving || conflict || !area || area.value === saved) return;
  const text = area.value;
  saving = true;
  since ||= Date.now();
  say("saving");
  try {
    await understand(await send(text), text);
  } catch {
    later(AGAIN_MS);
  } finally {
    saving = false;
    if (!since && !conflict && area.value !== saved) later(PAUSE_MS);
  }
}

// What the answer to a saving of `text` means.
async function understand(answer, text) {
  const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (answer.ok) return settled(told, text);
  if (told.code === "part_changed") {
    return told.theirs.text === told.mine ? settled(told.theirs, text) : showConflict(text);
  }
  if (answer.status === 401) {
    tell("session");
    later(AGAIN_MS);
  } else if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    later(AGAIN_MS);
  } else {
    tell("refused", Object.values(told.fields ?? {}).flat()[0] ?? told.detail ?? "");
  }
  said.textContent = "";
}

function settled(part, text) {
  version = part.version;
  form.elements.base_version.value = version;
  saved = text;
  since = 0;
  tell("");
  keep();
  say("saved", clock());
}

// Two wrote at once: the page with both texts is the same as without script; its content takes the form's place.
async function showConflict(text) {
  area.readOnly = true;
  const fields = new FormData(form);
  fields.set("text", text);
  fields.set("base_version", version);
  fields.set("csrfmiddlewaretoken", key());
  try {
    const answer = await fetch(location.pathname, { method: "POST", body: new URLSearchParams(fields) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    conflict = document.importNode(page.querySelector("[data-part-conflict]"), true);
  } finally {
    area.readOnly = false;
  }
  since = 0;
  tell("");
  said.textContent = "";
  form.hidden = true;
  form.after(conflict);
  conflict.querySelector("h2").focus();
  conflict.addEventListener("submit", choose);
  conflict.elements.joined.addEventListener("input", () => keep(conflict.elements.joined.value));
}

async function choose(event) {
  event.preventDefault();
  const choice = event.submitter.value;
  const text = choice === "joined" ? conflict.elements.joined.value : area.value;
  const base = version;
  version = Number(conflict.dataset.version);
  try {
    const answer = await send(text, { choice });
    if (answer.ok) {
      const part = await answer.json();
      closeConflict();
      area.value = part.text;
      settled(part, part.text);
      say("settled");
      area.focus();
    } else {
      const isOvertaken = answer.status === 409;
      if (isOvertaken) {
        closeConflict();
        area.value = text;
      } else {
        version = base;
      }
      await understand(answer, text);
    }
  } catch {
    version = base;
    tell("network");
  }
}

function closeConflict() {
  conflict.remove();
  conflict = null;
  form.hidden = false;
}

if (form) {
  say("by-itself");
  if (saved === null) later(PAUSE_MS);
  area.addEventListener("input", () => {
    keep();
    later(PAUSE_MS);
  });
  area.addEventListener("paste", (event) => {
    const html = event.clipboardData.getData("text/html");
    if (!html) return;
    event.preventDefault();
    document.execCommand("insertText", false, written(html)); // unlike setRangeText it can be undone
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (area.value === saved) say("saved", clock());
    else save();
  });
  setInterval(() => {
    if (since && !trouble && Date.now() - since >= TROUBLE_MS) tell("network");
  }, 1000);
  addEventListener("online", save);
  addEventListener("focus", save);
  addEventListener("pagehide", () => {
    if (!conflict && area.value !== saved) send(area.value, { leaving: true }).catch(() => {});
  });
}
offerDrafts();
