// What led to a point, and what came of it: Lamport's happened-before over the messages that are here,
// and the single chain of messages of which each answers the one before.

const arrivals = points.filter((point) => point.sort === "arrive" && point.of.sent);
const bySending = [...arrivals].sort((one, two) => one.of.sent[0] - two.of.sent[0]);
const byLane = new Map();
for (const point of points) {
  if (!byLane.has(point.lane)) byLane.set(point.lane, []);
  byLane.get(point.lane).push(point);
}

// For each lane the last number that can have led to the point, and the first that can come of it.
function conesOf(point) {
  const past = new Map([[point.lane, point.number]]);
  const upTo = (lane) => (past.has(lane) ? past.get(lane) : -1);
  for (let place = arrivals.length - 1; place >= 0; place -= 1) {
    const { number, of } = arrivals[place];
    if (number <= upTo(of.to) && of.sent[0] > upTo(of.from)) past.set(of.from, of.sent[0]);
  }
  const future = new Map([[point.lane, point.number]]);
  const since = (lane) => (future.has(lane) ? future.get(lane) : Infinity);
  for (const { number, of } of bySending) {
    if (of.sent[0] >= since(of.from) && number < since(of.to)) future.set(of.to, number);
  }
  return { upTo, since };
}

// The point before in its lane in the same step that satisfies this. A step takes no virtual time.
function earlierIn(point, fits, sameStep) {
  const lane = byLane.get(point.lane) || [];
  let place = firstWhere(lane, (one) => one.number >= point.number) - 1;
  for (let tries = 0; place >= 0 && tries < 2000; place -= 1, tries += 1) {
    const one = lane[place];
    if (sameStep && one.time !== point.time) return null;
    if (fits(one)) return one;
  }
  return null;
}

const overlap = (one, two) => Boolean(one && two) && one[0] <= two[1] && two[0] <= one[1];

// What a point answers. Where a replica waited for its disk in between, what it got of the same slot,
// or of the same ballot, is taken.
function causeOf(point) {
  if (point.sort === "arrive") {
    if (!point.of.sent) return null;
    const lane = byLane.get(point.of.from) || [];
    return lane[firstWhere(lane, (one) => one.number >= point.of.sent[0])] || null;
  }
  const arrived = (one) => one.sort === "arrive";
  const { of } = point;
  return earlierIn(point, arrived, true)
    || (of.slots ? earlierIn(point, (one) => arrived(one) && overlap(one.of.slots, of.slots)) : null)
    || (of.ballot ? earlierIn(point, (one) => arrived(one) && one.of.ballot === of.ballot) : null);
}

// The chain that led to a point: things whose lines are drawn bold.
function chainOf(point) {
  const chain = new Set([point.of]);
  let at = point;
  for (let hops = 0; at && hops < 40; hops += 1) {
    at = causeOf(at);
    if (at) chain.add(at.of);
  }
  return chain;
}
