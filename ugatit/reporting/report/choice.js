"use strict";

// What is chosen: which pictures, in which order, which columns. The form shows it and the address keeps it.

const DEFAULTS = {
  set: "", off: "", order: "name", by: "", seed: 0, limit: "", name: "", from: "", to: "", sampled: false,
  size: 0, attention: "", opacity: 60, picture: "", mode: "side", a: "", b: "", step: "",
};
const KEPT_IN_ADDRESS = Object.keys(DEFAULTS).filter((key) => key !== "size" && key !== "opacity");

const MEAN = "mean";
const SOURCE = "source"; // the key of the column of input pictures; no run is called so

let state = {...DEFAULTS};

const comparison = () => REPORT.comparisons.find((each) => each.id === state.set);

const off = () => new Set(state.off.split(",").filter(Boolean));

function shownColumns() {
  const hidden = off();
  return comparison().columns.filter((column) => !hidden.has(column.key));
}

const columnOf = (key) => comparison().columns.find((column) => column.key === key);

const labelOf = (key) => (key === SOURCE ? comparison().source : columnOf(key).label);

// Score of a row: that of one column, or the mean over the columns shown; null where there is none.
function scoreOf(place) {
  const columns = state.by === MEAN ? shownColumns() : [columnOf(state.by)];
  const scores = columns.map((column) => column?.scores?.[place] ?? null).filter((score) => score !== null);
  return scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null;
}

const isSampled = (place) => comparison().columns.some((column) => place in column.samples.pictures);

// Places of the inputs that are shown, in their order.
function chosenRows() {
  const set = comparison();
  const text = state.name.trim().toLowerCase();
  const [from, to] = [state.from, state.to].map((limit) => (limit === "" ? null : Number(limit)));
  let rows = [...set.names.keys()].filter((place) => {
    if (text && !set.names[place].toLowerCase().includes(text)) return false;
    if (state.sampled && !isSampled(place)) return false;
    if (from === null && to === null) return true;
    const score = scoreOf(place);
    return score !== null && (from === null || score >= from) && (to === null || score <= to);
  });
  const sign = {best: 1, worst: -1}[state.order];
  if (sign) {
    // Without a score last, whichever end is first.
    const rank = new Map(rows.map((place) => [place, scoreOf(place)]));
    const value = (place) => (rank.get(place) === null ? Infinity : sign * rank.get(place));
    rows.sort((p, q) => (value(p) === value(q) ? p - q : value(p) - value(q)));
  } else if (state.order === "random") {
    const lots = new Map(rows.map((place) => [place, lot(`${state.seed}/${set.names[place]}`)]));
    rows.sort((p, q) => lots.get(p) - lots.get(q));
  }
  if (Number(state.limit) >= 1) rows = rows.slice(0, Math.floor(Number(state.limit)));
  return rows;
}

// The form.

const FIELDS = ["order", "by", "seed", "limit", "name", "from", "to", "sampled", "size"];

// As large as the columns fit side by side, until a size is chosen.
function tilePx() {
  if (state.size) return state.size;
  const fitting = grid.clientWidth / (shownColumns().length + 1) - GAP_PX;
  return Math.max(64, Math.min(160, 16 * Math.floor(fitting / 16)));
}

function showChoice() {
  const set = comparison();
  options(byId("comparison"), REPORT.comparisons.map((each) => [each.id, each.title]), state.set);
  const scored = set.columns.filter((column) => column.scores);
  options(byId("by"), [[MEAN, "all shown (mean)"], ...scored.map((each) => [each.key, each.label])], state.by);
  state.by = byId("by").value;
  if (!scored.length) Object.assign(state, {from: "", to: ""}, ["best", "worst"].includes(state.order) ? {order: "name"} : {});
  for (const part of document.querySelectorAll(".of-score")) part.hidden = !scored.length;
  for (const option of byId("order").options) {
    option.disabled = !scored.length && ["best", "worst"].includes(option.value);
  }
  byId("score-meaning").textContent = REPORT.scoreMeaning;
  byId("seed-label").hidden = state.order !== "random";
  byId("sampled-label").hidden = ![...set.names.keys()].some(isSampled);
  for (const field of FIELDS) {
    const input = byId(field);
    if (field === "size") input.value = tilePx();
    else if (input.type === "checkbox") input.checked = state[field];
    else if (input.value !== String(state[field])) input.value = state[field];
  }
  showColumns(set);
  showAttentionChoice(set);
}

function showColumns(set) {
  const hidden = off();
  const boxes = set.columns.map((column) => {
    const box = element("input", {type: "checkbox", checked: !hidden.has(column.key), value: column.key});
    return element("label", {}, box, ` ${column.label}`);
  });
  byId("columns").replaceChildren(byId("columns").querySelector("legend"), ...boxes);
}

// A generator looks at its input, a discriminator at the translation below the map (decision D28).
const attentionName = (kind) => (kind === "generator" ? "generator (of the input)" : kind);

const attentionKinds = () => [...new Set(comparison().columns.flatMap((column) => Object.keys(column.attention)))];

function showAttentionChoice() {
  const kinds = attentionKinds();
  if (!kinds.includes(state.attention)) state.attention = "";
  for (const part of document.querySelectorAll(".attention-choice")) part.hidden = !kinds.length;
  for (const select of document.querySelectorAll(".attention")) {
    options(select, [["", "none"], ...kinds.map((kind) => [kind, attentionName(kind)])], state.attention);
  }
  for (const input of document.querySelectorAll(".opacity")) {
    input.value = state.opacity;
    input.disabled = !state.attention;
  }
  document.documentElement.style.setProperty("--attention", state.opacity / 100);
}

// Change what is chosen and show it.
function choose(changes) {
  if ("set" in changes && changes.set !== state.set) {
    // Columns, places and limits belong to the pictures that they were chosen for.
    changes = {off: "", by: "", from: "", to: "", name: "", picture: "", a: "", b: "", step: "", ...changes};
  }
  Object.assign(state, changes);
  showChoice();
  showGrid();
  keepInAddress();
}

function keepInAddress() {
  const query = new URLSearchParams();
  for (const key of KEPT_IN_ADDRESS) {
    if (state[key] !== DEFAULTS[key] && state[key] !== "") query.set(key, state[key]);
  }
  history.replaceState(null, "", `#compare${query.size ? `?${query}` : ""}`);
}

function stateOfAddress(query) {
  const found = {...DEFAULTS, size: state.size, opacity: state.opacity};
  for (const key of KEPT_IN_ADDRESS) {
    const text = query.get(key);
    if (text === null) continue;
    if (typeof DEFAULTS[key] === "boolean") found[key] = text === "true";
    else if (typeof DEFAULTS[key] === "number") found[key] = Number(text) || 0;
    else found[key] = text;
  }
  if (!REPORT.comparisons.some((each) => each.id === found.set)) found.set = REPORT.comparisons[0].id;
  if (!["name", "best", "worst", "random"].includes(found.order)) found.order = "name";
  return found;
}

function listenToChoice() {
  byId("comparison").addEventListener("change", (event) => choose({set: event.target.value}));
  for (const field of FIELDS) {
    byId(field).addEventListener("input", (event) => {
      const input = event.target;
      const value = input.type === "checkbox" ? input.checked : input.value;
      choose({[field]: typeof DEFAULTS[field] === "number" ? Number(value) : value});
    });
  }
  byId("columns").addEventListener("change", () => {
    const boxes = [...byId("columns").querySelectorAll("input")];
    choose({off: boxes.filter((box) => !box.checked).map((box) => box.value).join(",")});
  });
  for (const select of document.querySelectorAll(".attention")) {
    select.addEventListener("change", () => chooseAttention({attention: select.value}));
  }
  for (const input of document.querySelectorAll(".opacity")) {
    input.addEventListener("input", () => chooseAttention({opacity: Number(input.value)}));
  }
  byId("reset").addEventListener("click", () => choose({...DEFAULTS, set: state.set, off: ""}));
  byId("choice").querySelector("form").addEventListener("submit", (event) => event.preventDefault());
}

function chooseAttention(changes) {
  const isNew = "attention" in changes && changes.attention !== state.attention;
  choose(changes);
  if (isNew && byId("viewer").open) showViewer();
}

function nextAttention() {
  const kinds = ["", ...attentionKinds()];
  chooseAttention({attention: kinds[(kinds.indexOf(state.attention) + 1) % kinds.length]});
}
