// The gong, struck by the page itself: no sound file, no request. Browsers allow sound after a tap only.

const PARTIALS = [[1, 0.5, 5], [1.52, 0.3, 3.6], [2.34, 0.22, 2.6], [3.1, 0.12, 1.8], [4.65, 0.07, 1]];
const PITCH = 146;

let audio = null;
let lock = null;

/** Wires the buttons "Ring for me". `always`: console and projector ring without them, as far as the browser lets them. */
export function readyGong(always) {
  if (!globalThis.AudioContext) return;
  if (always) keepAwake();
  if (always) wake();
  if (always) document.addEventListener("pointerdown", wake, { once: true });
  document.addEventListener("visibilitychange", () => lock && !document.hidden && keepAwake());
  for (const button of document.querySelectorAll("[data-ring]")) {
    button.hidden = false;
    button.addEventListener("click", () => press(button));
  }
}

/** Makes sound possible; browsers want a tap for it. */
function wake() {
  audio ??= new AudioContext();
  audio.resume().catch(() => {});
}

/** On with a soft stroke to hear it, and the screen stays awake; off again with the next tap. */
function press(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  if (!on) return rest();
  wake();
  strike(0.3);
  return keepAwake();
}

function rest() {
  audio?.close();
  audio = null;
  lock?.release().catch(() => {});
  lock = null;
}

/** Keeps the screen on; browsers offer it under https only. */
async function keepAwake() {
  try {
    lock = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    lock = null;
  }
}

export function strike(volume = 1) {
  if (audio?.state !== "running") return false;
  const start = audio.currentTime;
  for (const [ratio, gain, seconds] of PARTIALS) {
    const tone = new OscillatorNode(audio, { frequency: PITCH * ratio });
    const fade = new GainNode(audio, { gain: 0 });
    fade.gain.linearRampToValueAtTime(gain * volume, start + 0.01);
    fade.gain.exponentialRampToValueAtTime(0.0001, start + seconds);
    tone.connect(fade).connect(audio.destination);
    tone.start(start);
    tone.stop(start + seconds);
  }
  return true;
}
