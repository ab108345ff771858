// What the plan comes to while it is typed; twin of tables/forms/preview.py (tests/vectors/preview.json holds both to it).

const CHANGE = 5; // minutes people need to find a seat
const WALK = 20; // minutes of gallery walk
const DAY = 24 * 60;

/** Plain digits as a number, 0 for anything else. */
export function number(typed) {
  return /^[0-9]{1,4}$/.test(typed.trim()) ? Number(typed) : 0;
}

/** The values of the preview. `starts` as in a datetime-local field; `rows` are the seats typed for single tables. */
export function preview({ starts, sessions, tables, seats, rows }) {
  const caps = Array.from({ length: number(tables) }, (_, i) => number(rows[i] ?? "") || number(seats));
  return {
    steps: steps(starts, sessions),
    cap: number(seats),
    tables: caps.length,
    even: new Set(caps).size === 1,
    sum: caps.reduce((sum, cap) => sum + cap, 0),
  };
}

function steps(starts, sessions) {
  let at = minutesOf(starts);
  const row = (what, session, title, minutes) => {
    const step = { what, session, title, at: clock(at) };
    at += minutes;
    return step;
  };
  return [
    row("lobby", null, "", 0),
    ...sessions.flatMap(({ title, minutes }, i) => [
      row(i ? "change" : "seats", i + 1, "", CHANGE),
      row("talk", i + 1, title.trim(), number(minutes)),
    ]),
    row("gallery", null, "", WALK),
    row("closed", null, "", 0),
  ];
}

function minutesOf(starts) {
  const found = /T(\d\d):(\d\d)/.exec(starts);
  return found ? Number(found[1]) * 60 + Number(found[2]) : 17 * 60 + 30;
}

function clock(minutes) {
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor((minutes % DAY) / 60))}:${two(minutes % 60)}`;
}
