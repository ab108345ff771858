// The desk beside the live parts: join code, doors and run sheet, asked for when the stage changed.

const SOON_MS = 100;

/** A function that reads the desk a moment later, once for many calls, and hands it to `show`. */
export function deskReader(address, show) {
  let waiting = null;
  return () => {
    waiting ??= window.setTimeout(async () => {
      waiting = null;
      const answer = await fetch(address, { headers: { accept: "application/json" } }).catch(() => null);
      if (answer?.ok) show(await answer.json());
    }, SOON_MS);
  };
}

/** The card with code, link and picture; the picture is fetched again only for another code. */
export function showCode(live, main, view) {
  const card = document.getElementById("code");
  live.fill(card, view);
  const picture = card.querySelector("img");
  const address = `${main.dataset.picture}?${view.code}`;
  if (picture.getAttribute("src") !== address) picture.setAttribute("src", address);
}
