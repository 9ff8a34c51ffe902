// What makes the pages nicer. Without it they show the same, and their forms work.
"use strict";

// Times are shown in the reader's zone, which only the browser knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`gateway_zone=${zone}`)) {
  document.cookie = `gateway_zone=${zone}; path=/ui; max-age=34560000; samesite=lax`;
}

// A page that came as the answer to a form is read again at its own address, since the form's is no page.
function readAnew() {
  location.replace(document.body.dataset.address);
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
