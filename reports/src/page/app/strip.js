// The whole run on one strip: who led at which ballot, who was down or paused, and which faults held.
// A frame shows what part of it is drawn below.

const strip = byId("strip");
const replicas = page.lanes.map((lane, at) => at).filter(isReplica);
const STRIP_ROW = 13;
const STRIP_HEAD = 16;
const FAULT_ROW = 13;
const FAULT_ROWS = 5;
const faults = page.spans.filter((span) => span.sort === "fault");
const runEnd = Math.max(1, page.end[1]);

const stripX = (time, width) => LEFT + (time / runEnd) * (width - LEFT - RIGHT);

// In which row each fault's name stands, so that names do not lie over each other where there is room.
function faultRows(width) {
  const ends = new Array(FAULT_ROWS).fill(-1);
  return faults.map((span) => {
    const [from, to] = [stripX(span.from[1], width), stripX(span.to[1], width)];
    const free = ends.findIndex((end) => end <= from);
    const row = free < 0 ? ends.indexOf(Math.min(...ends)) : free;
    ends[row] = Math.max(to, from + 2) + 1;
    return { span, from, to: Math.max(to, from + 2), row };
  });
}

function spanLabel(span) {
  const who = span.lanes.map(laneName).join(" ");
  switch (span.sort) {
    case "leads": return `${who} leads at ${span.name}`;
    case "campaigns": return `${who} campaigns at ${span.name}`;
    case "fault": return `${span.name} ${who}`.trim();
    case "down": return `${who} ${span.name}`;
    default: return `${who} is paused`;
  }
}

function drawStrip() {
  if (!hasReplicas) return;
  const rows = faultRows(strip.parentElement.clientWidth);
  const used = rows.reduce((most, { row }) => Math.max(most, row + 1), 0);
  const lanesEnd = STRIP_HEAD + replicas.length * STRIP_ROW;
  const { pen, width } = prepared(strip, lanesEnd + used * FAULT_ROW + 8);
  pen.fillStyle = colours.fault;
  for (const { from, to } of rows) {
    pen.globalAlpha = 0.1;
    pen.fillRect(from, STRIP_HEAD, to - from, lanesEnd - STRIP_HEAD);
  }
  for (const { span, from, to, row } of rows) {
    const y = lanesEnd + 4 + row * FAULT_ROW;
    pen.globalAlpha = 0.35;
    pen.fillStyle = colours.fault;
    pen.fillRect(from, y, to - from, FAULT_ROW - 2);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.ink;
    const label = plain(spanLabel(span));
    if (pen.measureText(label).width < to - from - 4) pen.fillText(label, from + 3, y + 6);
    else if (pen.measureText(span.name).width < to - from - 4) pen.fillText(plain(span.name), from + 3, y + 6);
  }
  pen.globalAlpha = 1;
  replicas.forEach((lane, row) => {
    const y = STRIP_HEAD + row * STRIP_ROW;
    pen.fillStyle = colours.ink;
    pen.fillText(short(plain(laneName(lane)), 10), 4, y + 6);
    pen.fillStyle = colours.line;
    pen.fillRect(LEFT, y + 6, width - LEFT - RIGHT, 1);
  });
  for (const span of page.spans) {
    if (span.sort === "fault") continue;
    const row = replicas.indexOf(span.lanes[0]);
    if (row >= 0) drawStripSpan(pen, width, span, STRIP_HEAD + row * STRIP_ROW);
  }
  drawStripFrame(pen, width, lanesEnd);
}

function drawStripSpan(pen, width, span, y) {
  const from = stripX(span.from[1], width);
  const wide = Math.max(1, stripX(span.to[1], width) - from);
  if (span.sort === "leads") {
    pen.fillStyle = colours.hues[span.lanes[0] % 8];
    pen.fillRect(from, y + 1, wide, STRIP_ROW - 3);
    pen.fillStyle = colours.paper;
    const label = plain(span.name);
    if (pen.measureText(label).width < wide - 4) pen.fillText(label, from + 3, y + 6);
  } else if (span.sort === "campaigns") {
    pen.fillStyle = colours.hues[span.lanes[0] % 8];
    pen.fillRect(from, y + 4, wide, 4);
  } else {
    pen.fillStyle = colours.down;
    pen.globalAlpha = span.sort === "down" ? 0.9 : 0.5;
    pen.fillRect(from, y + (span.sort === "down" ? 2 : 4), wide, span.sort === "down" ? 8 : 4);
    pen.globalAlpha = 1;
  }
}

// The window, what is seen of it, and the violation.
function drawStripFrame(pen, width, lanesEnd) {
  const [from, to] = [stripX(page.window.from[1], width), stripX(page.window.to[1], width)];
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 1;
  pen.strokeRect(from - 1, STRIP_HEAD - 2, Math.max(3, to - from + 2), lanesEnd - STRIP_HEAD + 4);
  const [first, last] = seenTimes();
  pen.fillStyle = colours.accent;
  const x = stripX(first, width);
  pen.fillRect(x, STRIP_HEAD - 6, Math.max(3, stripX(last, width) - x), 4);
  if (page.violation) {
    pen.fillStyle = colours.bad;
    const at = stripX(page.violation[1], width);
    pen.fillRect(at - 1, 4, 2, lanesEnd - 4);
    pen.beginPath();
    pen.moveTo(at - 5, 0);
    pen.lineTo(at + 5, 0);
    pen.lineTo(at, 7);
    pen.fill();
  }
  pen.fillStyle = colours.faint;
  pen.fillText("0 s", LEFT, 5);
  const label = seconds(runEnd) + " s";
  pen.fillText(label, width - RIGHT - pen.measureText(label).width - 12, 5);
}

// The times that are seen below, whatever the axis there is.
function seenTimes() {
  if (view.axis === "time") return [view.from, view.to];
  const at = (rank) => wanted[Math.min(Math.max(0, Math.round(rank)), wanted.length - 1)];
  const [first, last] = [at(view.from), at(view.to)];
  return first && last ? [first.time, last.time] : [0, 0];
}

const stripTime = (event) => {
  const box = strip.getBoundingClientRect();
  return ((event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT)) * runEnd;
};

strip.addEventListener("mousemove", (event) => {
  const time = stripTime(event);
  const here = page.spans.filter((span) => span.from[1] <= time && time <= span.to[1]);
  tell(`${seconds(Math.max(0, time))} s: ${here.map(spanLabel).join(", ") || "nothing lasts here"}`);
});

// The event that is nearest to a place of the strip; the page has none outside its window.
strip.addEventListener("click", (event) => {
  const time = stripTime(event);
  const [from, to] = [page.window.from[1], page.window.to[1]];
  const place = firstWhere(wanted, (point) => point.time >= time);
  const point = wanted[Math.min(place, wanted.length - 1)];
  if (!point) return;
  select(point);
  lookAt(point, 80);
  if (time < from || time > to) {
    tell(`message by message the page has ${seconds(from)} s to ${seconds(to)} s of this run`);
  }
});
