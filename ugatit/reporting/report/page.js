"use strict";

// What all parts of the page use: elements, addresses of pictures, numbers, and which part is shown.

const VIEWS = ["overview", "figures", "runs", "datasets", "compare"];

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", {value, textContent: text})));
  select.value = entries.some(([value]) => value === chosen) ? chosen : entries[0]?.[0] ?? "";
}

// Pictures are named by their content; see picture_store.py.
const pictureAddress = (id) => `pictures/${id.slice(0, 2)}/${id}.png`;
const thumbnailAddress = (id) => `thumbnails/${id.slice(0, 2)}/${id}.jpg`;

function image(address, alt, className) {
  return element("img", {src: address, alt, className, decoding: "async", draggable: false});
}

const number = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
const steps = (value) => value.toLocaleString("en");

// A number in [0, 1) that depends on a text alone: FNV-1a, then mixed.
function lot(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

// The address after # is a view and, for the comparison, what is chosen in it.
function viewOfAddress() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  return [VIEWS.includes(name) ? name : "overview", new URLSearchParams(query)];
}

function showView(name) {
  if (document.body.dataset.view !== name) requestAnimationFrame(() => scrollTo(0, 0));
  document.body.dataset.view = name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
