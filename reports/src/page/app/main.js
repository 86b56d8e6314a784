// What is clicked and typed.

// The cursor goes to a point.
function select(point) {
  if (!point) return;
  if (cursor !== point) statesBefore = cursor ? statesAt(cursor.number) : null;
  cursor = point;
  hovered = null;
  fillDetail(point);
  fillReplicas();
  fillEvents();
  document.body.dataset.cursor = point.number;
  redraw();
}

// The same, and it is brought into view.
function go(point) {
  if (!point) return;
  select(point);
  reveal(point);
}

function walk(steps) {
  if (wanted.length === 0) return;
  const here = cursor ? firstWhere(wanted, (point) => point.number >= cursor.number) : -1;
  const isHere = here >= 0 && wanted[here] === cursor;
  const to = isHere || steps < 0 ? here + steps : here + steps - (cursor ? 1 : 0);
  go(wanted[Math.min(Math.max(0, to), wanted.length - 1)]);
}

// The last event that led to the violation: what is wanted may have left out the very one.
function toViolation() {
  if (!page.violation) {
    tell("this run has no violation");
    return;
  }
  const place = firstWhere(wanted, (point) => point.number > page.violation[0]) - 1;
  const point = wanted[Math.max(0, place)];
  if (!point) {
    tell("nothing that is wanted lies before the violation: take filters off");
    return;
  }
  select(point);
  lookAt(point, 70);
  tell(`the violation, ${whenOf(...page.violation)}: ${textOf(point)}`);
}

function filtered() {
  sift();
  const kinds = [...filter.kinds].join(", ");
  const asked = [
    filter.slot === null ? "" : `slot ${filter.slot}`, filter.key === null ? "" : `key ${filter.key}`,
    filter.node === null ? "" : laneName(filter.node), kinds].filter((text) => text !== "").join(", ");
  tell(isFiltered() ? `${wanted.length} of ${points.length} events: ${asked}` : `${points.length} events`);
  document.body.dataset.wanted = wanted.length;
  for (const button of byId("kinds").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(filter.kinds.has(button.dataset.kind)));
  }
  byId("slot").value = filter.slot === null ? "" : filter.slot;
  byId("key").value = filter.key === null ? "" : String([...slotsOfKey.keys()].indexOf(filter.key));
  byId("node").value = filter.node === null ? "" : String(filter.node);
  fillEvents();
  if (cursor && view.axis === "order") lookAt(cursor, Math.max(10, view.to - view.from));
  else look(view.from, view.to);
}

function clear() {
  Object.assign(filter, { slot: null, key: null, node: null });
  filter.kinds.clear();
  filtered();
}

function setAxis(axis) {
  const shown = wanted[Math.max(0, firstWhere(wanted, (point) => positionOf(point) >= view.from))];
  view.axis = axis;
  byId("axis").value = axis;
  const point = cursor || shown;
  if (point) lookAt(point, 70);
  else fit();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readColours();
  redraw();
}

const otherTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

function toggleHelp() {
  const keys = byId("keys");
  keys.hidden = !keys.hidden;
  byId("help").setAttribute("aria-expanded", String(!keys.hidden));
}

function fillFilters() {
  const option = (value, text) => element("option", { value }, text);
  byId("key").append(option("", "any"), ...[...slotsOfKey.keys()].map((key, at) => option(String(at), short(plain(key), 24))));
  byId("node").append(option("", "any"), ...page.lanes.map((lane, at) => option(String(at), plain(lane.name))));
  const note = (text) => element("span", { className: "note" }, text);
  const buttons = (kinds) => kinds.map((kind) => {
    const button = element("button", { type: "button", className: "kind" },
      element("i", { className: `hue-${hue(kind)}` }), said(kind));
    button.dataset.kind = kind;
    button.addEventListener("click", () => {
      if (!filter.kinds.delete(kind)) filter.kinds.add(kind);
      filtered();
    });
    return button;
  });
  const isMessage = new Set(messages.map((message) => message.kind));
  byId("kinds").append(
    note(hasReplicas ? "Messages" : ""), ...buttons(kindsSeen.filter((kind) => isMessage.has(kind))),
    note("All else"), ...buttons(kindsSeen.filter((kind) => !isMessage.has(kind))));
  byId("kinds").hidden = kindsSeen.length < 2;
}

// Drags move what is seen; the wheel, with Ctrl or over the axis alone, goes closer.
function listenTo(canvas, pointUnder) {
  let held = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    held = { x: at(event)[0], from: view.from, to: view.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (held) {
      const by = ((held.x - x) / (canvas.clientWidth - LEFT - RIGHT)) * (held.to - held.from);
      held.moved = held.moved || Math.abs(held.x - x) > 3;
      if (held.moved) look(held.from + by, held.to + by);
      return;
    }
    const point = pointUnder(x, y);
    if (point === hovered) return;
    hovered = point;
    fillDetail(point || cursor);
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const wasMoved = held && held.moved;
    held = null;
    if (!wasMoved) select(pointUnder(...at(event)));
  });
  canvas.addEventListener("pointercancel", () => { held = null; });
  canvas.addEventListener("pointerleave", () => {
    if (!hovered) return;
    hovered = null;
    fillDetail(cursor);
    redraw();
  });
  canvas.addEventListener("wheel", (event) => {
    const [x] = at(event);
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      pan((event.deltaX || event.deltaY) / 1000);
    } else {
      zoom(event.deltaY > 0 ? 1.25 : 0.8, atX(x, canvas.clientWidth));
    }
  }, { passive: false });
}

const KEYS = {
  v: toViolation,
  0: fit,
  "+": () => zoom(0.6),
  "=": () => zoom(0.6),
  "-": () => zoom(1 / 0.6),
  a: () => pan(-0.25),
  d: () => pan(0.25),
  t: otherTheme,
  o: () => setAxis(view.axis === "time" ? "order" : "time"),
  Home: () => go(wanted[0]),
  End: () => go(wanted[wanted.length - 1]),
  "?": toggleHelp,
  "/": () => byId("slot").focus(),
  Escape: clear,
};

function listen() {
  const click = (id, what) => byId(id).addEventListener("click", what);
  click("violation", toViolation);
  click("fit", fit);
  click("wider", KEYS["-"]);
  click("closer", KEYS["+"]);
  click("previous", () => walk(-1));
  click("next", () => walk(1));
  click("clear", clear);
  click("theme", otherTheme);
  click("help", toggleHelp);
  byId("violation").disabled = !page.violation;
  byId("axis").addEventListener("change", (event) => setAxis(event.target.value));
  byId("slot").addEventListener("input", (event) => {
    const slot = Number.parseInt(event.target.value, 10);
    filter.slot = Number.isNaN(slot) ? null : slot;
    filtered();
  });
  byId("key").addEventListener("change", (event) => {
    filter.key = event.target.value === "" ? null : [...slotsOfKey.keys()][Number(event.target.value)];
    filtered();
  });
  byId("node").addEventListener("change", (event) => {
    filter.node = event.target.value === "" ? null : Number(event.target.value);
    filtered();
  });
  byId("unchanged").addEventListener("change", fillReplicas);
  byId("reproduce").querySelector("button").addEventListener("click", copyCommand);
  document.addEventListener("keydown", (event) => {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
    const steps = event.shiftKey ? 10 : 1;
    if (event.key === "ArrowLeft") walk(-steps);
    else if (event.key === "ArrowRight") walk(steps);
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
    else return;
    event.preventDefault();
    if (event.key === "Escape" && typing) event.target.blur();
  });
  listenTo(diagram, pointAt);
  listenTo(historyCanvas, (x, y) => {
    const one = operationAt(x, y);
    return one ? pointOfOperation(one) : null;
  });
  window.addEventListener("resize", redraw);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  setTheme(dark.matches ? "dark" : "light");
}

// Where there is no clipboard, as in a file that was opened from a disk, the command is marked.
function copyCommand() {
  const code = byId("reproduce").querySelector("code");
  getSelection().selectAllChildren(code);
  if (!navigator.clipboard) return;
  navigator.clipboard.writeText(page.reproduce).then(() => tell("copied"), () => tell("marked: copy it"));
}

drawings.push(drawStrip, drawDiagram, drawHistory, drawBakeIn);
readColours();
fillHead();
fillNotes();
fillWhy();
fillWaits();
fillHelp();
fillFilters();
fillDetail(null);
byId("axis").value = view.axis;
listen();
filtered();
if (page.violation) toViolation();
else if (wanted.length > 0) {
  select(wanted[0]);
  lookAt(wanted[0], 120);
}
document.body.dataset.ready = "yes";
