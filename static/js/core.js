// The live protocol without a browser: what a frame changes and what is to be done about it. Pure; sync.md is the law,
// tests/vectors/core.json shows it at work. Times are ms on this machine's clock.

const BEGINNING = -1; // a cursor that cannot be: the server answers it with a reset
const SEEN_MS = 1_000;
const JITTER_MS = [500, 8_000];
const QUICK_MS = [500, 2_000];
const LOST_MS = [500, 4_000];
const QUICK_TRIES = 3;
const STRIKE_MS = 5_000;
const TOO_FAST_MS = [30_000, 40_000];

/** The state of a page: `streams` gives each followed stream's cursor, as they stand in the page. */
export function begin({ epoch = null, streams = {} }) {
  const each = Object.entries(streams).map(([s, cursor]) => [s, { cursor, stale: false, lacking: null }]);
  return { epoch, window: 256, streams: Object.fromEntries(each), handled: 0, told: 0, toldAt: 0, bye: null };
}

/** `input` is {t: "open"} or {t: "frame", frame, now}. */
export function step(state, input) {
  if (input.t === "open") return open(state);
  const frame = input.frame;
  const handle = Object.hasOwn(FRAMES, frame.t) ? FRAMES[frame.t] : () => ({ state, effects: [] });
  const after = handle(state, frame);
  return confirm(after.state, after.effects, input.now);
}

/** What was counted or asked for on another socket does not matter on this one. */
function open(state) {
  const each = Object.entries(state.streams).map(([s, stream]) => [s, { ...stream, lacking: null }]);
  const fresh = { ...state, streams: Object.fromEntries(each), handled: 0, told: 0, toldAt: 0, bye: null };
  return { state: fresh, effects: [send(hello(fresh))] };
}

export function hello(state) {
  const streams = Object.fromEntries(Object.entries(state.streams).map(([s, { cursor }]) => [s, cursor]));
  return { t: "hello", v: 1, ...(state.epoch && { epoch: state.epoch }), streams };
}

const FRAMES = { welcome, parts, ack, err, beat, pong, end, bye, glance };

/** Another epoch: nothing that is known counts. Until its first frame has come the server is asked to begin anew. */
function welcome(state, frame) {
  const other = state.epoch !== null && state.epoch !== frame.epoch;
  const names = other ? Object.keys(state.streams) : [];
  const streams = names.reduce((all, s) => ({ ...all, [s]: { cursor: BEGINNING, stale: true, lacking: null } }), state.streams);
  const limits = frame.limits ?? {};
  return {
    state: { ...state, epoch: frame.epoch, window: limits.window ?? state.window, streams },
    effects: [
      ...names.map((s) => ({ do: "stale", s })),
      { do: "clock", now: frame.now },
      { do: "welcome", me: frame.me, limits },
    ],
  };
}

function parts(state, frame) {
  const counted = { ...state, handled: state.handled + 1 };
  const before = state.streams[frame.s];
  if (!before) return { state: counted, effects: [] };
  const stream = frame.reset ? { cursor: frame.from, stale: true, lacking: null } : before;
  const effects = frame.reset ? [{ do: "stale", s: frame.s }] : [];
  if (stream.cursor < frame.from) return behind(counted, frame.s, stream);
  if (stream.cursor < frame.to || frame.reset) effects.push({ do: "put", s: frame.s, parts: frame.parts });
  const cursor = Math.max(stream.cursor, frame.to);
  const whole = stream.stale && cursor >= frame.head;
  if (whole) effects.push({ do: "drop", s: frame.s });
  return { state: withStream(counted, frame.s, { cursor, stale: stream.stale && !whole, lacking: null }), effects };
}

/** Something is missing before this frame: asks once from the own cursor; the beat asks again. */
function behind(state, s, stream) {
  const asked = stream.lacking === stream.cursor;
  const effects = asked ? [] : [send({ t: "sub", s, after: stream.cursor })];
  return { state: withStream(state, s, { ...stream, lacking: stream.cursor }), effects };
}

function ack(state, { id, s, seq, dup }) {
  return { state, effects: [{ do: "answer", id, ok: true, s, seq, ...(dup && { dup }) }] };
}

function err(state, { id, code, text, retry, after_ms, part }) {
  if (!id) return { state, effects: retry ? [] : [{ do: "complain", code, text }] }; // no last word about anything
  const more = { ...(after_ms !== undefined && { after_ms }), ...(part && { part }) };
  return { state, effects: [{ do: "answer", id, ok: false, code, text, retry: Boolean(retry), ...more }] };
}

/** A stream that lacks something at two beats in a row, with nothing come in between, is asked for. */
function beat(state, frame) {
  const effects = [{ do: "clock", now: frame.now }];
  let next = state;
  for (const [s, head] of Object.entries(frame.heads ?? {})) {
    const stream = state.streams[s];
    if (!stream) continue;
    const lacks = head !== stream.cursor;
    if (lacks && (head < stream.cursor || stream.lacking === stream.cursor)) {
      effects.push(send({ t: "sub", s, after: stream.cursor }));
    }
    next = withStream(next, s, { ...stream, lacking: lacks ? stream.cursor : null });
  }
  return { state: next, effects };
}

function pong(state, { c, now }) {
  return { state, effects: [{ do: "clock", now, sent: c }] };
}

function end(state, { s, code }) {
  const { [s]: _, ...streams } = state.streams;
  return { state: { ...state, streams }, effects: [{ do: "end", s, code }] };
}

function bye(state, { retry_ms }) {
  return { state: { ...state, bye: retry_ms }, effects: [{ do: "bye" }] };
}

function glance(state, frame) {
  return { state, effects: [{ do: "glance", frame }] };
}

/** `seen` is said here, by the handler of a message: at once when half the window is open, else once a second. */
function confirm(state, effects, now) {
  const open = state.handled - state.told;
  const due = open >= state.window / 2 || (open > 0 && Math.abs(now - state.toldAt) >= SEEN_MS);
  if (!due) return { state, effects };
  const told = { ...state, told: state.handled, toldAt: now };
  return { state: told, effects: [...effects, send({ t: "seen", n: state.handled })] };
}

/** What a closed socket means: {in: ms} come back then, {stop: why} or {reload: true}. `random` is in [0, 1), `failed` counts tries in vain. */
export function comeback(code, { random, again = false, bye = null, failed = 0 }) {
  const within = ([low, high]) => ({ in: Math.round(low + random * (high - low)) });
  if (code === 4400 || code === 4413) return again ? { stop: "reload" } : { in: STRIKE_MS };
  if (code === 4426) return again ? { stop: "reload" } : { reload: true };
  const stops = { 4401: "join", 4403: "removed", 4404: "gone", 4409: "tabs" };
  if (stops[code]) return { stop: stops[code] };
  if (code === 4408) return within(QUICK_MS);
  if (code === 4429) return within(TOO_FAST_MS);
  if (bye !== null) return { in: Math.round(bye + random * 1_000) };
  return within(code !== 1006 ? JITTER_MS : failed < QUICK_TRIES ? QUICK_MS : LOST_MS);
}

function send(frame) {
  return { do: "send", frame };
}

function withStream(state, s, stream) {
  return { ...state, streams: { ...state.streams, [s]: stream } };
}
