// Keyboard shortcuts of the inbox, with a help sheet that lists them. They do nothing while somebody types.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { isOfInputMethod } from "../text/keys";
import { Act } from "./ui";

export interface Shortcut {
  key: string;
  text: string;
  run(): void;
}

const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/** Runs the shortcut for a key. `?` opens the help sheet. */
export function Shortcuts({ list }: { list: Shortcut[] }) {
  const isShown = useSignal(false);
  const current = useRef(list);
  current.current = list;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isOfInputMethod(event) || isTyping(event.target)) return;
      const found = event.key === "?" ? { run: () => void (isShown.value = true) } : current.current.find(({ key }) => key === event.key);
      if (!found || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      found.run();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button type="button" class="quiet" onClick={() => void (isShown.value = true)}><Act icon="keyboard">Shortcuts</Act></button>
      {isShown.value && <Sheet list={list} onClose={() => void (isShown.value = false)} />}
    </>
  );
}

function Sheet({ list, onClose }: { list: Shortcut[]; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="shortcuts" onClose={onClose}>
      <h2 id="shortcuts">Keyboard shortcuts</h2>
      <dl class="keys">{[...list, { key: "?", text: "Show this list" }].map(({ key, text }) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{text}</dd></div>)}</dl>
      <form method="dialog"><button type="submit" class="solid">Close</button></form>
    </dialog>
  );
}
