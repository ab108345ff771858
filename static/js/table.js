// A table: its notes arrive as parts; this wires what people do with them.

import { start } from "./live.js";
import { Asked } from "./asked.js";
import { composers } from "./composer.js";
import { drag } from "./drag.js";
import { toggle } from "./fill.js";
import { layOutInTime } from "./laid.js";
import { noteMenu } from "./notemenu.js";

function table(main) {
  const live = start(main);
  const stream = main.dataset.ownStream;
  const board = Number(stream.split(":")[1]);
  const can = {
    move: () => live.me.role === "moderator" || (live.stage()?.phase === "running" && live.me.seat?.board === board),
  };

  const asked = new Asked({
    shown: [...main.querySelectorAll("[data-question]")].map(({ dataset }) => Number(dataset.question)),
    session: Number(main.dataset.ownSession),
    open: () => live.turns.open(),
  });
  const ownTable = () => live.parts("room").find((part) => part.table === Number(main.dataset.ownTable));

  /** Names and questions can be corrected while people sit here. */
  function look() {
    const own = ownTable();
    if (own) for (const place of document.querySelectorAll("[data-table-called]")) setText(place, own.name);
    for (const { id, text } of [...(live.stage()?.questions ?? []), ...(own?.questions ?? [])]) {
      for (const place of document.querySelectorAll(`[data-question-text="${id}"]`)) setText(place, text);
    }
    const hidden = document.getElementById("hidden");
    toggle(hidden.closest("section"), hidden.querySelector("[data-part]"));
  }

  async function move(note, after, q) {
    const { ok } = await live.send(stream, "note.move", { note, after, ...(q && { q }) });
    if (ok) live.tell("moved", {});
  }

  composers(live, main, stream);
  noteMenu(live, main, { stream, can, move });
  drag(main, { can, move });
  live.on("frame", ({ s }) => s !== stream && look());
  live.on("tick", ({ stage }) => asked.look(stage, ownTable()));
  look();
  layOutInTime([...main.querySelectorAll("[data-by]")]);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

if (typeof document !== "undefined") table(document.getElementById("main"));
