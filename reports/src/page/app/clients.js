// The history as clients saw it: a bar for each operation, the one that cannot be placed, and the order
// that came nearest, drawn through the bars.

const historyCanvas = byId("history");
const BAR = 20;

// Operations of one client that overlap stand below each other, in a few rows: one that was never
// answered goes on for ever, and makes room for what is asked later.
const ROWS_MAX = 5;
const rows = [];
const laneRows = page.lanes.map(() => []);
for (const one of operations) {
  const mine = laneRows[one.lane];
  const end = one.ret ? one.ret[0] : Infinity;
  let row = mine.find((known) => known.end < one.call[0]);
  if (!row && mine.length >= ROWS_MAX) {
    const open = mine.filter((known) => known.end === Infinity);
    row = open.sort((first, second) => first.last.call[0] - second.last.call[0])[0];
  }
  if (!row) {
    row = { lane: one.lane, end: -1, last: null };
    mine.push(row);
  }
  if (row.last && !row.last.ret) row.last.until = one.call;
  row.last = one;
  row.end = end;
  one.row = row;
}
for (const mine of laneRows) for (const row of mine) rows.push(row);
rows.forEach((row, at) => {
  row.y = 20 + at * (BAR + 4);
});

const guilty = new Set(explanation ? explanation.guilty : []);

function barOf(one, width) {
  const x = (at) => xOf(position(at[0], at[1]), width);
  const end = one.ret || one.until;
  const [from, to] = [x(one.call), end ? x(end) : width];
  return { from, to: Math.max(from + 3, to), y: one.row.y };
}

function drawHistory() {
  const { pen, width, height } = prepared(historyCanvas, 26 + rows.length * (BAR + 4));
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT - RIGHT + 8, height);
  pen.clip();
  drawAxis(pen, width, height);
  let drawn = 0;
  for (const one of operations) {
    if (!wantedOf.has(one)) continue;
    const bar = barOf(one, width);
    if (bar.to < LEFT || bar.from > width) continue;
    drawBar(pen, one, bar);
    drawn += 1;
  }
  if (explanation) drawOrder(pen, width);
  if (page.violation) {
    pen.fillStyle = colours.bad;
    pen.fillRect(xOf(position(...page.violation), width) - 1, 12, 2, height);
  }
  pen.restore();
  pen.fillStyle = colours.ink;
  let named = null;
  for (const row of rows) {
    if (row.lane !== named) pen.fillText(short(plain(laneName(row.lane)), 12), 4, row.y + BAR / 2);
    named = row.lane;
  }
  historyCanvas.dataset.drawn = drawn;
}

function drawBar(pen, one, { from, to, y }) {
  const isStuck = one === stuck;
  pen.fillStyle = isStuck ? colours.bad : one.ret ? colours.done : colours.unknown;
  pen.globalAlpha = one.fate === "fail" ? 0.5 : 1;
  pen.fillRect(from, y, to - from, BAR);
  pen.globalAlpha = 1;
  pen.lineWidth = 2;
  if (guilty.has(one.id) || (cursor && cursor.of === one)) {
    pen.strokeStyle = cursor && cursor.of === one ? colours.ink : colours.bad;
    pen.strokeRect(from, y, to - from, BAR);
  }
  pen.fillStyle = isStuck ? colours.paper : colours.ink;
  const left = Math.max(from, LEFT) + 4;
  const label = plain((one.key === undefined ? "" : one.key + " ") + one.text);
  const room = Math.floor((Math.min(to, pen.canvas.clientWidth) - left) / 6.2);
  if (room > 2) pen.fillText(short(label, room), left, y + BAR / 2 + 1);
}

// Each operation of the order stands as early as its call, and what comes before it, allow.
function drawOrder(pen, width) {
  let latest = -Infinity;
  const path = [];
  for (const id of explanation.order) {
    const one = operationById.get(id);
    if (!one) continue;
    const { from, to, y } = barOf(one, width);
    latest = Math.min(Math.max(latest + 2, from + 4), Math.max(to, from + 4));
    path.push([latest, y + BAR]);
  }
  pen.strokeStyle = colours.accent;
  pen.fillStyle = colours.accent;
  pen.globalAlpha = 0.8;
  pen.lineWidth = 1.5;
  pen.beginPath();
  path.forEach(([x, y], at) => (at === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.stroke();
  for (const [x, y] of path) {
    pen.beginPath();
    pen.arc(x, y, 3, 0, 7);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

// The operation at a place of the picture.
function operationAt(px, py) {
  const width = historyCanvas.clientWidth;
  return operations.find((one) => {
    if (!wantedOf.has(one) || py < one.row.y || py > one.row.y + BAR) return false;
    const { from, to } = barOf(one, width);
    return from <= px && px <= to;
  });
}
