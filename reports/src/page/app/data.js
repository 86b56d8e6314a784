// What the page knows, as points in the order of their numbers, and which of them are wanted.

const page = JSON.parse(byId("data").textContent);
const isReplica = (lane) => page.lanes[lane] !== undefined && page.lanes[lane].sort === "replica";
const laneName = (lane) => (page.lanes[lane] === undefined ? "?" : page.lanes[lane].name);
const hasReplicas = page.lanes.some((lane) => lane.sort === "replica");

const messages = page.messages.map(([from, to, kind, sent, delivered, slots, ballot]) => (
  { from, to, kind: page.kinds[kind], sent, delivered, slots, ballot: page.ballots[ballot] }));
const happenings = page.happenings.map(([at, lane, kind, slot, text, changes]) => (
  { at, lane, kind: page.kinds[kind], slots: slot === null ? null : [slot, slot], text, changes }));
const operations = page.operations;

// Everything that happens is a point: {sort, number, time, lane, of}.
const points = [];
for (const of of messages) {
  if (of.sent) points.push({ sort: "send", number: of.sent[0], time: of.sent[1], lane: of.from, of });
  of.delivered.forEach(([number, time], copy) => (
    points.push({ sort: "arrive", number, time, lane: of.to, of, copy })));
}
for (const of of happenings) {
  points.push({ sort: "happen", number: of.at[0], time: of.at[1], lane: of.lane, of });
}
for (const of of operations) {
  points.push({ sort: "call", number: of.call[0], time: of.call[1], lane: of.lane, of });
  if (of.ret) points.push({ sort: "return", number: of.ret[0], time: of.ret[1], lane: of.lane, of });
}
points.sort((one, two) => one.number - two.number);

const operationById = new Map(operations.map((one) => [one.id, one]));
const explanation = page.explanation || null;
const stuck = explanation ? operationById.get(explanation.operation) : undefined;

// Colours by kind, in the order in which kinds come; what comes again and again is grey.
// Messages come first, then operations, then all else.
const order = (point) => (point.sort === "happen" ? 2 : point.sort === "call" || point.sort === "return" ? 1 : 0);
const kindsSeen = [...new Set([0, 1, 2].flatMap((rank) => (
  points.filter((point) => order(point) === rank).map((point) => kindOf(point)))))];
const quiet = (kind) => kind.startsWith("heartbeat") || kind === "request" || kind === "reply";
const hueOf = new Map();
for (const kind of kindsSeen.filter((kind) => !quiet(kind))) hueOf.set(kind, hueOf.size % 7);
const hue = (kind) => (hueOf.has(kind) ? hueOf.get(kind) : 7);

function kindOf(point) {
  return point.sort === "call" || point.sort === "return" ? "operation" : point.of.kind;
}

// The slots that ordered operations on each key; a read is ordered by none.
const slotsOfKey = new Map();
for (const one of operations) {
  if (one.key === undefined) continue;
  if (!slotsOfKey.has(one.key)) slotsOfKey.set(one.key, new Set());
  if (one.slot !== undefined && !one.text.startsWith("read")) slotsOfKey.get(one.key).add(one.slot);
}

// What is asked for; null, or empty, asks for nothing in particular.
const filter = { slot: null, key: null, node: null, kinds: new Set() };
const isFiltered = () => (
  filter.slot !== null || filter.key !== null || filter.node !== null || filter.kinds.size > 0);

function inSlots(of, slot) {
  if (of.slot !== undefined) return of.slot === slot;
  return Boolean(of.slots) && of.slots[0] <= slot && slot <= of.slots[1];
}

function onKey(of, key) {
  if (of.call) return of.key === key;
  if (!of.slots) return false;
  for (let slot = of.slots[0]; slot <= Math.min(of.slots[1], of.slots[0] + 1000); slot += 1) {
    if (slotsOfKey.get(key).has(slot)) return true;
  }
  return false;
}

function isWanted(point) {
  const { of } = point;
  if (filter.kinds.size > 0 && !filter.kinds.has(kindOf(point))) return false;
  if (filter.slot !== null && !inSlots(of, filter.slot)) return false;
  if (filter.key !== null && !onKey(of, filter.key)) return false;
  if (filter.node === null) return true;
  if (of.from !== undefined) return of.from === filter.node || of.to === filter.node;
  return point.lane === filter.node;
}

// The points that are wanted, in order, with their ranks.
let wanted = [];
let wantedOf = new Set();

function sift() {
  wanted = points.filter(isWanted);
  wantedOf = new Set(wanted.map((point) => point.of));
  wanted.forEach((point, rank) => { point.rank = rank; });
}

// The first place in a sorted list from which on `isBehind` holds.
function firstWhere(list, isBehind) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBehind(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

const seconds = (time) => (time / 1e9).toFixed(6);
// A history of somebody else has one clock, and its unit is not known.
const whenOf = (number, time) => (hasReplicas ? `${seconds(time)} s #${number}` : `at ${number}`);

function slotsText(slots) {
  if (!slots) return "";
  return slots[0] === slots[1] ? ` slot ${slots[0]}` : ` slots ${slots[0]} to ${slots[1]}`;
}

// A point in words.
function textOf(point) {
  const { of } = point;
  const at = point.lane === null || point.lane === undefined ? "" : laneName(point.lane) + " ";
  const ballot = of.ballot ? ` ${of.ballot}` : "";
  switch (point.sort) {
    case "send": {
      const fate = of.delivered.length === 0 ? ", which does not come here" : "";
      return `${at}sends ${laneName(of.to)} ${of.kind}${ballot}${slotsText(of.slots)}${fate}`;
    }
    case "arrive": {
      const again = point.copy > 0 ? " again" : "";
      return `${at}gets${again} from ${laneName(of.from)} ${of.kind}${ballot}${slotsText(of.slots)}`;
    }
    case "happen": return at + of.text;
    case "call": return `${at}asks${onKeyText(of)}: ${of.text}`;
    default: return `${at}hears${onKeyText(of)}: ${of.text}`;
  }
}

const onKeyText = (of) => (of.key === undefined ? "" : ` on ${of.key}`);
