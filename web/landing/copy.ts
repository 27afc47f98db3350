// A button that copies a text, also where the browser has no clipboard for pages: those of http, which a lab
// host's are, have none.

import { el } from "../shared/dom.ts";

/** How long the button says that it has copied, in ms. */
const SAY_MS = 2000;

/** Makes a button that copies `text`; `what` says to those who don't see it what that is. */
export function copyButton(text: string, what: string): HTMLButtonElement {
  const button = el("button", { type: "button", "aria-label": `Copy: ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    const isCopied = await copy(text, button);
    button.textContent = isCopied ? "Copied" : "Select it and press Ctrl-C";
    setTimeout(() => button.textContent = "Copy", SAY_MS);
  });
  return button;
}

/** Copies a text; says whether that worked. `near` is in the part of the page that has the focus. */
async function copy(text: string, near: Element): Promise<boolean> {
  try {
    // Missing on http pages, and refused without the person's permission.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, near);
  }
}

function copyBySelection(text: string, near: Element): boolean {
  const field = el("textarea", { class: "unseen", readonly: true, "aria-hidden": "true", tabindex: -1 });
  field.value = text;
  near.after(field);
  field.focus({ preventScroll: true }); // what is selected without the focus is not copied
  field.select();
  // Deprecated, and the only way without https.
  const isCopied = document.execCommand("copy");
  field.remove();
  if (near instanceof HTMLElement) near.focus();
  return isCopied;
}
