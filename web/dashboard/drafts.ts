// What an agent has written but not sent: a draft and the unsent lines of each conversation. They survive switching
// conversations and reloading the tab, and they are removed at sign-out. Without storage they live as long as the page.

import { type Outbox, type Unsent, outbox } from "./outbox";

const PREFIX = "helpbot:writing:";

const storage = (): Storage | null => {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
};

function read<T>(name: string): T | null {
  try {
    return JSON.parse(storage()?.getItem(PREFIX + name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value) storage()?.setItem(PREFIX + name, JSON.stringify(value));
    else storage()?.removeItem(PREFIX + name);
  } catch {
    // The storage is full or denied. The text then lives as long as the page.
  }
}

const drafts = new Map<string, string>();

export const draftOf = (id: string): string => drafts.get(id) ?? read<string>(`draft:${id}`) ?? "";

export function keepDraft(id: string, text: string): void {
  drafts.set(id, text);
  write(`draft:${id}`, text);
}

/** The name of the draft of a note about a conversation. */
export const noteOf = (id: string): string => `note:${id}`;

const outboxes = new Map<string, Outbox>();

const isUnsent = (line: unknown): line is Unsent =>
  typeof line === "object" && line !== null && typeof (line as Unsent).key === "string" && typeof (line as Unsent).text === "string";

/** The outbox of a conversation, which outlives the page that shows it. */
export function outboxOf(id: string, send: (text: string, key: string) => Promise<void>, explain: (error: unknown) => string): Outbox {
  const known = outboxes.get(id);
  if (known) return known;
  const lines = read<unknown[]>(`unsent:${id}`);
  const made = outbox(send, explain, { lines: Array.isArray(lines) ? lines.filter(isUnsent) : [], save: (all) => write(`unsent:${id}`, all.length ? all : null) });
  outboxes.set(id, made);
  return made;
}

/** The conversations that had unsent lines when the tab was reloaded. */
export function unsentConversations(): string[] {
  const store = storage();
  const names = Array.from({ length: store?.length ?? 0 }, (_, i) => store!.key(i) ?? "");
  return names.filter((name) => name.startsWith(`${PREFIX}unsent:`)).map((name) => name.slice(`${PREFIX}unsent:`.length));
}

/** Sends again the lines of all conversations that only lacked a connection. */
export function sendAllAgain(): void {
  for (const one of outboxes.values()) one.again();
}

export function forgetWriting(): void {
  outboxes.clear();
  drafts.clear();
  const store = storage();
  const names = Array.from({ length: store?.length ?? 0 }, (_, i) => store!.key(i) ?? "");
  for (const name of names) if (name.startsWith(PREFIX)) store!.removeItem(name);
}
