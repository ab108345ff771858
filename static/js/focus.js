// The focus is never lost: when the control that was pressed gives way to another, that one gets it.

/** `heirs` are the elements that may follow, the best one last. A browser takes the focus from a hidden button only with the next picture. */
export function keepFocus(pressed, heirs) {
  if (!pressed?.closest("[hidden]") || ![document.body, pressed].includes(document.activeElement)) return;
  const shown = [...heirs].filter((heir) => heir && !heir.closest("[hidden]"));
  (shown.at(-1) ?? document.getElementById("main")).focus();
}
