// Keys: "?" tells them, "/" searches, "g" and a letter go to a page, "j" and "k" go through a list. Each can be done
// without them, they never act while somebody writes, and they can be switched off.
"use strict";

const help = document.getElementById("keys");
const single = document.getElementById("single-keys");
let going = 0;

// A dialog that was closed keeps the focus until the browser's next frame, and nobody writes in it any more.
function writes(element) {
  const dialog = element.closest("dialog");
  return dialog ? dialog.open : element.closest("input, textarea, select");
}

// The letter that is pressed, also where the keyboard writes in other letters.
function pressed(event) {
  if (/^[\x21-\x7e]$/.test(event.key)) return event.key.toLowerCase();
  return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key;
}

function rows() {
  const inTables = [...document.querySelectorAll("table.rows tbody tr")].map((row) => row.querySelector("a"));
  return [...document.querySelectorAll(".row"), ...inTables.filter(Boolean)];
}

function move(by) {
  const all = rows();
  const row = document.activeElement.closest(".row, table.rows tbody tr");
  const at = all.findIndex((each) => (row ? row.contains(each) : each.hasAttribute("aria-current")));
  all[Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}

function act(key) {
  const marked = (name) => document.querySelector(`[data-${name}="${CSS.escape(key)}"]`);
  if (going > Date.now()) {
    going = 0;
    marked("go")?.click();
  } else if (key === "g") going = Date.now() + 1500;
  else if (key === "j" || key === "k") move(key === "j" ? 1 : -1);
  else if (key === "?") help.showModal();
  else if (marked("press")) marked("press").click();
  else if (marked("key")) marked("key").focus();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !single?.checked) return;
  if (writes(event.target)) return;
  if (act(pressed(event))) event.preventDefault();
});

if (help) {
  single.checked = localStorage["single-keys"] !== "off";
  single.addEventListener("change", () => { localStorage["single-keys"] = single.checked ? "on" : "off"; });
  document.querySelector("[data-opens=keys]").addEventListener("click", () => help.showModal());
}
