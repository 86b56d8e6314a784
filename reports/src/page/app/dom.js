// Elements, and texts in them. A text of a run is only ever put in as text.

const byId = (id) => document.getElementById(id);

// An element with these properties and children; a string is a text.
function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

// What turns its neighbours round, or cannot be seen, is shown as its number.
const plain = (text) => text.replace(
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

// A text of a run: kept apart from what stands beside it, whichever way it is written.
const said = (text) => element("bdi", {}, plain(text));

// A long text with its middle left out.
function short(text, most) {
  const characters = [...text];
  if (characters.length <= most) return text;
  return most < 2 ? "" : characters.slice(0, most - 1).join("") + "…";
}

// The colours of the page as they are now.
const colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "ink", "faint", "line", "accent", "bad", "good", "fault", "down",
    "past", "future", "done", "unknown"];
  for (const name of names) colours[name] = style.getPropertyValue("--" + name).trim();
  colours.hues = [];
  for (let hue = 0; hue < 8; hue += 1) colours.hues.push(style.getPropertyValue("--hue-" + hue).trim());
}

// A canvas of this height, cleared, in units of the page, whatever the screen's are.
function prepared(canvas, height) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.parentElement.clientWidth;
  canvas.style.height = height + "px";
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.direction = "ltr";
  return { pen, width, height };
}
