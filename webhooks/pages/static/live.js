// Live pages: a hint says what has changed, and the parts of the page that show it are read again.
// One tab of a browser has the stream and passes hints on, because a browser allows few connections to one server.
"use strict";

const LATE = 12000; // a tab that has not been heard of for so long is gone
const tab = crypto.randomUUID?.() ?? String(Math.random());
const others = new BroadcastChannel("gateway-live");
const tabs = new Map();
const dot = document.getElementById("live");
let source = null, topics = "", failures = 0, poll = 0, reading = false, again = false;
let leads = false, heard = "", shown = "";

const parts = () => [...document.querySelectorAll("[data-live]")];
const wanted = () => document.hidden ? [] : [...new Set(parts().flatMap((part) => part.dataset.live.split(" ")))];

function show(state) {
  shown = state;
  if (!dot) return;
  dot.hidden = !parts().length;
  dot.dataset.state = state;
  dot.textContent = dot.dataset[`live${state}`];
}

// Reads the page anew and puts the live parts in, without touching what somebody is writing.
async function refresh(changed) {
  const old = parts().filter((part) => !changed || part.dataset.live.split(" ").includes(changed));
  if (!old.length || document.hidden) return;
  if (reading) { again = true; return; }
  reading = true;
  try {
    const answer = await fetch(document.body.dataset.address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.status === 401) { say("out"); return; }
    if (!answer.ok) throw new Error(answer.statusText);
    if (shown === "Gone") show(heard);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of old) {
      const fresh = page.getElementById(part.id);
      if (fresh) Idiomorph.morph(part, fresh, { ignoreActiveValue: true });
    }
    document.dispatchEvent(new Event("refreshed"));
  } catch { // the next hint, or the next look, brings it
    if (heard !== "On") show("Gone");
  } finally {
    reading = false;
    if (again) { again = false; refresh(); }
  }
}

function listen() {
  const now = Date.now();
  for (const [name, each] of tabs) if (now - each.at > LATE) tabs.delete(name);
  const union = [...new Set([...tabs.values()].flatMap((each) => each.topics))].sort().join(" ");
  if (union === topics && (source || !union)) return;
  topics = union;
  source?.close();
  source = null;
  if (!topics) return;
  source = new EventSource(`/ui/live?${new URLSearchParams(topics.split(" ").map((topic) => ["t", topic]))}`);
  source.onopen = () => { failures = 0; tell({ state: "On" }); };
  source.onmessage = (event) => tell({ changed: event.data === "all" ? "" : event.data });
  source.onerror = () => {
    failures += 1;
    tell({ state: failures < 3 ? "Off" : "Poll" });
    if (source?.readyState === EventSource.CLOSED) source = null; // it was refused; the next round tries again
  };
}

function hear(message) {
  if (message.state) {
    heard = message.state;
    if (heard === "On") document.getElementById("gone").hidden = true;
    if (heard === "On" || shown !== "Gone") show(heard);
    if (heard !== "Poll") { clearInterval(poll); poll = 0; }
    else poll ||= setInterval(refresh, 5000);
    if (heard === "Off") refresh(); // which tells why
  }
  if (message.changed !== undefined) refresh(message.changed);
}

function tell(message) {
  others.postMessage(message);
  hear(message);
}

function announce() {
  const mine = { tab, topics: wanted(), at: Date.now() };
  tabs.set(tab, mine);
  others.postMessage(mine);
}

if (navigator.locks && parts().length) {
  others.onmessage = (event) => {
    if (!event.data.tab) { hear(event.data); return; }
    if (leads && heard && !tabs.has(event.data.tab)) others.postMessage({ state: heard }); // it is new
    tabs.set(event.data.tab, event.data);
  };
  announce();
  setInterval(announce, 5000);
  document.addEventListener("visibilitychange", () => { announce(); refresh(); });
  navigator.locks.request("gateway-live", () => new Promise(() => { leads = true; listen(); setInterval(listen, 1000); }));
} else if (parts().length) {
  hear({ state: "Poll" });
}
