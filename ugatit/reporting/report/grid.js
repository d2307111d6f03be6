"use strict";

// The table of pictures. Only the rows in view are there, so that thousands of rows cost no more than ten.

const CAPTION_PX = 24;
const GAP_PX = 8;
const ROWS_BEYOND = 2; // rows kept ready above and below what is in view

const grid = byId("grid");

let rows = []; // places of the inputs in the order shown
let columns = [];
let drawn = new Map(); // row elements by their number
let body = element("div", {className: "rows", role: "rowgroup"});
let tile = 0; // side of a picture, pixels
let selected = {row: 0, column: 0}; // column 0 is the input

const rowHeight = () => tile + CAPTION_PX + GAP_PX;

function showGrid() {
  rows = chosenRows();
  columns = shownColumns();
  selected.row = Math.max(0, Math.min(selected.row, rows.length - 1));
  selected.column = Math.min(selected.column, columns.length);
  const total = comparison().names.length;
  byId("count").textContent = rows.length === total
    ? `${total} pictures.` : `${rows.length} of ${total} pictures.`;
  tile = tilePx();
  grid.style.setProperty("--size", `${tile}px`);
  grid.style.setProperty("--columns", columns.length + 1);
  grid.setAttribute("aria-rowcount", rows.length + 1);
  grid.setAttribute("aria-colcount", columns.length + 1);
  body = element("div", {className: "rows", role: "rowgroup"});
  body.style.height = `${rows.length * rowHeight()}px`;
  drawn = new Map();
  grid.replaceChildren(header(), body);
  if (!rows.length) body.append(element("p", {className: "nothing", textContent: "No picture passes the filters."}));
  drawRows();
  markSelected();
}

function header() {
  const made = element("div", {className: "row head", role: "row", "aria-rowindex": 1});
  made.append(element("div", {role: "columnheader", className: "cell input"},
    element("strong", {textContent: comparison().source}), element("small", {textContent: "input"})));
  made.append(...columns.map((column) => element("div", {role: "columnheader", className: "cell"},
    element("strong", {textContent: column.label}),
    ...captionLines(column).map((text) => element("small", {textContent: text})),
    ...column.metrics.map((metric) => element("small", {textContent: `${metric.name} ${metric.text}`, title: metric.protocol})),
  )));
  return made;
}

// What stands below a label: the step, the weights, and what is odd.
function captionLines(column, step = null) {
  const lines = [];
  const at = step ?? column.step;
  if (at !== null) lines.push(`step ${steps(at)}${column.steps && at !== column.steps ? ` of ${steps(column.steps)}` : ""}`);
  if (column.state !== "finished") lines.push(column.state);
  if (column.weights && step === null) lines.push(`weights ${column.weights}`);
  if (column.stale) lines.push(`${column.stale} left out: made from other pictures; translate again`);
  return lines;
}

function drawRows() {
  const height = rowHeight();
  const top = grid.scrollTop - body.offsetTop;
  const first = Math.max(0, Math.floor(top / height) - ROWS_BEYOND);
  const last = Math.min(rows.length - 1, Math.ceil((top + grid.clientHeight) / height) + ROWS_BEYOND);
  for (const [index, row] of drawn) {
    if (index < first || index > last) {
      row.remove();
      drawn.delete(index);
    }
  }
  for (let index = first; index <= last; index += 1) {
    if (drawn.has(index)) continue;
    const row = drawRow(index);
    row.style.transform = `translateY(${index * height}px)`;
    drawn.set(index, row);
    body.append(row);
  }
}

function drawRow(index) {
  const set = comparison();
  const place = rows[index];
  const name = set.names[place];
  const row = element("div", {className: "row", role: "row", "aria-rowindex": index + 2});
  const source = frame(set, set.pictures[place], `${set.source} ${name}`);
  row.append(cell(index, 0, source, name));
  columns.forEach((column, k) => {
    const shown = frame(column, column.pictures[place], `${column.label}: ${name}`);
    const map = column.attention[state.attention]?.pictures[place];
    if (map && column.pictures[place]) shown.append(image(pictureAddress(map), `${attentionName(state.attention)} attention`, "map"));
    const score = column.scores?.[place];
    row.append(cell(index, k + 1, shown, score === null || score === undefined ? "" : number(score)));
  });
  return row;
}

function frame(of, id, alt) {
  if (!id) return element("div", {className: "frame none"}, "no translation of it");
  return element("div", {className: "frame"}, image(of.thumbnails ? thumbnailAddress(id) : pictureAddress(id), alt, ""));
}

function cell(row, column, shown, caption) {
  const made = element("div", {
    className: column ? "cell" : "cell input", role: "gridcell", id: `cell-${row}-${column}`, title: caption,
  }, shown, element("span", {className: "caption", textContent: caption}));
  made.addEventListener("click", () => { select(row, column); openSelected(); });
  return made;
}

function select(row, column) {
  selected = {
    row: Math.max(0, Math.min(row, rows.length - 1)), column: Math.max(0, Math.min(column, columns.length)),
  };
  const top = selected.row * rowHeight();
  const above = body.offsetTop;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + rowHeight() > grid.scrollTop + grid.clientHeight - above) {
    grid.scrollTop = top + rowHeight() - grid.clientHeight + above;
  }
  drawRows();
  markSelected();
}

function markSelected() {
  for (const old of grid.querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
  const id = `cell-${selected.row}-${selected.column}`;
  const now = byId(id);
  if (!now) {
    grid.removeAttribute("aria-activedescendant");
    return;
  }
  now.setAttribute("aria-selected", "true");
  now.scrollIntoView({block: "nearest", inline: "nearest"});
  grid.setAttribute("aria-activedescendant", id);
}

function openSelected() {
  if (!rows.length) return;
  const key = selected.column ? columns[selected.column - 1].key : state.b;
  openViewer(rows[selected.row], key);
}

let waiting = false;
function listenToGrid() {
  grid.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawRows(); markSelectedIfDrawn(); });
  });
  new ResizeObserver(() => {
    if (document.body.dataset.view !== "compare") return;
    if (tile === tilePx()) drawRows();
    else showGrid();
  }).observe(grid);
}

// While scrolling, the selection must not pull the view back.
function markSelectedIfDrawn() {
  byId(`cell-${selected.row}-${selected.column}`)?.setAttribute("aria-selected", "true");
}
