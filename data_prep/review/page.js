"use strict";

const TOKEN = document.querySelector("meta[name=token]").content;
const SHOWS = ["review", "kept", "dropped", "all"];
const SHOW_NAMES = {review: "for review", kept: "kept", dropped: "dropped", all: "all"};
const STATES = {
  keep: "✓ keep",
  drop: "✗ drop",
  undecided: "? undecided",
  kept: "✓ kept by rule",
  dropped: "✗ dropped by rule",
  error: "✗ error",
};

const byId = (id) => document.getElementById(id);
const grid = byId("grid");
const note = byId("note");

let view = null; // the server's last answer: side, show, page, pages, names, counts, items
let cards = []; // one element for each of view.items
let selected = 0;

// Actions wait for each other, so that a key pressed while a page loads is for the new page, and decisions
// arrive in their order.
let last = Promise.resolve();
let waiting = 0;

function run(action) {
  waiting += 1;
  last = last.then(action).catch((error) => say(error.message)).finally(() => { waiting -= 1; });
}

async function request(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer: nothing was done. Run the command again, then reload.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function say(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// Lists and pages.

async function load(side, show, page, atEnd = false) {
  const query = new URLSearchParams({show});
  if (side) query.set("side", side);
  if (page !== null) query.set("page", page);
  view = await request(`/api/items?${query}`);
  history.replaceState(null, "", `#${view.side}/${view.show}/${view.page}`);
  say(view.items.length ? "" : "There are no pictures in this list.");
  cards = view.items.map(card);
  grid.replaceChildren(...cards);
  showHeader();
  const undecided = view.items.findIndex(isUndecided);
  select(atEnd ? cards.length - 1 : page === null ? Math.max(0, undecided) : 0);
}

function showHeader() {
  const count = view.counts[view.side];
  byId("sides").replaceChildren(...Object.keys(view.names).map((side) => choice(
    `${side.toUpperCase()} ${view.names[side]}, ${view.counts[side].undecided} undecided`,
    side === view.side,
    () => load(side, view.show, null),
  )));
  byId("shows").replaceChildren(...SHOWS.map((show, k) => choice(
    `${k + 1} ${SHOW_NAMES[show]}`,
    show === view.show,
    () => load(view.side, show, null),
  )));
  const decided = count.review - count.undecided;
  byId("counts").textContent = `${count.shown} pictures: ${count.kept} kept, ${count.dropped} dropped; `
    + `review: ${decided} of ${count.review} decided`;
  byId("progress").max = count.review || 1;
  byId("progress").value = count.review ? decided : 1;
  byId("place").textContent = `page ${view.page + 1} of ${view.pages}`;
  byId("previous").disabled = view.page === 0;
  byId("next").disabled = view.page === view.pages - 1;
}

function choice(text, pressed, action) {
  const button = element("button", "", text);
  button.type = "button";
  button.setAttribute("aria-pressed", pressed);
  button.addEventListener("click", () => { run(action); grid.focus(); });
  return button;
}

async function turn(step, atEnd = false) {
  const page = view.page + step;
  if (page >= 0 && page < view.pages) await load(view.side, view.show, page, atEnd);
  else say(step > 0 ? "This is the end of the list." : "This is the beginning of the list.");
}

// Pictures.

function card(item, index) {
  const made = element("article", item.twin ? "card pair" : "card");
  made.id = `card-${index}`;
  made.setAttribute("role", "option");
  const pictures = element("div", "pictures");
  pictures.append(thumbnail(item.id));
  if (item.twin) pictures.append(thumbnail(item.twin.id));
  const reason = item.reason ? `${item.status}: ${item.reason}` : item.status;
  made.append(pictures, element("p", "state"), element("p", "id", item.id), element("p", "", reason));
  if (item.doubt !== null) made.append(element("p", "", `doubt ${item.doubt.toFixed(2)}`));
  if (item.twin) made.append(element("p", "", `right: ${item.twin.id}, ${item.twin.distance} bits apart`));
  made.title = item.file;
  made.addEventListener("click", () => run(() => select(index)));
  mark(made, item);
  return made;
}

function thumbnail(id) {
  const image = element("img");
  image.loading = "lazy";
  image.alt = id;
  image.src = `/crop/${view.side}/${id}`;
  return image;
}

function mark(made, item) {
  const state = item.decision ? item.decision.verdict : isUndecided(item) ? "undecided" : item.status;
  const by = item.decision ? [item.decision.reviewer, item.decision.note].filter(Boolean).join(": ") : "";
  made.dataset.state = state;
  made.querySelector(".state").textContent = by ? `${STATES[state]} (${by})` : STATES[state];
}

function isUndecided(item) {
  return item.status === "review" && !item.decision;
}

function select(index) {
  cards[selected]?.setAttribute("aria-selected", "false");
  selected = Math.max(0, Math.min(index, cards.length - 1));
  cards[selected]?.setAttribute("aria-selected", "true");
  cards[selected]?.scrollIntoView({block: "nearest"});
  grid.setAttribute("aria-activedescendant", `card-${selected}`);
  if (!byId("raw").hidden) showRaw();
}

async function step(by) {
  const index = selected + by;
  if (index >= 0 && index < cards.length) select(index);
  else await turn(by, by < 0);
}

function moveRow(direction) {
  const boxes = cards.map((each) => each.getBoundingClientRect());
  const from = boxes[selected];
  const rows = boxes.map((box) => direction * (box.top - from.top)).filter((way) => way > 1);
  const nearest = Math.min(...rows);
  const middle = (box) => box.left + box.width / 2;
  let best = selected;
  boxes.forEach((box, index) => {
    if (Math.abs(direction * (box.top - from.top) - nearest) > 1) return;
    const nearer = Math.abs(middle(box) - middle(from)) < Math.abs(middle(boxes[best]) - middle(from));
    if (best === selected || nearer) best = index;
  });
  select(best);
}

function showRaw() {
  const item = view.items[selected];
  byId("raw").hidden = !item;
  if (!item) return;
  const [width, height] = item.size;
  const [left, top, side] = item.square;
  const x = Math.min(0, left);
  const y = Math.min(0, top);
  const far = [Math.max(width, left + side) - x, Math.max(height, top + side) - y];
  const picture = byId("raw-picture");
  picture.setAttribute("viewBox", `${x} ${y} ${far[0]} ${far[1]}`);
  const image = shape("image", {href: `/raw/${view.side}/${item.id}`, width, height, preserveAspectRatio: "none"});
  image.addEventListener("error", () => say(`${item.file}: cannot be read; was it moved or changed?`));
  const square = {x: left, y: top, width: side, height: side};
  picture.replaceChildren(
    image, shape("rect", {...square, class: "under"}), shape("rect", {...square, class: "square"}),
  );
  byId("raw-caption").textContent = `${item.file}, ${width} × ${height} px, square of ${side} px; ${item.id}`;
}

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Decisions.

async function decide(indices, verdict) {
  if (!indices.length) return;
  const answer = await request("/api/decide", {
    method: "POST",
    headers: {"Content-Type": "application/json", "X-Token": TOKEN},
    body: JSON.stringify({
      side: view.side,
      item_ids: indices.map((index) => view.items[index].id),
      verdict,
      note: note.value.trim(),
    }),
  });
  say("");
  for (const index of indices) {
    const item = view.items[index];
    item.decision = answer.decisions[item.id];
    mark(cards[index], item);
  }
  view.counts = answer.counts;
  showHeader();
}

const decideSelected = (verdict) => decide(cards.length ? [selected] : [], verdict);

const decideRest = (verdict) => decide([...cards.keys()].filter((index) => isUndecided(view.items[index])), verdict);

async function accept() {
  const item = view.items[selected];
  if (!item) return;
  if (!item.decision) await decideSelected(item.proposal);
  await step(1);
}

async function otherSide() {
  const sides = Object.keys(view.names);
  if (sides.length > 1) await load(sides[(sides.indexOf(view.side) + 1) % sides.length], view.show, null);
}

// Keys.

function toggle(id) {
  byId(id).hidden = !byId(id).hidden;
}

function toggleRaw() {
  if (byId("raw").hidden) showRaw();
  else byId("raw").hidden = true;
}

const MOVES = {
  arrowleft: () => step(-1),
  arrowright: () => step(1),
  arrowup: () => moveRow(-1),
  arrowdown: () => moveRow(1),
};

const ACTIONS = {
  "k": () => decideSelected("keep"),
  "d": () => decideSelected("drop"),
  "u": () => decideSelected("undo"),
  "shift+k": () => decideRest("keep"),
  "shift+d": () => decideRest("drop"),
  " ": accept,
  "n": () => turn(1),
  "p": () => turn(-1),
  "tab": otherSide,
  "r": toggleRaw,
  "t": () => note.focus(),
  "?": () => toggle("help"),
  "escape": () => { byId("help").hidden = byId("raw").hidden = true; },
};
SHOWS.forEach((show, k) => { ACTIONS[k + 1] = () => load(view.side, show, null); });

// Letters are known by what they print or, on keyboards of other scripts, by their place. Shift counts with
// letters only: some keyboards need it for digits.
function keyName(event) {
  const printed = /^[ -~]$/.test(event.key) ? event.key : event.code.replace(/^Key/, "");
  const shift = event.shiftKey && /^[a-z]/i.test(printed) ? "shift+" : "";
  return shift + printed.toLowerCase();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const name = keyName(event);
  if (event.target === note) {
    if (name === "enter" || name === "escape") grid.focus();
    return;
  }
  const action = MOVES[name] || (event.repeat ? null : ACTIONS[name]);
  if (name in MOVES || name in ACTIONS) event.preventDefault();
  if (action && (view || name === "?")) run(action);
});

byId("previous").addEventListener("click", () => { run(() => turn(-1)); grid.focus(); });
byId("next").addEventListener("click", () => { run(() => turn(1)); grid.focus(); });
byId("help-button").addEventListener("click", () => { toggle("help"); grid.focus(); });
window.addEventListener("beforeunload", (event) => { if (waiting) event.preventDefault(); });

run(() => {
  const [, side, show, page] = location.hash.match(/^#([ab])\/(review|kept|dropped|all)\/(\d+)$/) || [];
  return load(side || "", show || "review", page ? Number(page) : null).catch(() => load("", "review", null));
});
grid.focus();
