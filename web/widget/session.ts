// A visitor's session: who it is to the server, what was said, and where the live stream stands.
//
// Kept in localStorage so that it lives across the pages of a shop; forgotten after a day without use.
// Where storage is denied (private windows, sandboxed frames) it lives as long as the page.

export interface Link {
  title: string;
  url: string;
}

/** `key` makes sending again safe: the server answers the same key with the same answer. `failed` says on the way to whom. */
export type Entry =
  | { kind: "visitor"; text: string; key: string; id?: string; failed?: "bot" | "agent" }
  | { kind: "bot"; text: string; conversationId: string; links: Link[]; suggestions: string[]; answered: boolean; vote?: "yes" | "no" }
  | { kind: "agent"; id: string; name: string | null; text: string }
  | { kind: "note"; text: string };

export interface Session {
  sessionId: string | null;
  sessionToken: string | null;
  cursor: string | null;
  /** The conversation that a human was asked into, while it is open. */
  live: string | null;
  agent: string | null;
  unread: number;
  entries: Entry[];
  usedAt: number;
}

const DAY_MS = 86_400_000;
const KEPT_ENTRIES = 60;

export function emptySession(now: number): Session {
  return { sessionId: null, sessionToken: null, cursor: null, live: null, agent: null, unread: 0, entries: [], usedAt: now };
}

export function loadSession(storage: Storage | null, key: string, now: number): Session {
  try {
    const kept = JSON.parse(storage?.getItem(key) ?? "null") as Session | null;
    if (kept && Array.isArray(kept.entries) && now - kept.usedAt < DAY_MS) return { ...emptySession(now), ...kept };
  } catch {
    // Unreadable is as good as none.
  }
  return emptySession(now);
}

export function saveSession(storage: Storage | null, key: string, session: Session, now: number): void {
  session.usedAt = now;
  session.entries = session.entries.slice(-KEPT_ENTRIES);
  try {
    storage?.setItem(key, JSON.stringify(session));
  } catch {
    // Full or denied: the session then lasts as long as the page.
  }
}

/** The page's localStorage, or null where even asking for it throws. */
export function pageStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
