// What every page can do: menus, dialogs, copy buttons, toasts, forms that are sent once. The markup stands in the templates.

const GAP = 8;
const TOAST_MS = 10_000;
const COPIED_MS = 4_000;

/** Where a menu goes: right-aligned under its button, above it when there is no room, never outside the window. */
export function placeMenu(button, menu, view) {
  const room = (low, size, high) => Math.max(GAP, Math.min(low, high - size - GAP));
  const below = button.bottom + menu.height + GAP <= view.height;
  const top = below ? button.bottom : button.top - menu.height;
  return { left: room(button.right - menu.width, menu.width, view.width), top: room(top, menu.height, view.height) };
}

/** Opens `menu` at `button`, or closes it. A button with `popovertarget` needs no script for that, only for the place. */
export function toggleMenu(menu, button) {
  opener = button;
  if (menu.togglePopover) menu.togglePopover();
  else menu.toggleAttribute("data-open");
  settle(menu, button);
}

/** Where popovers are unknown, their selector is left out. */
export const isOpen = (menu) => menu.matches(":is(:popover-open, [data-open])");

let opener = null;

function onToggle(event) {
  const menu = event.target;
  if (!menu.matches?.(".menu[popover]")) return;
  settle(menu, opener ?? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`));
}

function settle(menu, button) {
  button?.setAttribute("aria-expanded", isOpen(menu));
  if (!isOpen(menu) || menu.contains(document.activeElement)) return;
  const at = placeMenu(button.getBoundingClientRect(), menu.getBoundingClientRect(), {
    width: document.documentElement.clientWidth,
    height: window.innerHeight,
  });
  menu.style.setProperty("inset", `${at.top}px auto auto ${at.left}px`);
  menu.querySelector("button:not([hidden]), a, input")?.focus();
}

/** The entry that the arrow keys go to from entry number `from` of `count`. */
export function nextEntry(key, from, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return (from + (key === "ArrowDown" ? 1 : -1) + count) % count;
}

function walkMenu(event) {
  const menu = event.target.closest?.(".menu");
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  if (event.target.matches("input, textarea, select")) return;
  const entries = [...menu.querySelectorAll("button, a")].filter((entry) => entry.offsetParent);
  event.preventDefault();
  entries[nextEntry(event.key, entries.indexOf(document.activeElement), entries.length)]?.focus();
}

function closeOthers(target) {
  for (const menu of document.querySelectorAll(".menu[data-open]")) {
    if (!menu.contains(target) && !target.closest(`[popovertarget="${CSS.escape(menu.id)}"]`)) menu.removeAttribute("data-open");
  }
}

/** Says `text` below the page, with one button if `act` is given. Stays ten seconds, longer while it is looked after. */
export function toast(text, { label = "", act = null } = {}) {
  const piece = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  piece.querySelector("[data-toast-text]").textContent = text;
  const button = piece.querySelector("button");
  button.hidden = !act;
  button.querySelector("[data-toast-label]").textContent = label;
  button.addEventListener("click", () => (leaveFrom(piece), act()));
  document.getElementById("toasts").append(piece);
  const leave = () => (piece.matches(":hover, :focus-within") ? window.setTimeout(leave, 2_000) : piece.remove());
  window.setTimeout(leave, TOAST_MS);
  return piece;
}

/** A toast that goes does not take the focus along. */
function leaveFrom(piece) {
  const held = piece.contains(document.activeElement);
  piece.remove();
  if (held) document.getElementById("main").focus({ preventScroll: true });
}

/** Puts `text` on the clipboard, also where the page has no right to it (plain http). */
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

async function copyFrom(button) {
  const source = document.querySelector(button.dataset.copy);
  await copy(source.value ?? source.textContent.trim());
  const words = button.querySelector("[data-copy-words]") ?? button;
  const before = words.textContent;
  words.textContent = button.dataset.copied;
  document.getElementById("say").textContent = button.dataset.copied;
  window.setTimeout(() => (words.textContent = before), COPIED_MS);
}

function onClick(event) {
  closeOthers(event.target);
  const button = event.target.closest?.("[popovertarget], [data-copy], [data-dialog], [data-close]");
  if (!button) return;
  if (button.hasAttribute("popovertarget")) openByButton(button);
  else if (button.dataset.copy && !button.dataset.busy) once(button, () => copyFrom(button));
  else if (button.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  else if ("close" in button.dataset) button.closest("dialog")?.close();
  if (button.matches("a[data-dialog]")) event.preventDefault();
}

function openByButton(button) {
  opener = button;
  const menu = document.getElementById(button.getAttribute("popovertarget"));
  if (!menu.togglePopover) toggleMenu(menu, button);
}

function once(button, act) {
  button.dataset.busy = "1";
  act().finally(() => window.setTimeout(() => delete button.dataset.busy, COPIED_MS));
}

/** A form with `data-once` goes out once, however often the button is tapped. Closing its dialog sends nothing. */
function sendOnce(event) {
  if (!("once" in event.target.dataset) || event.submitter?.formMethod === "dialog") return;
  if (event.target.dataset.once === "sent") event.preventDefault();
  else event.target.dataset.once = "sent";
}

function sendAgain() {
  for (const form of document.querySelectorAll('form[data-once="sent"]')) form.dataset.once = "";
}

if (typeof document !== "undefined") {
  document.addEventListener("click", onClick);
  document.addEventListener("toggle", onToggle, true);
  document.addEventListener("keydown", walkMenu);
  document.addEventListener("submit", sendOnce);
  window.addEventListener("pageshow", sendAgain);
  for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
  document.querySelector('main [aria-invalid="true"]')?.focus();
}
