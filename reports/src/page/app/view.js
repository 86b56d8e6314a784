// What part of the window is seen: an interval of time, or of ranks among the events that are wanted.

const view = { axis: hasReplicas ? "time" : "order", from: 0, to: 1 };
const LEFT = 76;
const RIGHT = 14;

// Where something stands on the axis. Between two events the rank is between theirs.
function position(number, time) {
  if (view.axis === "time") return time;
  const place = firstWhere(wanted, (point) => point.number >= number);
  if (place < wanted.length && wanted[place].number === number) return place;
  return place - 0.5;
}

const positionOf = (point) => (
  view.axis === "time" ? point.time : wantedOf.has(point.of) && wanted[point.rank] === point
    ? point.rank : position(point.number, point.time));

// The whole of what can be seen.
function bounds() {
  if (view.axis === "order") return [-1, Math.max(1, wanted.length)];
  const first = points.length > 0 ? points[0].time : 0;
  const last = points.length > 0 ? points[points.length - 1].time : 1;
  const room = Math.max(1000, (last - first) * 0.02);
  return [first - room, last + room];
}

const least = () => (view.axis === "order" ? 4 : 20000);

function look(from, to) {
  const [low, high] = bounds();
  const wide = Math.min(Math.max(to - from, least()), high - low);
  view.from = Math.min(Math.max(from, low), Math.max(low, high - wide));
  view.to = view.from + wide;
  redraw();
}

function zoom(factor, at) {
  const centre = at === undefined ? (view.from + view.to) / 2 : at;
  look(centre - (centre - view.from) * factor, centre + (view.to - centre) * factor);
}

const pan = (share) => look(
  view.from + (view.to - view.from) * share, view.to + (view.to - view.from) * share);

const fit = () => look(...bounds());

const xOf = (at, width) => (
  LEFT + ((at - view.from) / (view.to - view.from)) * (width - LEFT - RIGHT));

const atX = (x, width) => (
  view.from + ((x - LEFT) / (width - LEFT - RIGHT)) * (view.to - view.from));

// So that about so many events are seen round a point, and as many milliseconds: where a hundred come at
// one instant, the instant says little.
const MILLIS = 1e6;

function lookAt(point, events) {
  const place = firstWhere(wanted, (one) => one.number >= point.number);
  const first = wanted[Math.max(0, place - Math.round(events * 0.75))];
  const last = wanted[Math.min(wanted.length - 1, place + Math.round(events * 0.25))];
  const here = positionOf(point);
  const from = first ? Math.min(positionOf(first), here) : here;
  const to = last ? Math.max(positionOf(last), here) : here;
  const room = Math.max((to - from) * 0.06, least() / 4);
  const wide = view.axis === "time" && page.lanes.some((lane) => lane.sort === "replica")
    ? Math.min(events, 60) * MILLIS : 0;
  look(Math.min(from - room, here - wide * 0.75), Math.max(to + room, here + wide * 0.25));
}

// Moves only as far as is needed for a point to be seen.
function reveal(point) {
  const at = positionOf(point);
  const room = (view.to - view.from) * 0.08;
  if (at < view.from + room) look(at - room * 3, at - room * 3 + (view.to - view.from));
  else if (at > view.to - room) look(at + room * 3 - (view.to - view.from), at + room * 3);
  else redraw();
}

// All drawings are made anew, at most once a frame.
const drawings = [];
let isAsked = false;

function redraw() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    for (const drawing of drawings) drawing();
  });
}

// The marks of the axis: at most one for each 110 pixels, at round times.
function ticks(width) {
  if (view.axis === "order") return [];
  const least = ((view.to - view.from) / (width - LEFT - RIGHT)) * 110;
  let step = 1000;
  for (const factor of [2, 2.5, 2]) if (step < least) step *= factor;
  while (step < least) for (const factor of [2, 2.5, 2]) if (step < least) step *= factor;
  const all = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) all.push(at);
  const digits = Math.max(0, 9 - Math.floor(Math.log10(step)));
  return all.filter((at) => at >= 0).map((at) => [at, (at / 1e9).toFixed(Math.min(6, digits)) + " s"]);
}
