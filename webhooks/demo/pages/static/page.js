// The page asks for the whole state a few times a second and shows what has changed in it.

const PAUSE = 350;
const phones = new Map([...document.querySelectorAll(".phone")].map((phone) => [phone.dataset.channel, phone]));
const find = (selector, within = document) => within.querySelector(selector);
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
let asked = 0;
let shown = 0;
let state = { phones: [], notifications: [] };

function element(tag, fields = {}, ...children) {
  const { data = {}, ...properties } = fields;
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null));
  return made;
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).error);
  await refresh();
}

async function refresh() {
  const mine = ++asked;
  const told = await (await fetch("/state")).json();
  if (mine < shown) return; // a later question was answered first
  shown = mine;
  state = told;
  showClock();
  state.phones.forEach(showPhone);
  showCards();
  showGuide();
}

function showClock() {
  const now = new Date(state.now);
  find("#now").textContent = `${day.format(now)}, ${time.format(now)}`;
  find("#ahead").textContent = `+${state.hoursAhead} h`;
  find("#ahead").hidden = !state.hoursAhead;
}

// Phones

function showPhone(told) {
  const phone = phones.get(told.channel);
  const pill = find(".window", phone);
  pill.textContent = told.window;
  pill.dataset.tone = told.tone;
  phone.classList.toggle("off", !told.reachable);
  find(".switch input", phone).checked = told.reachable;
  find(".armed", phone).textContent = told.faults.join(", ");
  find(".empty", phone).hidden = told.bubbles.length > 0;
  find(".composer input", phone).placeholder = told.bubbles.length ? "Message" : "/start";
  for (const field of phone.querySelectorAll(".composer *, .start")) field.disabled = !told.reachable;
  showPending(find(".pending", phone), told);
  showBubbles(find(".screen", phone), told);
}

// A provider's people look at templates; here whoever plays the demo does.
function showPending(list, told) {
  if (list.dataset.shown === told.pending.join()) return;
  list.dataset.shown = told.pending.join();
  const word = (template, approve, text) => {
    const judge = () => post("/judge", { channel: told.channel, template, approve });
    return element("button", { type: "button", className: "quiet", onclick: judge, ariaLabel: `${text} ${template}` }, text);
  };
  list.replaceChildren(...told.pending.map((template) => element(
    "li", {}, element("p", {}, "Submitted: ", element("b", {}, template)),
    element("div", { className: "pair" }, word(template, true, "Approve"), word(template, false, "Reject")),
  )));
}

function showBubbles(screen, told) {
  const before = screen.querySelectorAll(".bubble").length;
  const known = new Set(told.bubbles.map((bubble) => bubble.id));
  for (const line of screen.querySelectorAll(".bubble")) if (!known.has(line.dataset.id)) line.remove();
  let date = "";
  for (const bubble of told.bubbles) {
    const today = day.format(new Date(bubble.at));
    const line = find(`.bubble[data-id="${CSS.escape(bubble.id)}"]`, screen);
    if (line) showState(line, bubble);
    else screen.append(...(today === date ? [] : [element("li", { className: "day" }, today)]), newBubble(told, bubble));
    date = today;
  }
  if (told.bubbles.length > before) screen.scrollTop = screen.scrollHeight;
}

function newBubble(told, bubble) {
  const title = phones.get(told.channel).dataset.title;
  const who = element("span", { className: "sr" }, bubble.mine ? `${document.body.dataset.person}: ` : "Demo Shop: ");
  const buttons = bubble.buttons.map((button) => pressable(told.channel, title, bubble, button));
  const line = element(
    "li",
    { className: `bubble ${bubble.mine ? "mine" : "theirs"}`, data: { id: bubble.id, state: "" } },
    element(
      "div", { className: "said" }, who, bubble.text, bubble.media && element("small", {}, bubble.media),
      element("span", { className: "meta" }, element("time", { dateTime: bubble.at }, time.format(new Date(bubble.at)))),
    ),
    buttons.length ? element("div", { className: "buttons" }, ...buttons) : null,
  );
  showState(line, bubble);
  return line;
}

function pressable(channel, title, bubble, button) {
  const press = () => post("/press", { channel, bubble: bubble.id, button: button.text });
  return element("button", { type: "button", onclick: press, ariaLabel: `${button.text}, in ${title}` }, button.text);
}

function showState(line, bubble) {
  if (line.dataset.state === bubble.state) return;
  line.dataset.state = bubble.state;
  const tick = (find(`#tick-${bubble.state}`) ?? find("#tick-sent")).content.cloneNode(true);
  find(".tick", line)?.remove();
  find(".meta", line).append(tick);
}

// What happened

const TONES = { SENT: "good", DELIVERED: "good", READ: "good", UNDELIVERED: "bad", EXPIRED: "bad", SKIPPED: "dim" };
const badge = (status) =>
  element("span", { className: "status", data: { tone: TONES[status] ?? "wait" } }, status.toLowerCase());

function showCards() {
  const cards = find("#cards");
  find("#nothing").hidden = state.notifications.length > 0;
  const known = new Map([...cards.children].map((card) => [card.dataset.id, card]));
  for (const told of [...state.notifications].reverse()) {
    const card = known.get(told.id) ?? element("article", { className: "card", data: { id: told.id } });
    if (!known.delete(told.id)) cards.prepend(card);
    showCard(card, told);
  }
  for (const card of known.values()) card.remove();
}

function showCard(card, told) {
  const written = JSON.stringify(told);
  if (card.dataset.written === written) return;
  card.dataset.written = written;
  const open = find("details", card)?.open ?? false;
  const summary = element("summary", {}, "The request");
  const request = element("pre", { tabIndex: 0 }, `POST /api/v1/messages\n${JSON.stringify(told.request, null, 2)}`);
  card.replaceChildren(
    element("header", {}, badge(told.status), element("time", {}, seconds.format(new Date(told.createdAt)))),
    element("ol", { className: "attempts" }, ...told.attempts.map((one) => attempt(one, told.decisions))),
    element("ol", { className: "decisions" }, ...told.decisions.map(decision)),
    element("details", { open }, summary, request),
  );
}

function attempt(told, decisions) {
  const repeated = decisions.some((decision) => decision.text.includes(told.reason));
  const phone = phones.get(told.channel);
  const what = told.status === "SKIPPED" ? "" : told.template ? `template ${told.template}` : `free text${told.intent ? ` as ${told.intent}` : ""}`;
  return element(
    "li", { data: { channel: phone.dataset.channel } },
    element("b", {}, phone.dataset.title), element("span", { className: "what" }, what), badge(told.status),
    told.reason && !repeated ? element("p", {}, told.reason) : null,
  );
}

function decision(told) {
  const at = element("time", {}, seconds.format(new Date(told.at)));
  return element("li", {}, at, element("span", {}, told.text.replaceAll(" -> ", " → ")));
}

// The form and the guide

const preset = find("#preset");
const boxes = [...document.querySelectorAll("[name=channel]")];
const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);

// The phones that a message may reach come first.
function arrange() {
  const first = chosen();
  boxes.forEach(({ value }, index) => (phones.get(value).style.order = first.includes(value) ? index : phones.size + index));
}

async function send() {
  const values = Object.fromEntries([...document.querySelectorAll("[data-value]")].map((one) => [one.dataset.value, one.value]));
  const problem = find("#problem");
  try {
    await post("/send", { text: find("#text").value, values, channels: chosen() });
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

const pass = () => post("/clock", { hours: 25 });
const first = phones.get(chosen()[0]);
const linked = [...phones].filter(([, phone]) => phone.dataset.link);
const steps = {
  start: {
    // The bot has answered there: what is sent before it has heard of the person would take another way.
    done: () => state.phones.some(({ channel, bubbles }) => channel === first.dataset.channel && bubbles.some((one) => !one.mine)),
    play: () => Promise.all(linked.map(([channel]) => post("/start", { channel }))),
  },
  send: { done: () => state.notifications.length, play: send },
  day: {
    done: () => state.notifications.some((one) => one.attempts.some((attempt) => attempt.template || attempt.intent)),
    play: () => pass().then(send),
  },
  off: {
    done: () => state.notifications.some(({ attempts }) => attempts.length > 1 && attempts[0].status === "UNDELIVERED"),
    play: () => post("/switch", { channel: first.dataset.channel, reachable: false }).then(send),
  },
};

function showGuide() {
  let next = true;
  for (const item of document.querySelectorAll("[data-step]")) {
    const done = Boolean(steps[item.dataset.step].done());
    item.className = done ? "done" : next ? "next" : "";
    next &&= done;
  }
}

for (const item of document.querySelectorAll("[data-step]")) {
  find("button", item).onclick = () => steps[item.dataset.step].play();
}
find("#day").onclick = pass;
find("#send").onsubmit = (event) => {
  event.preventDefault();
  send();
};
preset.onchange = () => {
  for (const box of boxes) box.checked = preset.value.split(" ").includes(box.value);
  arrange();
};
for (const box of boxes) {
  box.onchange = () => {
    preset.value = chosen().join(" ");
    if (preset.selectedIndex < 0) preset.value = "";
    find("#send .primary").disabled = !chosen().length;
    arrange();
  };
}
arrange();
for (const [channel, phone] of phones) {
  const input = find(".composer input", phone);
  find(".share", phone).onclick = () => post("/share", { channel });
  find(".start", phone).onclick = () => post("/start", { channel });
  find(".composer", phone).onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    if (text) post("/say", { channel, text });
  };
  find(".switch input", phone).onchange = (event) => post("/switch", { channel, reachable: event.target.checked });
  find(".fail", phone).onclick = () => post("/trouble", { channel, code: find("details select", phone).value });
  find(".lose", phone).onclick = () => post("/trouble", { channel });
}

for (;;) {
  await refresh().then(
    () => document.body.classList.remove("away"),
    () => document.body.classList.add("away"),
  );
  await new Promise((resolve) => setTimeout(resolve, document.hidden ? 2000 : PAUSE));
}
