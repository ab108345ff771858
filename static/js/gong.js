// The gong, struck by the page itself: no sound file, no request. Browsers allow sound after a tap only.

import { recall, remember } from "./platform.js";

const PARTIALS = [[1, 0.5, 5], [1.52, 0.3, 3.6], [2.34, 0.22, 2.6], [3.1, 0.12, 1.8], [4.65, 0.07, 1]];
const PITCH = 146;
const WISH = "zc-ring";
const TAPS = ["pointerup", "keydown"]; // what browsers take for a wish of a person, by mouse, finger and keyboard

let audio = null;
let lock = null;

/**
 * Wires the buttons "Ring for me": one tap is enough for the whole event, the next page goes on with the first tap on it.
 * `always`: console and projector ring without them, as far as the browser lets them.
 */
export function readyGong(always) {
  if (!globalThis.AudioContext) return;
  if (always || recall(WISH)) goOn();
  document.addEventListener("visibilitychange", () => lock && !document.hidden && keepAwake());
  for (const button of buttons()) {
    button.hidden = false;
    button.addEventListener("click", () => press(button));
  }
}

function buttons() {
  return document.querySelectorAll("[data-ring]");
}

function show(on) {
  for (const button of buttons()) button.setAttribute("aria-pressed", on);
}

/** Rings from now on, or from the first tap anywhere. */
function goOn() {
  const tapped = async ({ target } = {}) => {
    if (target?.closest?.("[data-ring]")) return stop();
    await wake();
    if (audio?.state !== "running") return undefined;
    show(true);
    return stop();
  };
  const stop = () => TAPS.forEach((name) => document.removeEventListener(name, tapped));
  for (const name of TAPS) document.addEventListener(name, tapped);
  keepAwake();
  tapped();
}

/** Makes sound possible; some browsers take a moment for it, all want a tap. */
function wake() {
  audio ??= new AudioContext();
  return audio.resume().catch(() => {});
}

/** On with a soft stroke to hear it, and the screen stays awake; off again with the next tap. */
async function press(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  show(on);
  remember(WISH, on ? "1" : "");
  if (!on) return rest();
  keepAwake();
  await wake();
  return strike(0.3);
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
