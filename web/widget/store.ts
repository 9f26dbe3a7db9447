// Keeps the state of the chat in localStorage, shared live by all tabs of the site.
//
// Every change reads the stored state first and writes the result at once, so a tab never overwrites newer data with
// an old copy. Tabs are separate processes, so two of them can still write at the same moment, and the last one wins.
// The state therefore counts the changes of each tab, and a tab whose last changes are missing applies them again.
// Other tabs learn of a change through storage events. Where storage is not available (private windows,
// sandboxed frames) the state lives as long as the page.

import { newId } from "../client/src/id";
import { type ChatState, emptyState, parseState, stored } from "./state";

type Listener = () => void;
type Change = (state: ChatState) => void;

/** Changes that a tab remembers, in case another tab overwrites them. The overwriting is noticed within milliseconds. */
const REMEMBERED_CHANGES = 20;
/** The chat of a visitor who has not written yet. All tabs begin with it, so that they share the first question. */
const FIRST_RUN = "first";
/** Tabs whose changes the state counts. Older tabs are closed or have not changed the state for a long time. */
const COUNTED_TABS = 20;

export class Store {
  state: ChatState;
  /** Identifies this tab across page loads, so that a message that a page load interrupted is sent again by its tab. */
  readonly tab: string;
  private text: string | null = null;
  /** The number of changes that this tab has made, and the last of them with the chat that they belong to. */
  private count = 0;
  private recent: Array<{ number: number; run: string; change: Change }> = [];
  private readonly listeners = new Set<Listener>();

  constructor(private readonly key: string, private readonly storage = pageStorage("localStorage"), private readonly now = Date.now) {
    this.text = this.read();
    this.state = parseState(this.text, now()) ?? emptyState(FIRST_RUN, now());
    this.tab = tabId();
    this.count = this.state.changes[this.tab] ?? 0;
    globalThis.addEventListener?.("storage", this.onStorage);
  }

  /** Applies `change` to the newest state and stores the result. */
  update(change: Change): void {
    this.refresh();
    this.recent = [...this.recent, { number: ++this.count, run: this.state.run, change }].slice(-REMEMBERED_CHANGES);
    change(this.state);
    this.write();
  }

  private write(): void {
    const { changes } = this.state;
    delete changes[this.tab];
    this.state.changes = Object.fromEntries([...Object.entries(changes), [this.tab, this.count]].slice(-COUNTED_TABS));
    this.state.usedAt = this.now();
    try {
      const text = stored(this.state);
      this.storage?.setItem(this.key, text);
      this.text = text;
    } catch {
      // The storage is full or denied. The state then lives as long as the page.
    }
    this.notify();
  }

  /** Whether other tabs of the site can read and change the state. */
  get isShared(): boolean {
    return this.storage !== null;
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    globalThis.removeEventListener?.("storage", this.onStorage);
    this.listeners.clear();
  }

  private readonly onStorage = (event: StorageEvent): void => {
    if (event.key !== null && event.key !== this.key) return;
    const text = this.text;
    if (this.refresh()) this.write();
    else if (this.text !== text) this.notify();
  };

  /**
   * Takes over the stored state when another tab has changed it. Applies the changes of this tab again that the other
   * tab has overwritten, and returns whether there were any.
   */
  private refresh(): boolean {
    const text = this.read();
    if (text === this.text || !this.storage) return false;
    this.text = text;
    // Another tab or the browser has cleared the storage: the chat begins again.
    this.state = parseState(text, this.now()) ?? emptyState(newId(), this.now());
    const known = this.state.changes[this.tab] ?? 0;
    const lost = this.recent.filter(({ number, run }) => number > known && run === this.state.run);
    for (const { change } of lost) change(this.state);
    return lost.length > 0;
  }

  private read(): string | null {
    try {
      return this.storage?.getItem(this.key) ?? null;
    } catch {
      return null;
    }
  }

  private notify(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** A storage of the page, or null where access to it is denied. */
function pageStorage(name: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return globalThis[name];
  } catch {
    return null;
  }
}

const TAB_KEY = "helpbot:tab";

function tabId(): string {
  const storage = pageStorage("sessionStorage");
  try {
    const known = storage?.getItem(TAB_KEY);
    if (known) return known;
    const made = newId();
    storage?.setItem(TAB_KEY, made);
    return made;
  } catch {
    return newId();
  }
}
