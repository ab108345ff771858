// The projector page: code, clock, questions, the café map and, at the end, what all take home.

import { deskReader, showCode } from "./desk.js";
import { start } from "./live.js";
import { harvest, lead, mapSize, sums } from "./steps.js";

const NOBODY = { people: 0, seated: 0, lobby: [], tables: {} };

const LARGEST = 1;
const SMALLEST = 0.4;

/** Makes people's words smaller until everything fits: nobody can scroll a projector. */
function fit(main) {
  for (let scale = LARGEST; scale > SMALLEST; scale -= 0.1) {
    main.style.setProperty("--fit", scale.toFixed(1));
    if (main.scrollHeight <= window.innerHeight) return;
  }
}

function run(main) {
  const live = start(main);
  const desk = deskReader(main.dataset.desk, (view) => showCode(live, main, view));

  function showStage() {
    const view = lead(live.get("stage", "now"), live.now());
    main.dataset.phase = view.phase;
    for (const place of ["words-step", "word-step", "questions-step"]) live.fill(document.getElementById(place), view);
    for (const title of document.querySelectorAll("[data-title]")) title.textContent = view.title;
    showWalk();
    fit(main);
  }

  function showWalk() {
    const { phase } = lead(live.get("stage", "now"), live.now());
    live.fill(document.getElementById("walk-harvest"), { ...harvest(live.parts("gallery")), phase });
  }

  function showRoom(numbers = NOBODY) {
    const view = sums(live.parts("room"), numbers, live.stage().phase);
    live.fill(document.getElementById("cafe-sums"), view);
    if (numbers !== NOBODY) live.fill(document.getElementById("sofar-sums"), view);
    document.getElementById("cafe").dataset.size = mapSize(view.tables);
  }

  live.on("glance", showRoom);
  window.addEventListener("resize", () => fit(main));
  live.on("tick", () => fit(main)); // banners come and go
  fit(main);
  live.on("phase", showStage);
  live.on("frame", ({ s }) => {
    if (s === "stage") showStage(), desk();
    if (s === "room") showRoom();
    if (s === "gallery") showWalk(), fit(main);
  });
}

if (typeof document !== "undefined") run(document.getElementById("main"));
