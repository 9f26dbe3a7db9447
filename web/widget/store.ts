// Keeps the state of the chat in localStorage, shared live by all tabs of the site.
//
// Every change reads the stored state first and writes the result at once, so a tab never overwrites newer data with
// an old copy. Other tabs learn of a change through storage events. Where storage is not available (private windows,
// sandboxed frames) the state lives as long as the page.

import { newId } from "../live/id";
import { type ChatState, emptyState, parseState, stored } from "./state";

type Listener = () => void;

export class Store {
  state: ChatState;
  /** Identifies this tab across page loads, so that a message that a page load interrupted is sent again by its tab. */
  readonly tab: string;
  private text: string | null = null;
  private readonly listeners = new Set<Listener>();

  constructor(private readonly key: string, private readonly storage = pageStorage("localStorage"), private readonly now = Date.now) {
    this.text = this.read();
    this.state = parseState(this.text, now()) ?? emptyState(newId(), now());
    this.tab = tabId();
    globalThis.addEventListener?.("storage", this.onStorage);
  }

  /** Applies `change` to the newest state and stores the result. */
  update(change: (state: ChatState) => void): void {
    this.refresh();
    change(this.state);
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
    if (this.refresh()) this.notify();
  };

  /** Takes over the stored state when another tab has changed it. */
  private refresh(): boolean {
    const text = this.read();
    if (text === this.text || !this.storage) return false;
    this.text = text;
    // Another tab or the browser has cleared the storage: the chat begins again.
    this.state = parseState(text, this.now()) ?? emptyState(newId(), this.now());
    return true;
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
