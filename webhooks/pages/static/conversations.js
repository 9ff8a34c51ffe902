// Conversations, nicer: a countdown, keys, drafts that survive a reload, and what comes in while somebody looks.
"use strict";

const box = document.querySelector("form.reply textarea");
const reply = box?.form;
const address = new URL(location.href);

// A draft stays until the server has taken it: the page after that is told the key of the form.
const place = reply && `draft:${reply.dataset.draft}`;
const sent = address.searchParams.get("sent");
if (sent) {
  for (const name of Object.keys(sessionStorage).filter((each) => each.startsWith("draft:"))) {
    if (JSON.parse(sessionStorage[name]).key === sent) sessionStorage.removeItem(name);
  }
  address.searchParams.delete("sent");
  history.replaceState(null, "", address);
}
if (box) {
  const draft = sessionStorage[place] && JSON.parse(sessionStorage[place]);
  if (draft && !box.value) box.value = draft.text;
  box.addEventListener("input", () => {
    if (box.value) sessionStorage[place] = JSON.stringify({ text: box.value, key: reply.elements.key.value });
    else sessionStorage.removeItem(place);
  });
  reply.addEventListener("submit", () => {
    sessionStorage[place] = JSON.stringify({ text: box.value, key: reply.elements.key.value });
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (box.value.trim() || reply.querySelector("[type=file]")?.value) reply.requestSubmit();
  });
  box.addEventListener("paste", (event) => attach(event, event.clipboardData));
  reply.addEventListener("dragover", (event) => event.preventDefault());
  reply.addEventListener("drop", (event) => attach(event, event.dataTransfer));
  if (!address.hash && matchMedia("(width > 760px)").matches) box.focus({ preventScroll: true });
}

// A file that is pasted or dropped is chosen; one that is too large is refused before it is sent.
function attach(event, given) {
  const chosen = reply.querySelector("[type=file]");
  if (!chosen || !given.files.length) return;
  event.preventDefault();
  chosen.files = given.files;
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
}
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-largest]")) return;
  const chosen = target.form.querySelector(".chosen");
  if (chosen) {
    chosen.hidden = !target.files.length;
    chosen.querySelector("span").textContent = target.files[0]?.name ?? "";
  }
  target.setCustomValidity(target.files[0]?.size > target.dataset.largest ? target.dataset.larger : "");
  target.reportValidity();
});
reply?.querySelector(".chosen button")?.addEventListener("click", () => {
  const file = reply.querySelector("[type=file]");
  file.value = "";
  file.dispatchEvent(new Event("change", { bubbles: true }));
  box.focus();
});

// A choice in a list takes effect at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
  if (event.target.matches("[data-previews]")) event.target.form.querySelector("[value=preview]").click();
});

// The countdown goes by the moment of its end, so that a sleeping tab is right when it wakes, and by the server's clock,
// of which the browser's may differ.
let behind = 0, told = "";
function setClock() {
  const now = document.querySelector(".bar[data-now]")?.dataset.now;
  if (!now || now === told) return;
  told = now;
  behind = Date.parse(now) - Date.now();
}
const two = (number) => String(number).padStart(2, "0");
function count() {
  const bar = document.querySelector(".bar[data-until]");
  if (!bar) return;
  const left = Math.floor((Date.parse(bar.dataset.until) - Date.now() - behind) / 1000);
  const counting = bar.querySelector("[data-counting]");
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  if (left > 0 && left <= bar.querySelector("progress").max) {
    counting.querySelector("b").textContent = hours ? `${hours}:${two(minutes)}` : `${minutes}:${two(seconds)}`;
    counting.hidden = false;
    bar.querySelector("[data-still]").hidden = true;
    bar.querySelector("progress").value = left;
    bar.classList.toggle("soon", left < 7200);
    bar.classList.toggle("open", left >= 7200);
  } else if (left <= 0 && left > -3) readAnew();
}
setClock();
count();
setInterval(count, 1000);

// What has come in while somebody looks is seen; and where other things may be written now, the form is another.
const terms = document.getElementById("talk")?.dataset.terms;
async function look() {
  const talk = document.getElementById("talk");
  if (talk && talk.dataset.terms !== terms) readAnew();
  if (!talk?.dataset.unseen || document.hidden) return;
  const token = document.querySelector("[name=form_token]").value;
  await fetch(talk.dataset.unseen, { method: "POST", headers: { "X-Form-Token": token } });
}
document.addEventListener("refreshed", () => { setClock(); count(); look(); });
document.addEventListener("visibilitychange", look);

// Escape leaves the box, or goes back to the list.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) event.target.blur();
  else document.querySelector(".back")?.click();
});
