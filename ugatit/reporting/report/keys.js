"use strict";

// Keys, the help on them, and the start.

const help = byId("help");

const EVERYWHERE = {
  "?": () => (help.open ? help.close() : help.showModal()),
  "o": nextAttention,
  "shift+o": () => chooseAttention({opacity: state.opacity >= 100 ? 0 : Math.min(100, state.opacity + 20)}),
};

const IN_GRID = {
  "arrowleft": () => select(selected.row, selected.column - 1),
  "arrowright": () => select(selected.row, selected.column + 1),
  "arrowup": () => select(selected.row - 1, selected.column),
  "arrowdown": () => select(selected.row + 1, selected.column),
  "pageup": () => select(selected.row - rowsInView(), selected.column),
  "pagedown": () => select(selected.row + rowsInView(), selected.column),
  "home": () => select(0, selected.column),
  "end": () => select(rows.length - 1, selected.column),
  "enter": openSelected,
  " ": openSelected,
  "n": () => choose({order: "name"}),
  "b": () => chooseByScore("best"),
  "w": () => chooseByScore("worst"),
  "r": () => choose(state.order === "random" ? {seed: state.seed + 1} : {order: "random"}),
  "/": () => { byId("choice").open = true; byId("name").focus(); },
};

const IN_VIEWER = {
  "arrowleft": () => turn(-1),
  "arrowright": () => turn(1),
  "arrowup": () => moveSplit(STEP_PX),
  "arrowdown": () => moveSplit(-STEP_PX),
  "shift+arrowleft": () => moveTo(view.x + STEP_PX * view.zoom, view.y),
  "shift+arrowright": () => moveTo(view.x - STEP_PX * view.zoom, view.y),
  "shift+arrowup": () => moveTo(view.x, view.y + STEP_PX * view.zoom),
  "shift+arrowdown": () => moveTo(view.x, view.y - STEP_PX * view.zoom),
  "f": flick,
  "a": () => nextColumn("a", 1),
  "shift+a": () => nextColumn("a", -1),
  "b": () => nextColumn("b", 1),
  "shift+b": () => nextColumn("b", -1),
  "x": swap,
  ",": () => chooseStep(Number(byId("step").value) - 1),
  ".": () => chooseStep(Number(byId("step").value) + 1),
  "+": () => zoomTo(view.zoom * 1.5),
  "=": () => zoomTo(view.zoom * 1.5),
  "-": () => zoomTo(view.zoom / 1.5),
  "0": () => zoomTo(1),
  "p": () => stage.classList.toggle("sharp"),
};
MODES.forEach((mode, k) => { IN_VIEWER[k + 1] = () => chooseMode(mode); });

const rowsInView = () => Math.max(1, Math.floor((grid.clientHeight - body.offsetTop) / rowHeight()));

function chooseByScore(order) {
  if (comparison().columns.some((column) => column.scores)) choose({order});
}

// Letters are known by what they print or, on keyboards of other scripts, by their place.
function keyName(event) {
  const isKnown = event.key.length > 1 || /^[ -~]$/.test(event.key);
  const printed = isKnown ? event.key : event.code.replace(/^Key/, "");
  const shift = event.shiftKey && /^[a-z]/i.test(printed) ? "shift+" : "";
  return shift + printed.toLowerCase();
}

// Keys that a field needs for itself.
function isForField(target, name) {
  if (target.matches("textarea, select, input:not([type=range]):not([type=checkbox]):not([type=radio])")) {
    return name !== "escape";
  }
  if (target.matches("input[type=range], input[type=radio], .scroll, .strips")) return /^(shift\+)?(arrow|page|home|end)/.test(name);
  return target.matches("input, button, a, summary") && [" ", "enter"].includes(name);
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const name = keyName(event);
  if (event.target === byId("name") && ["enter", "escape"].includes(name)) {
    grid.focus();
    return;
  }
  if (isForField(event.target, name)) return;
  const compares = document.body.dataset.view === "compare" && REPORT.comparisons.length;
  const keys = {"?": EVERYWHERE["?"]};
  if (compares && !help.open) Object.assign(keys, EVERYWHERE, viewer.open ? IN_VIEWER : IN_GRID);
  if (!Object.hasOwn(keys, name)) return;
  event.preventDefault();
  keys[name]();
}

function openAddress() {
  const [name, query] = viewOfAddress();
  showView(name);
  if (name !== "compare" || !REPORT.comparisons.length) return;
  state = stateOfAddress(query);
  showChoice();
  showGrid();
  if (place() >= 0) openViewer(place());
  else grid.focus({preventScroll: true});
}

function start() {
  document.addEventListener("keydown", onKey);
  byId("help-button").addEventListener("click", EVERYWHERE["?"]);
  byId("help-close").addEventListener("click", () => help.close());
  window.addEventListener("hashchange", openAddress);
  if (REPORT.comparisons.length) {
    listenToChoice();
    listenToGrid();
    listenToViewer();
  } else {
    byId("compare").replaceChildren(element("p", {
      className: "missing", textContent: "There are no translations to compare yet.",
    }));
  }
  if (matchMedia("(max-width: 45rem)").matches) byId("choice")?.removeAttribute("open");
  openAddress();
}

start();
