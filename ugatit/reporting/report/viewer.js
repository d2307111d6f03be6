"use strict";

// One picture, large: all columns beside each other, two of them in one place, or one over the training.

const MODES = ["side", "slider", "flick", "steps"];
const MAX_ZOOM = 16;
const STEP_PX = 5; // percent by which keys move the slider and what is zoomed

const viewer = byId("viewer");
const stage = byId("stage");

// Zoom and place are those of all pictures at once: x and y are the shift in percent of a picture's side.
const view = {zoom: 1, x: 0, y: 0, split: 50, shows: "a"};

const place = () => comparison().names.indexOf(state.picture);

function openViewer(at, key) {
  state.picture = comparison().names[at];
  if (key) state.b = key;
  if (!viewer.open) viewer.showModal();
  showViewer();
}

function showViewer() {
  const set = comparison();
  const keys = [SOURCE, ...set.columns.map((column) => column.key)];
  if (!keys.includes(state.a)) state.a = SOURCE;
  if (!keys.includes(state.b)) state.b = shownColumns()[0]?.key ?? keys.at(-1);
  if (!MODES.includes(state.mode)) state.mode = "side";
  byId("viewer-name").textContent = state.picture;
  const at = rows.indexOf(place());
  byId("viewer-place").textContent = at < 0 ? "" : `${at + 1} of ${rows.length}`;
  byId("before").disabled = at <= 0;
  byId("after").disabled = at < 0 || at === rows.length - 1;
  for (const radio of viewer.querySelectorAll("[name=mode]")) radio.checked = radio.value === state.mode;
  for (const id of ["a", "b"]) options(byId(id), keys.map((key) => [key, labelOf(key)]), state[id]);
  viewer.querySelector(".attention-choice").hidden = state.mode === "steps" || !attentionKinds().length;
  for (const part of viewer.querySelectorAll(".of-pair")) part.hidden = !["slider", "flick"].includes(state.mode);
  showSteps();
  stage.dataset.mode = state.mode;
  stage.replaceChildren(...{side: sideBySide, slider: pair, flick: pair, steps: overSteps}[state.mode]());
  showScale();
  showProtocols();
  showZoom();
  showSplit();
  keepInAddress();
}

// Steps of the training, where there are samples of this picture.

const sampledSteps = () => [...new Set(shownColumns().flatMap(
  (column) => (place() in column.samples.pictures ? column.samples.steps : []),
))].sort((p, q) => p - q);

const chosenStep = () => (state.step === "" ? null : Number(state.step));

function showSteps() {
  const all = sampledSteps();
  if (!all.includes(chosenStep())) state.step = "";
  byId("step-label").hidden = !all.length || state.mode === "steps";
  byId("step").max = all.length;
  byId("step").value = state.step === "" ? all.length : all.indexOf(chosenStep());
  const text = state.step === "" ? "as trained" : steps(chosenStep());
  byId("step-text").textContent = text;
  byId("step").setAttribute("aria-valuetext", text);
}

function chooseStep(index) {
  const all = sampledSteps();
  const bounded = Math.max(0, Math.min(index, all.length));
  state.step = bounded === all.length ? "" : String(all[bounded]);
  showViewer();
}

// A column's picture at the chosen step: its latest sample up to then, or what the trained run made.
function shownPicture(column) {
  const at = place();
  const samples = column.samples.pictures[at];
  const wanted = chosenStep() ?? (column.pictures[at] ? null : Infinity);
  if (wanted === null || !samples) return {id: column.pictures[at], step: null};
  const index = column.samples.steps.findLastIndex((step) => step <= wanted);
  return index < 0 ? {id: "", step: null} : {id: samples[index], step: column.samples.steps[index]};
}

// Building blocks.

function layer(key) {
  const set = comparison();
  const made = element("div", {className: "layer"});
  if (key === SOURCE) {
    made.append(image(pictureAddress(set.pictures[place()]), `${set.source} ${state.picture}`, ""));
    return made;
  }
  const column = columnOf(key);
  const {id, step} = shownPicture(column);
  if (!id) {
    made.append(element("span", {className: "none", textContent: "no picture at this step"}));
    return made;
  }
  made.append(image(pictureAddress(id), `${column.label}: ${state.picture}`, ""));
  // The maps are those of the final weights.
  const map = step === null && column.attention[state.attention]?.pictures[place()];
  if (map) made.append(image(pictureAddress(map), `${attentionName(state.attention)} attention`, "map"));
  return made;
}

function caption(key) {
  const set = comparison();
  const made = element("figcaption", {}, element("strong", {textContent: labelOf(key)}));
  if (key === SOURCE) {
    made.append(element("small", {textContent: `input, ${set.image_px} px`}));
    return made;
  }
  const column = columnOf(key);
  const {step} = shownPicture(column);
  const lines = captionLines(column, step);
  if (column.seed !== null) lines.push(`seed ${column.seed}`);
  const score = column.scores?.[place()];
  if (score !== null && score !== undefined && step === null) lines.push(`score ${number(score)}`);
  // A line breaks between its parts only.
  made.append(element("small", {textContent: lines.map((line) => line.replaceAll(" ", "\u00a0")).join(" · ")}));
  made.append(...column.metrics.map((metric) => element("small", {textContent: `${metric.name} ${metric.text}`})));
  return made;
}

const figure = (key) => element("figure", {}, element("div", {className: "frame"}, layer(key)), caption(key));

// Ways of comparing.

const sideBySide = () => [SOURCE, ...shownColumns().map((column) => column.key)].map(figure);

function pair() {
  const [under, over] = [layer(state.a), layer(state.b)];
  under.classList.add("under");
  over.classList.add("over");
  const shown = element("div", {className: "frame pair"}, under, over);
  const made = [element("div", {className: "pair-box"}, shown)];
  if (state.mode === "slider") {
    shown.append(element("div", {className: "divider"}));
    const split = element("input", {id: "split", type: "range", min: 0, max: 100, step: 1, value: view.split});
    split.setAttribute("aria-label", "Where A ends and B begins, in percent");
    split.addEventListener("input", () => { view.split = Number(split.value); showSplit(); });
    made[0].append(split);
  } else {
    const button = element("button", {id: "flick", type: "button"});
    button.addEventListener("click", flick);
    made[0].append(button);
  }
  const captions = ["a", "b"].map((id) => {
    const made = element("figure", {className: `of-${id}`}, caption(state[id]));
    made.querySelector("strong").prepend(`${id.toUpperCase()}: `);
    return made;
  });
  return [...made, element("div", {className: "captions"}, ...captions)];
}

function overSteps() {
  const at = place();
  const sampled = shownColumns().filter((column) => at in column.samples.pictures);
  if (!sampled.length) return [noSamples()];
  const strips = sampled.map((column) => {
    const figures = column.samples.steps.map((step, k) => stepFigure(column.samples.pictures[at][k], column, steps(step)));
    if (column.pictures[at]) figures.push(stepFigure(column.pictures[at], column, "as trained"));
    return element("section", {}, element("h3", {textContent: column.label}), element("div", {className: "strip"}, ...figures));
  });
  // One thing scrolls, so that the same steps stay below each other; the keyboard can reach it.
  const all = element("div", {className: "strips", tabIndex: 0, role: "group"}, ...strips);
  all.setAttribute("aria-label", "Translations over the steps of the training");
  return [all];
}

function stepFigure(id, column, text) {
  const shown = image(pictureAddress(id), `${column.label} at step ${text}`, "");
  const inside = element("div", {className: "frame"}, element("div", {className: "layer"}, shown));
  return element("figure", {}, inside, element("figcaption", {}, element("small", {textContent: text})));
}

function noSamples() {
  const set = comparison();
  const made = element("p", {}, "No samples of this picture were kept during the training. ");
  const others = [...set.names.keys()].filter(isSampled);
  if (others.length) made.append("There are of: ");
  for (const at of others) {
    const button = element("button", {type: "button", textContent: set.names[at]});
    button.addEventListener("click", () => openViewer(at));
    made.append(button, " ");
  }
  return made;
}

// What stands below.

function showScale() {
  const maps = shownColumns().map((column) => column.attention[state.attention]).filter(Boolean);
  byId("scale").hidden = !maps.length || state.mode === "steps";
  if (!maps.length) return;
  const same = maps.every((map) => map.low === maps[0].low && map.high === maps[0].high);
  byId("scale-text").textContent = `Attention, ${attentionName(state.attention)}: `
    + (same ? "one scale for all pictures." : "one scale for all pictures of a column.");
  byId("scale-low").textContent = same ? number(maps[0].low) : "low";
  byId("scale-high").textContent = same ? number(maps[0].high) : "high";
}

function showProtocols() {
  const texts = shownColumns().flatMap((column) => column.metrics.map((metric) => metric.protocol));
  if (shownColumns().some((column) => column.scores)) texts.push(REPORT.scoreMeaning);
  byId("protocols").replaceChildren(...[...new Set(texts)].map((text) => element("p", {textContent: text})));
}

function showSplit() {
  stage.style.setProperty("--split", `${view.split}%`);
  stage.dataset.shows = state.mode === "flick" ? view.shows : "both";
  const button = byId("flick");
  if (button) {
    button.textContent = `Shown: ${view.shows.toUpperCase()}, ${labelOf(state[view.shows])} (F flicks)`;
    for (const id of ["a", "b"]) stage.querySelector(`.of-${id}`).classList.toggle("now", id === view.shows);
  }
}

function flick() {
  if (state.mode !== "flick") {
    state.mode = "flick";
    showViewer();
    return;
  }
  view.shows = view.shows === "a" ? "b" : "a";
  showSplit();
}

function moveSplit(by) {
  view.split = Math.max(0, Math.min(100, view.split + by));
  if (byId("split")) byId("split").value = view.split;
  showSplit();
}

function nextColumn(id, by) {
  const keys = [SOURCE, ...comparison().columns.map((column) => column.key)];
  state[id] = keys[(keys.indexOf(state[id]) + by + keys.length) % keys.length];
  showViewer();
}

function swap() {
  [state.a, state.b] = [state.b, state.a];
  showViewer();
}

function turn(by) {
  const at = rows.indexOf(place()) + by;
  if (at < 0 || at >= rows.length || (at === by - 1 && by > 0)) return;
  select(at, selected.column);
  openViewer(rows[at]);
}

function chooseMode(mode) {
  state.mode = mode;
  showViewer();
}

// Zoom: the point below the pointer stays where it is, in every column.

function zoomTo(zoom, x = 50, y = 50) {
  const next = Math.max(1, Math.min(MAX_ZOOM, zoom));
  view.x = x - (x - view.x) * next / view.zoom;
  view.y = y - (y - view.y) * next / view.zoom;
  view.zoom = next;
  moveTo(view.x, view.y);
}

function moveTo(x, y) {
  const far = 100 * (1 - view.zoom);
  view.x = Math.max(far, Math.min(0, x));
  view.y = Math.max(far, Math.min(0, y));
  showZoom();
}

function showZoom() {
  stage.style.setProperty("--zoom", view.zoom);
  stage.style.setProperty("--x", `${view.x}%`);
  stage.style.setProperty("--y", `${view.y}%`);
  stage.classList.toggle("zoomed", view.zoom > 1);
  byId("zoom-text").textContent = `${Math.round(100 * view.zoom)} %`;
}

// Where a pointer is in the picture below it, in percent of its side; null if there is none.
function pointIn(event) {
  const shown = event.target.closest?.(".frame");
  if (!shown || !stage.contains(shown)) return null;
  const box = shown.getBoundingClientRect();
  return {x: 100 * (event.clientX - box.left) / box.width, y: 100 * (event.clientY - box.top) / box.height, box};
}

function listenToPointer() {
  let held = null;
  stage.addEventListener("wheel", (event) => {
    const point = pointIn(event);
    if (!point || event.ctrlKey) return;
    event.preventDefault();
    zoomTo(view.zoom * 2 ** (-event.deltaY / 400), point.x, point.y);
  }, {passive: false});
  stage.addEventListener("dblclick", (event) => {
    const point = pointIn(event);
    if (point) zoomTo(view.zoom > 1 ? 1 : 4, point.x, point.y);
  });
  stage.addEventListener("pointerdown", (event) => {
    const point = pointIn(event);
    if (!point || event.button !== 0) return;
    const splits = state.mode === "slider" && !event.shiftKey;
    held = {splits, box: point.box, from: [event.clientX, event.clientY], x: view.x, y: view.y};
    if (splits) moveSplit(point.x - view.split);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const shift = (now, then, side) => 100 * (now - then) / side;
    if (held.splits) moveSplit(shift(event.clientX, held.box.left, held.box.width) - view.split);
    else {
      moveTo(
        held.x + shift(event.clientX, held.from[0], held.box.width),
        held.y + shift(event.clientY, held.from[1], held.box.height),
      );
    }
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { held = null; });
}

function listenToViewer() {
  byId("before").addEventListener("click", () => turn(-1));
  byId("after").addEventListener("click", () => turn(1));
  byId("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => { state.picture = ""; keepInAddress(); grid.focus(); });
  for (const radio of viewer.querySelectorAll("[name=mode]")) {
    radio.addEventListener("change", () => chooseMode(radio.value));
  }
  for (const id of ["a", "b"]) {
    byId(id).addEventListener("change", (event) => { state[id] = event.target.value; showViewer(); });
  }
  byId("swap").addEventListener("click", swap);
  byId("step").addEventListener("input", (event) => chooseStep(Number(event.target.value)));
  byId("zoom-in").addEventListener("click", () => zoomTo(view.zoom * 2));
  byId("zoom-out").addEventListener("click", () => zoomTo(view.zoom / 2));
  byId("zoom-reset").addEventListener("click", () => zoomTo(1));
  listenToPointer();
}
