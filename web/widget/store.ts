// Keeps the state of the chat in localStorage, shared live by all tabs of the site.
//
// Every change reads the stored state first and writes the result at once, so a tab never overwrites newer data with
// an old copy. Tabs are separate processes, so two of them can still write at the same moment, and the last one wins.
// The state therefore counts the changes of each tab, and a tab whose last changes are missing applies them again.
// Every page load has an ID of its own, because a duplicated tab copies the sessionStorage of the tab. Other tabs learn of a change through storage events. Where storage is not available (private windows,
// sandboxed frames) the state lives as long as the page.

import { newId } from "../client/src/id";
import { type ChatState, emptyState, parseState, stored } from "./state";

type Listener = () => void;
type Change = (state: ChatState) => void;

/** Changes that a tab remembers, in case another tab overwrites them. The overwriting is noticed within milliseconds. */
const REMEMBERED_CHANGES = 20;
/** An older change was overwritten on purpose, or the state no longer counts the changes of this tab. */
const REMEMBERED_MS = 5_000;
/** The chat of a visitor who has not written yet. All tabs begin with it, so that they share the first question. */
const FIRST_RUN = "first";
/** Tabs whose changes the state counts. Older tabs are closed or have not changed the state for a long time. */
const COUNTED_TABS = 20;

export class Store {
  state: ChatState;
  /** Identifies this page load in this tab. No two pages have the same ID. */
  readonly tab = newId();
  /** The ID of the page load before this one in the same tab. Messages that the page load interrupted have it as their sender. */
  readonly earlierTab: string | null;
  #text: string | null = null;
  /** The number of changes that this tab has made, and the last of them with the chat that they belong to. */
  #count = 0;
  #recent: Array<{ number: number; at: number; run: string; change: Change }> = [];
  readonly #listeners = new Set<Listener>();

  readonly #key: string;
  readonly #storage: Storage | null;
  readonly #now: () => number;

  constructor(key: string, storage = pageStorage(), now = Date.now) {
    this.#key = key;
    this.#storage = storage;
    this.#now = now;
    this.#text = this.#read();
    this.state = parseState(this.#text, now()) ?? emptyState(FIRST_RUN, now());
    this.earlierTab = storage && take(this.#tabKey);
    addEventListener("storage", this.#onStorage);
    addEventListener("pagehide", this.#onLeave);
  }

  get #tabKey(): string {
    return `${this.#key}:tab`;
  }

  /** Hands the ID to the next page in this tab. While the page is open, a duplicated tab must not find it. */
  readonly #onLeave = (): void => {
    try {
      if (this.#storage) sessionStorage.setItem(this.#tabKey, this.tab);
    } catch {
      // Without storage another tab sends the messages after a while.
    }
  };

  /** Applies `change` to the newest state and stores the result. */
  update(change: Change): void {
    this.#refresh();
    this.#recent = [...this.#recent, { number: ++this.#count, at: this.#now(), run: this.state.run, change }].slice(-REMEMBERED_CHANGES);
    change(this.state);
    this.#write();
  }

  #write(): void {
    const { changes } = this.state;
    delete changes[this.tab];
    this.state.changes = Object.fromEntries([...Object.entries(changes), [this.tab, this.#count]].slice(-COUNTED_TABS));
    this.state.usedAt = this.#now();
    try {
      const text = stored(this.state);
      this.#storage?.setItem(this.#key, text);
      this.#text = text;
    } catch {
      // The storage is full or denied. The state then lives as long as the page.
    }
    this.#notify();
  }

  /** Whether other tabs of the site can read and change the state. */
  get isShared(): boolean {
    return this.#storage !== null;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    removeEventListener("storage", this.#onStorage);
    removeEventListener("pagehide", this.#onLeave);
    this.#listeners.clear();
  }

  readonly #onStorage = (event: StorageEvent): void => {
    if (event.key !== null && event.key !== this.#key) return;
    const text = this.#text;
    if (this.#refresh()) this.#write();
    else if (this.#text !== text) this.#notify();
  };

  /**
   * Takes over the stored state when another tab has changed it. Applies the changes of this tab again that the other
   * tab has overwritten, and returns whether there were any.
   */
  #refresh(): boolean {
    const text = this.#read();
    if (text === this.#text || !this.#storage) return false;
    this.#text = text;
    // Another tab or the browser has cleared the storage: the chat begins again.
    this.state = parseState(text, this.#now()) ?? emptyState(newId(), this.#now());
    const known = this.state.changes[this.tab] ?? 0;
    const lost = this.#recent.filter(({ number, at, run }) => number > known && run === this.state.run && this.#now() - at < REMEMBERED_MS);
    for (const { change } of lost) change(this.state);
    return lost.length > 0;
  }

  #read(): string | null {
    try {
      return this.#storage?.getItem(this.#key) ?? null;
    } catch {
      return null;
    }
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The local storage of the page, or null where access to it is denied. */
function pageStorage(): Storage | null {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/**
 * Reads a value of this tab and removes it, so that a copy of the tab does not have it. Browsers deny access to it exactly
 * when they deny access to the local storage.
 */
function take(key: string): string | null {
  const value = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return value;
}
