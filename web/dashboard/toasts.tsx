// Short messages about what was done, with a way to undo it. They replace questions before an action.
//
// What the server can reverse is done at once, and `Undo` reverses it. What it cannot reverse, such as a deletion, is only
// hidden at first and done when the message ends, so that `Undo` has nothing to reverse.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { sayError } from "./ui";

/** How long a message is shown. The time stops while the pointer or the focus is on it. */
const SHOWN_MS = 8_000;
const TICK_MS = 250;
/** The number of messages that are shown at once. */
const SHOWN_MAX = 3;

interface Toast {
  id: number;
  text: string;
  leftMs: number;
  undo: (() => void) | null;
  /** What happens when the message ends without an undo. */
  end: (() => void) | null;
}

const toasts = signal<Toast[]>([]);
/** The IDs of what is deleted when its message ends. Lists leave them out. */
const removed = signal<ReadonlySet<string>>(new Set());
let count = 0;
let isHeld = false;

export const isRemoved = (id: string): boolean => removed.value.has(id);

function show(toast: Omit<Toast, "id" | "leftMs">): void {
  toasts.value = [...toasts.value, { ...toast, id: ++count, leftMs: SHOWN_MS }];
  // What an earlier message still waits to do is done when it makes room.
  toasts.value.slice(0, -SHOWN_MAX).forEach(finish);
}

const close = (toast: Toast) => void (toasts.value = toasts.value.filter(({ id }) => id !== toast.id));

/** Says that something was done. `undo` reverses it. */
export function done(text: string, undo: (() => Promise<unknown>) | null = null): void {
  show({ text, end: null, undo: undo && (() => void undo().catch((error) => show({ text: sayError(error), undo: null, end: null }))) });
}

/** Hides `id` and deletes it when the message ends. `deleteIt` runs once. */
export function remove(id: string, text: string, deleteIt: () => Promise<unknown>): void {
  const restore = () => void (removed.value = new Set([...removed.value].filter((one) => one !== id)));
  removed.value = new Set([...removed.value, id]);
  show({ text, undo: restore, end: () => void deleteIt().catch((error) => {
    restore();
    show({ text: sayError(error), undo: null, end: null });
  }) });
}

/** Loads a part of the dashboard. Says so when that fails, for example because the server was updated and has other files now. */
export function loadPart<Part>(part: Promise<Part>): Promise<Part | null> {
  return part.catch(() => {
    const text = "A part of the page could not be loaded. Reload the page.";
    if (toasts.value.every((toast) => toast.text !== text)) show({ text, undo: null, end: null });
    return null;
  });
}

function finish(toast: Toast): void {
  close(toast);
  toast.end?.();
}

/** Does at once what still waits, because the page is left. */
export const finishAll = (): void => toasts.value.forEach(finish);

export function Toasts() {
  useEffect(() => {
    const timer = setInterval(() => {
      if (isHeld || toasts.value.length === 0) return;
      for (const toast of toasts.value) toast.leftMs -= TICK_MS;
      toasts.value.filter(({ leftMs }) => leftMs <= 0).forEach(finish);
    }, TICK_MS);
    const onHide = () => document.visibilityState === "hidden" && finishAll();
    document.addEventListener("visibilitychange", onHide);
    addEventListener("pagehide", finishAll);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onHide);
      removeEventListener("pagehide", finishAll);
      finishAll();
    };
  }, []);
  const hold = (isOn: boolean) => () => void (isHeld = isOn);
  return (
    <div class="toasts" role="status" onMouseEnter={hold(true)} onMouseLeave={hold(false)} onFocusIn={hold(true)} onFocusOut={hold(false)}>
      {toasts.value.map((toast) => (
        <div key={toast.id} class="toast"><span>{toast.text}</span>
          {toast.undo && <button type="button" onClick={() => { isHeld = false; close(toast); toast.undo!(); }}>Undo</button>}
          <button type="button" aria-label="Dismiss" onClick={() => { isHeld = false; finish(toast); }}>×</button>
        </div>))}
    </div>
  );
}
