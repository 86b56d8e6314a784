// What is said in words: the verdict, what is at the cursor, how each replica stands, the events round
// it, why no order explains the history, and how long clients waited.

const SHOWN_EVENTS = 31;
const tell = (text) => byId("status").replaceChildren(said(text));

function fillHead() {
  const verdict = byId("verdict");
  verdict.textContent = page.verdict;
  verdict.classList.toggle("failed", page.failed);
  byId("title").textContent = plain(page.title);
  const message = byId("message");
  message.hidden = !page.message;
  if (page.check) message.append(element("strong", {}, said(page.check)), ": ");
  // It may have lines.
  message.append(...(page.message || "").split("\n").flatMap((line) => [said(line), "\n"]).slice(0, -1));
  const reproduce = byId("reproduce");
  reproduce.hidden = !page.reproduce;
  reproduce.querySelector("code").textContent = plain(page.reproduce || "");
  byId("figures").append(...page.figures.map(([name, value]) => element("div", {},
    element("dt", {}, said(name)), element("dd", {}, said(value)))));
}

function fillNotes() {
  const { from, to, before, behind } = page.window;
  byId("whole").hidden = !hasReplicas;
  byId("spacetime").hidden = !hasReplicas;
  byId("at-cursor").querySelector("label").hidden = !hasReplicas;
  const left = page.spans_left_out > 0 ? ` ${page.spans_left_out} shorter or farther ones are left out.` : "";
  byId("whole-note").textContent = "Bars: who leads, at which ballot; thin: who campaigns; grey: who is down or "
    + `paused. Shaded: faults. Framed: what is drawn below.${left}`;
  byId("window-note").textContent = before + behind === 0 ? "Every event of the run is here."
    : `Here are the events from ${seconds(from[1])} s to ${seconds(to[1])} s. Left out are `
      + `${before.toLocaleString("en")} before and ${behind.toLocaleString("en")} behind them.`;
  const missing = page.operations_left_out;
  byId("clients-note").textContent = (missing > 0
    ? `${missing.toLocaleString("en")} operations farther away are left out. ` : "")
    + "Grey: never answered. Red: cannot be placed. The line joins the order that came nearest.";
  byId("clients").hidden = operations.length === 0;
}

function fillWhy() {
  if (!explanation) return;
  byId("why").hidden = false;
  byId("why-text").append(...explanation.text.split("\n").flatMap((line) => [plain(line), "\n"]));
  const known = explanation.order.length;
  byId("order-summary").textContent = `The longest order without it: ${known + explanation.order_left_out} `
    + `operations${explanation.order_left_out > 0 ? `, the last ${known} of them` : ""}`;
  byId("order").append(...explanation.order.map((id, at) => {
    const one = operationById.get(id);
    const text = one ? `${laneName(one.lane)}${onKeyText(one)}: ${one.text}` : `operation ${id}, not on this page`;
    const item = element("li", {}, `${explanation.order_left_out + at + 1}. `, said(text));
    if (one) item.addEventListener("click", () => go(pointOfOperation(one)));
    return item;
  }));
}

const pointOfOperation = (one) => points.find((point) => point.of === one);

function fillWaits() {
  byId("waiting").hidden = page.waits.length === 0;
  const millis = (micros) => (micros / 1000).toFixed(1) + " ms";
  const head = ["", "count", "half", "99 %", "99.9 %", "longest"];
  byId("waits").append(
    element("tr", {}, ...head.map((text) => element("th", {}, text))),
    ...page.waits.map(([name, it]) => element("tr", {},
      element("th", {}, said(name)), element("td", {}, it.count.toLocaleString("en")),
      ...[it.p50, it.p99, it.p999, it.max].map((micros) => element("td", {}, millis(micros))))));
}

// How probable the failure was by then, where somebody looked into that.
function drawBakeIn() {
  const curve = page.bake_in;
  byId("baked").hidden = curve.length === 0;
  if (curve.length === 0) return;
  const { pen, width, height } = prepared(byId("bake-in"), 120);
  const last = Math.max(page.end[0], curve[curve.length - 1][0], 1);
  const x = (number) => LEFT + (number / last) * (width - LEFT - RIGHT);
  const y = (share) => height - 16 - share * (height - 32);
  pen.fillStyle = colours.faint;
  for (const share of [0, 0.5, 1]) {
    pen.fillText(`${share * 100} %`, 30, y(share));
    pen.fillRect(LEFT, y(share), width - LEFT - RIGHT, 0.5);
  }
  pen.strokeStyle = colours.bad;
  pen.lineWidth = 2;
  pen.beginPath();
  curve.forEach(([number, share], at) => (
    at === 0 ? pen.moveTo(x(number), y(share)) : pen.lineTo(x(number), y(share))));
  pen.stroke();
}

// What every replica is up to a number, by folding what changed.
function statesAt(number) {
  const states = page.states.map((state) => new Map(state));
  for (const { at, lane, changes } of happenings) {
    if (at[0] > number) break;
    if (lane === null || !states[lane]) continue;
    for (const [aspect, value] of changes) states[lane].set(aspect, value);
  }
  return states;
}

let statesBefore = null;

// What changed on the way from where the cursor was; all of it when it was nowhere.
function fillReplicas() {
  const now = cursor ? statesAt(cursor.number) : statesAt(-1);
  const all = byId("unchanged").checked || !statesBefore;
  const lines = now.map((state, lane) => {
    const cells = [];
    for (const [aspect, value] of state) {
      const was = statesBefore ? statesBefore[lane].get(aspect) : value;
      const changed = was !== value;
      if (!changed && !all) continue;
      if (!changed && value === "") continue;
      const cell = element("span", {}, `${page.aspects[aspect]}: `);
      if (changed && was) cell.append(element("span", { className: "was" }, said(was)), " ");
      cell.append(element("span", { className: changed ? "is" : "" }, said(value || "none")));
      if (cells.length > 0) cells.push(" · ");
      cells.push(cell);
    }
    if (cells.length === 0) return null;
    return element("tr", {}, element("th", {}, laneName(lane)), element("td", {}, ...cells));
  }).filter((line) => line !== null);
  const table = element("table", { className: "mono" }, ...lines);
  byId("replicas").replaceChildren(
    lines.length > 0 ? table : hasReplicas ? "No replica has changed since the cursor was elsewhere." : "");
}

function fillDetail(point) {
  const box = byId("detail");
  if (!point) {
    box.replaceChildren("Point at something, or walk with the arrow keys.");
    return;
  }
  const lines = [element("div", {}, element("strong", {}, said(textOf(point))))];
  const { of } = point;
  let more = whenOf(point.number, point.time);
  if (of.sent && point.sort === "arrive") {
    more += `, ${((point.time - of.sent[1]) / 1e6).toFixed(3)} ms after it was sent at #${of.sent[0]}`;
  } else if (point.sort === "send") {
    more += of.delivered.length === 0 ? ", lost or still under way"
      : `, arrives at ${of.delivered.map(([number]) => "#" + number).join(", ")}`;
  } else if (of.call) {
    more += `, process ${of.process}, from ${whenOf(...of.call)} to ${of.ret ? whenOf(...of.ret) : "never"}`;
    if (of.slot !== undefined) more += `, slot ${of.slot}`;
    if (of === stuck) more += ": it cannot be placed";
  }
  lines.push(element("div", { className: "note" }, said(more)));
  const chain = hasReplicas ? [...chainOf(point)].slice(1, 6) : [];
  if (chain.length > 0) {
    const words = chain.map((it) => (it.from === undefined ? it.text
      : `${laneName(it.from)}→${laneName(it.to)} ${it.kind}${slotsText(it.slots)}`));
    lines.push(element("div", { className: "note" }, "led to by: ", said(words.join(" ← "))));
  }
  box.replaceChildren(...lines);
}

function fillEvents() {
  const place = cursor ? firstWhere(wanted, (point) => point.number >= cursor.number) : 0;
  const from = Math.max(0, Math.min(place - (SHOWN_EVENTS >> 1), wanted.length - SHOWN_EVENTS));
  byId("events").replaceChildren(...wanted.slice(from, from + SHOWN_EVENTS).map((point) => {
    const item = element("li", {},
      element("span", { className: "when" }, whenOf(point.number, point.time) + " "), said(textOf(point)));
    item.classList.toggle("cursor", point === cursor);
    item.classList.toggle("violation", Boolean(page.violation) && point.number === page.violation[0]);
    item.addEventListener("click", () => go(point));
    return item;
  }));
}

const HELP = [
  ["v", "to the violation"], ["0", "all of the window"], ["+ -", "closer, wider; so does the wheel"],
  ["← →", "the event before, the next one; with Shift ten"], ["a d", "to the left, to the right"],
  ["Home End", "the first, the last event"], ["/", "ask for a slot"], ["Escape", "all filters off"],
  ["o", "across by time, or by the order of events"], ["t", "dark or light"], ["?", "this list"],
];

function fillHelp() {
  byId("keys").append(element("dl", {}, ...HELP.flatMap(([key, what]) => [
    element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)])));
}
