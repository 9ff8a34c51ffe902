// What makes the pages nicer. Without it they show the same, and their forms work.
"use strict";

// Times are shown in the reader's zone, which only the browser knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`gateway_zone=${zone}`)) {
  document.cookie = `gateway_zone=${zone}; path=/ui; max-age=34560000; samesite=lax`;
}

// What has gone wrong is said above the page, which stays as it is with all that was typed.
function say(trouble) {
  for (const each of document.querySelectorAll(".trouble")) each.hidden = each.id !== trouble;
}
document.addEventListener("htmx:responseError", ({ detail }) => { if (detail.xhr.status === 401) say("out"); });

// A menu that is wider than a phone shows where one is.
function showPlace() {
  for (const link of document.querySelectorAll("nav [aria-current]")) {
    const menu = link.closest("nav");
    menu.scrollLeft += link.getBoundingClientRect().left - menu.getBoundingClientRect().left - 40;
  }
}
showPlace();
addEventListener("resize", showPlace);

// A page that came as the answer to a form is read again at its own address, since the form's is no page.
async function readAnew() {
  const wrong = await trouble();
  if (wrong) say(wrong);
  else location.replace(document.body.dataset.address);
}

// Returns "out" or "gone" if nobody would take a form now.
async function trouble() {
  try {
    const asked = { method: "HEAD", headers: { "HX-Request": "true" }, cache: "no-store", signal: AbortSignal.timeout(10000) };
    const { status } = await fetch("/ui/colours.css", asked);
    return status === 401 ? "out" : [502, 503, 504].includes(status) ? "gone" : "";
  } catch {
    return "gone";
  }
}

// A form is sent once, however often its button is pressed, and only if somebody is there to take it: the browser's
// own page about an error would have nothing of what was typed.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent === "may") { form.dataset.sent = "yes"; return; }
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "asks";
  const wrong = await trouble();
  say(wrong);
  if (wrong) { delete form.dataset.sent; return; }
  form.dataset.sent = "may";
  form.requestSubmit(event.submitter?.form === form ? event.submitter : null);
  if (form.dataset.sent === "may") delete form.dataset.sent; // the browser finds a field wrong
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
