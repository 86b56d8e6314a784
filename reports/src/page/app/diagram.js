// The space-time diagram: a line for each replica and client, time to the right, a stroke for each
// message from its sending to its arrival.

const diagram = byId("diagram");
const DIAGRAM_HEAD = 36;
const laneGap = page.lanes.length > 14 ? 26 : 38;
const laneY = (lane) => DIAGRAM_HEAD + 12 + lane * laneGap;
const diagramHeight = DIAGRAM_HEAD + 24 + Math.max(1, page.lanes.length - 1) * laneGap + 10;

// What the reader points at, and where the cursor stands.
let hovered = null;
let cursor = null;

// So many events stand on each pixel of what is seen: where they are many, each is drawn more faintly.
let crowd = 0;

function crowdOf(width) {
  const seen = view.axis === "order" ? view.to - view.from
    : firstWhere(wanted, (point) => point.time > view.to)
      - firstWhere(wanted, (point) => point.time >= view.from);
  return seen / width;
}

// What is drawn of a message, an operation or a happening, when something is pointed at.
function shadeOf(of, number, lane, focus) {
  if (!focus) return { alpha: 1, colour: null, bold: false };
  if (focus.chain.has(of)) return { alpha: 1, colour: null, bold: true };
  if (number <= focus.cones.upTo(lane)) return { alpha: 0.85, colour: colours.past, bold: false };
  if (number >= focus.cones.since(lane)) return { alpha: 0.85, colour: colours.future, bold: false };
  return { alpha: 0.13, colour: null, bold: false };
}

function drawDiagram() {
  if (!hasReplicas) return;
  const { pen, width, height } = prepared(diagram, diagramHeight);
  const x = (at) => xOf(position(at[0], at[1]), width);
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT - RIGHT + 8, height);
  pen.clip();
  drawAxis(pen, width, height);
  drawFaults(pen, width, height, x);
  drawLanes(pen, width, x);
  crowd = crowdOf(width);
  const focus = hovered ? { chain: chainOf(hovered), cones: conesOf(hovered) } : null;
  const drawn = drawOperationBars(pen, x, focus) + drawMessages(pen, width, x, focus)
    + drawHappenings(pen, width, x, focus);
  drawMarks(pen, height, x);
  pen.restore();
  pen.fillStyle = colours.ink;
  page.lanes.forEach((lane, at) => {
    pen.globalAlpha = filter.node === null || filter.node === at ? 1 : 0.4;
    pen.fillText(short(plain(lane.name), 11), 4, laneY(at));
  });
  pen.globalAlpha = 1;
  diagram.dataset.drawn = drawn;
  diagram.dataset.from = view.from;
  diagram.dataset.to = view.to;
}

function drawAxis(pen, width, height) {
  pen.strokeStyle = colours.line;
  pen.fillStyle = colours.faint;
  pen.lineWidth = 1;
  for (const [at, label] of ticks(width)) {
    const x = xOf(at, width);
    pen.globalAlpha = 0.6;
    pen.beginPath();
    pen.moveTo(x, 12);
    pen.lineTo(x, height);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.fillText(label, x + 3, 6);
  }
}

function drawFaults(pen, width, height, x) {
  const ends = [];
  for (const span of faults) {
    const [from, to] = [Math.max(LEFT, x(span.from)), Math.min(width, x(span.to))];
    if (to < LEFT || from > width - RIGHT) continue;
    pen.fillStyle = colours.fault;
    pen.globalAlpha = 0.08;
    const hit = span.lanes.length > 0 ? span.lanes : replicas;
    for (const lane of hit) pen.fillRect(from, laneY(lane) - laneGap / 2, Math.max(2, to - from), laneGap);
    const row = ends.findIndex((end) => end < from);
    const label = plain(spanLabel(span));
    const place = row < 0 ? ends.length : row;
    ends[place] = from + pen.measureText(label).width + 10;
    pen.globalAlpha = 1;
    pen.fillRect(from, 13, 2, height);
    if (place < 2) pen.fillText(label, from + 4, 18 + place * 12);
  }
  pen.globalAlpha = 1;
}

function drawLanes(pen, width, x) {
  pen.lineWidth = 1;
  page.lanes.forEach((_, lane) => {
    pen.strokeStyle = colours.line;
    pen.beginPath();
    pen.moveTo(LEFT, laneY(lane));
    pen.lineTo(width, laneY(lane));
    pen.stroke();
  });
  const labelled = page.lanes.map(() => -1);
  for (const span of page.spans) {
    if (span.sort === "fault") continue;
    const [from, to] = [Math.max(LEFT - 2, x(span.from)), Math.min(width, x(span.to))];
    if (to < LEFT || from > width) continue;
    const y = laneY(span.lanes[0]);
    const high = span.sort === "leads" || span.sort === "down" ? 8 : 4;
    pen.fillStyle = span.sort === "leads" || span.sort === "campaigns"
      ? colours.hues[span.lanes[0] % 8] : colours.down;
    pen.globalAlpha = span.sort === "leads" ? 0.45 : 0.7;
    pen.fillRect(from, y - high / 2, Math.max(1, to - from), high);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.faint;
    const label = plain(span.sort === "leads" || span.sort === "campaigns"
      ? `${span.sort} at ${span.name}` : span.name || "paused");
    const left = Math.max(from + 4, labelled[span.lanes[0]]);
    if (to - left < pen.measureText(label).width + 4) continue;
    pen.fillText(label, left, y + 11);
    labelled[span.lanes[0]] = left + pen.measureText(label).width + 8;
  }
}

function drawOperationBars(pen, x, focus) {
  let drawn = 0;
  for (const one of operations) {
    if (!wantedOf.has(one)) continue;
    const [from, to] = [x(one.call), x(one.ret || page.end)];
    if (to < LEFT || from > diagram.clientWidth) continue;
    const shade = shadeOf(one, one.call[0], one.lane, focus);
    pen.globalAlpha = shade.alpha;
    pen.fillStyle = one === stuck ? colours.bad : one.ret ? colours.done : colours.unknown;
    pen.fillRect(from, laneY(one.lane) - 6, Math.max(2, to - from), 12);
    drawn += 1;
  }
  pen.globalAlpha = 1;
  return drawn;
}

function drawMessages(pen, width, x, focus) {
  let drawn = 0;
  const bold = [];
  for (const message of messages) {
    if (!wantedOf.has(message)) continue;
    const from = message.sent ? x(message.sent) : null;
    const last = message.delivered.length > 0 ? x(message.delivered[message.delivered.length - 1]) : from;
    if (Math.max(from === null ? last : from, last) < LEFT || (from === null ? last : from) > width) continue;
    const shade = shadeOf(message, message.sent ? message.sent[0] : message.delivered[0][0],
      message.sent ? message.from : message.to, focus);
    if (shade.bold) bold.push(message);
    else drawMessage(pen, x, message, shade.alpha, shade.colour || colours.hues[hue(message.kind)], 1);
    drawn += 1;
  }
  for (const message of bold) drawMessage(pen, x, message, 1, colours.hues[hue(message.kind)], 2.5);
  pen.globalAlpha = 1;
  return drawn;
}

function drawMessage(pen, x, message, alpha, colour, wide) {
  const faint = wide === 1 ? Math.min(1, 0.8 / crowd) : 1;
  pen.globalAlpha = alpha * faint * (quiet(message.kind) && wide === 1 ? 0.6 : 1);
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = wide;
  const [y, to] = [laneY(message.from), laneY(message.to)];
  if (message.sent && message.delivered.length === 0) {
    // It does not come: a stub with a cross at its end.
    const [at, end] = [x(message.sent), y + (to - y) * 0.3];
    stroke(pen, at, y, at + 12, end);
    stroke(pen, at + 9, end - 3, at + 15, end + 3);
    stroke(pen, at + 9, end + 3, at + 15, end - 3);
  }
  for (const at of message.delivered) {
    const end = x(at);
    if (message.sent) stroke(pen, x(message.sent), y, end, to);
    else stroke(pen, end - 10, to + (y - to) * 0.3, end, to);
    pen.beginPath();
    pen.arc(end, to, wide > 1 ? 3.5 : 2.2, 0, 7);
    pen.fill();
  }
}

function stroke(pen, fromX, fromY, toX, toY) {
  pen.beginPath();
  pen.moveTo(fromX, fromY);
  pen.lineTo(toX, toY);
  pen.stroke();
}

function drawHappenings(pen, width, x, focus) {
  let drawn = 0;
  const [first, last] = view.axis === "time"
    ? [firstWhere(wanted, (point) => point.time >= view.from), firstWhere(wanted, (point) => point.time > view.to)]
    : [Math.max(0, Math.floor(view.from)), Math.min(wanted.length, Math.ceil(view.to) + 1)];
  const roomy = (width - LEFT) / Math.max(1, last - first) > 26;
  for (const point of wanted.slice(first, last)) {
    if (point.sort !== "happen" || point.lane === null) continue;
    const shade = shadeOf(point.of, point.number, point.lane, focus);
    const [at, y] = [xOf(positionOf(point), width), laneY(point.lane)];
    pen.globalAlpha = shade.alpha * Math.min(1, 1.5 / crowd);
    pen.fillStyle = shade.colour || colours.hues[hue(point.of.kind)];
    const size = crowd > 1.5 ? 2 : 4;
    pen.beginPath();
    pen.moveTo(at - size, y);
    pen.lineTo(at, y - size - 1);
    pen.lineTo(at + size, y);
    pen.lineTo(at, y + size + 1);
    pen.fill();
    if (roomy) pen.fillText(point.of.kind, at + 3, y - 10);
    drawn += 1;
  }
  pen.globalAlpha = 1;
  return drawn;
}

// The violation, and the cursor.
function drawMarks(pen, height, x) {
  if (page.violation) {
    pen.fillStyle = colours.bad;
    pen.fillRect(x(page.violation) - 1, 12, 2, height);
  }
  if (cursor) {
    const at = x([cursor.number, cursor.time]);
    pen.strokeStyle = colours.ink;
    pen.setLineDash([4, 3]);
    pen.lineWidth = 1;
    stroke(pen, at, 12, at, height);
    pen.setLineDash([]);
    if (cursor.lane !== null) {
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(at, laneY(cursor.lane), 7, 0, 7);
      pen.stroke();
    }
  }
}

// How far a place is from a stroke.
function away(px, py, x1, y1, x2, y2) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const share = Math.min(1, Math.max(0, ((px - x1) * dx + (py - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - x1 - share * dx, py - y1 - share * dy);
}

// The point that is meant by a place of the diagram: a mark before a stroke, and the nearest of them.
function pointAt(px, py) {
  const width = diagram.clientWidth;
  const x = (at) => xOf(position(at[0], at[1]), width);
  let [best, distance] = [null, 9];
  const [from, to] = [atX(px - 9, width), atX(px + 9, width)];
  for (const point of wanted) {
    const at = positionOf(point);
    if (at < from || at > to || point.lane === null) continue;
    const far = Math.hypot(xOf(at, width) - px, laneY(point.lane) - py);
    if (far < distance) [best, distance] = [point, far];
  }
  if (best) return best;
  for (const point of wanted) {
    if (point.sort !== "arrive" || !point.of.sent) continue;
    const [x1, x2] = [x(point.of.sent), x([point.number, point.time])];
    if (x2 < px - 9 || x1 > px + 9) continue;
    const far = away(px, py, x1, laneY(point.of.from), x2, laneY(point.of.to));
    if (far < Math.min(distance, 6)) [best, distance] = [point, far];
  }
  return best;
}
