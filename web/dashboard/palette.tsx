// The command palette: pages and actions by their names, opened with Ctrl+K. What is not a page is searched for in the
// conversations or asked in the answer lab.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { isOfInputMethod } from "../text/keys";
import { Icon, type IconName } from "./icons";
import { go, pathOf } from "./route";

export interface Command {
  title: string;
  /** What kind of command it is, shown beside it. */
  hint: string;
  icon: IconName;
  run(): void;
}

const isOpen = signal(false);
export const openPalette = (): void => void (isOpen.value = true);
/** The shortcut as this system writes it. */
export const PALETTE_KEY = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘ K" : "Ctrl K";

/** The commands that contain all words, those that begin with the text first. */
export function matching(commands: Command[], text: string): Command[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return commands;
  const found = commands.filter(({ title, hint }) => wanted.split(/\s+/).every((word) => `${title} ${hint}`.toLowerCase().includes(word)));
  return found.sort((a, b) => Number(b.title.toLowerCase().startsWith(wanted)) - Number(a.title.toLowerCase().startsWith(wanted)));
}

export function Palette({ commands }: { commands: Command[] }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) openPalette();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return isOpen.value ? <Box commands={commands} /> : null;
}

function Box({ commands }: { commands: Command[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const words = text.value.trim();
  const found: Command[] = [...matching(commands, words), ...words ? [
    { title: `Find “${words}” in conversations`, hint: "Conversations", icon: "search" as const, run: () => go(pathOf("conversations", { q: words })) },
    { title: `Ask “${words}” in the answer lab`, hint: "Answer lab", icon: "lab" as const, run: () => go(pathOf("lab", { q: words })) },
  ] : []];
  const chosen = Math.min(at.value, found.length - 1);
  const pick = (command: Command | undefined) => {
    dialog.current?.close();
    command?.run();
  };
  const onKey = (event: KeyboardEvent) => {
    if (isOfInputMethod(event)) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      at.value = (chosen + step + found.length) % found.length;
      document.getElementById(`command-${at.value}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(found[chosen]);
    }
  };
  return (
    <dialog class="palette" ref={dialog} aria-label="Commands" onClose={() => void (isOpen.value = false)} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <input type="text" role="combobox" aria-label="Go to a page or do something" aria-expanded="true" aria-controls="commands" aria-autocomplete="list" aria-activedescendant={`command-${chosen}`}
        autofocus autocomplete="off" spellcheck={false} placeholder="Go to a page or do something…" value={text.value}
        onInput={(event) => { text.value = event.currentTarget.value; at.value = 0; }} onKeyDown={onKey} />
      <ul id="commands" role="listbox" aria-label="Commands">
        {found.map((command, i) => (
          <li key={command.title} id={`command-${i}`} role="option" aria-selected={i === chosen} onMouseMove={() => void (at.value = i)} onClick={() => pick(command)}>
            <Icon name={command.icon} /><span>{command.title}</span><span class="hint">{command.hint}</span></li>))}
      </ul>
    </dialog>
  );
}
