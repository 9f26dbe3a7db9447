// The state of a visitor's chat: the session, the chat log and the handoffs, and the pure functions that change it.
//
// The server decides what is true. `reconcile` and `applyHandoff` bring the state in line with what the server
// reports. They can be applied repeatedly and in any order, because messages are identified by their IDs and
// handoffs by their status. `parseState` accepts only well-formed data, since other versions of the widget, other
// scripts or a crash may have written the stored text.

import type { HandoffStatus, Said } from "../generated/widget";

export interface Link {
  title: string;
  url: string;
}

/** Why a message was not delivered. The view has words for each value. */
export type Fault = "network" | "server" | "credits" | "rate" | "full";

/** `key` identifies the entry in all tabs and is the idempotency key of its request. */
export interface VisitorEntry {
  kind: "visitor";
  key: string;
  text: string;
  to: "bot" | "team";
  /** The ID of the message when it went to the team, and when it was stored there. */
  id?: string;
  at?: string;
  /** The time in this browser at which the visitor wrote it. */
  wroteAt?: number;
  /** The tab that is sending the entry, while it is being sent, and since when. */
  sender?: string;
  since?: number;
  fault?: Fault;
  /** The number of times that the server refused the entry for the moment. Absent when it is not sent again by itself. */
  refusals?: number;
}

export interface BotEntry {
  kind: "bot";
  key: string;
  text: string;
  conversationId: string;
  links: Link[];
  suggestions: string[];
  answered: boolean;
  vote?: "yes" | "no";
  /** The time in this browser at which the answer arrived. */
  wroteAt?: number;
  /** The entry belongs to an earlier session, so it offers no actions. */
  isPast?: boolean;
}

export interface AgentEntry {
  kind: "agent";
  key: string;
  id: string;
  name: string | null;
  text: string;
  /** When the message was written, as the server reports it. */
  at: string | null;
}

export interface NoteEntry {
  kind: "note";
  key: string;
  text: string;
}

export type Entry = VisitorEntry | BotEntry | AgentEntry | NoteEntry;

/** The ID of the session and the token that proves it. The widget never keeps one without the other. */
export interface Session {
  id: string;
  token: string;
}

export interface ChatState {
  /** Identifies the chat. "Start again" changes it, so that late answers to an earlier chat are recognized. */
  run: string;
  session: Session | null;
  /** Whether the page has said who the visitor is, so that the chat ends when the visitor signs out. */
  isNamed: boolean;
  /** The last event that was received. */
  cursor: string | null;
  /** The last known status of each handoff, by the ID of its conversation, oldest first. */
  handoffs: Record<string, HandoffStatus>;
  /** Whether a human was asked for in this session. The widget then listens on every page. */
  listen: boolean;
  agent: string | null;
  unread: number;
  draft: string;
  entries: Entry[];
  /** The time of the newest message that was removed from the entries because there were too many. */
  trimmedAt: string | null;
  usedAt: number;
  /** The number of changes of each tab that this state contains, by the ID of the tab. */
  changes: Record<string, number>;
}

/** The lifetime of a session token on the server. An older state is useless. */
const LIFETIME_MS = 30 * 86_400_000;
const KEPT_ENTRIES = 100;
/** The server counts question and answer of a conversation as its first two messages. */
const OPENING_MESSAGES = 2;

export function emptyState(run: string, now: number): ChatState {
  return { run, session: null, isNamed: false, cursor: null, handoffs: {}, listen: false, agent: null, unread: 0, draft: "", entries: [], trimmedAt: null, usedAt: now, changes: {} };
}

/** The conversation whose handoff is open: what the visitor writes goes to the team. */
export function liveConversation({ handoffs }: ChatState): string | null {
  return Object.keys(handoffs).findLast((id) => handoffs[id] !== "RESOLVED") ?? null;
}

/** The conversations of the session that the widget shows, newest last and those with a handoff after all others. */
export function conversationsOf({ entries, handoffs }: ChatState): string[] {
  const ids = entries.flatMap((entry) => (entry.kind === "bot" && !entry.isPast ? [entry.conversationId] : []));
  return [...new Set(ids.filter((id) => !(id in handoffs))), ...Object.keys(handoffs)];
}

const isText = (value: unknown): value is string => typeof value === "string";
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const optionalText = (value: unknown) => (isText(value) ? value : null);
const STATUSES = ["REQUESTED", "ASSIGNED", "RESOLVED"];
const FAULTS = ["network", "server", "credits", "rate", "full"];

function parseEntry(raw: unknown): Entry[] {
  if (!isRecord(raw) || !isText(raw.key) || !isText(raw.text)) return [];
  const { key, text } = raw;
  if (raw.kind === "note") return [{ kind: "note", key, text }];
  if (raw.kind === "agent") return isText(raw.id) ? [{ kind: "agent", key, id: raw.id, name: optionalText(raw.name), text, at: optionalText(raw.at) }] : [];
  if (raw.kind === "visitor") {
    const entry: VisitorEntry = { kind: "visitor", key, text, to: raw.to === "team" ? "team" : "bot" };
    if (isText(raw.id)) entry.id = raw.id;
    if (isText(raw.at)) entry.at = raw.at;
    if (typeof raw.wroteAt === "number") entry.wroteAt = raw.wroteAt;
    if (isText(raw.sender) && typeof raw.since === "number") Object.assign(entry, { sender: raw.sender, since: raw.since });
    if (isText(raw.fault) && FAULTS.includes(raw.fault)) entry.fault = raw.fault as Fault;
    if (entry.fault && typeof raw.refusals === "number") entry.refusals = raw.refusals;
    return [entry];
  }
  if (raw.kind !== "bot" || !isText(raw.conversationId)) return [];
  const list = (value: unknown) => (Array.isArray(value) ? value : []);
  const links = list(raw.links).flatMap((link) => (isRecord(link) && isText(link.title) && isText(link.url) ? [{ title: link.title, url: link.url }] : []));
  const entry: BotEntry = { kind: "bot", key, text, conversationId: raw.conversationId, links, suggestions: list(raw.suggestions).filter(isText), answered: raw.answered === true };
  if (raw.vote === "yes" || raw.vote === "no") entry.vote = raw.vote;
  if (raw.isPast === true) entry.isPast = true;
  if (typeof raw.wroteAt === "number") entry.wroteAt = raw.wroteAt;
  return [entry];
}

/** Parses a stored state. Returns null for text that is not a state, or a state that is too old. */
export function parseState(text: string | null, now: number): ChatState | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text ?? "null");
  } catch {
    return null;
  }
  if (!isRecord(raw) || !isText(raw.run) || !Array.isArray(raw.entries) || typeof raw.usedAt !== "number") return null;
  if (!(now - raw.usedAt < LIFETIME_MS) || raw.usedAt > now + LIFETIME_MS) return null;
  const state = emptyState(raw.run, raw.usedAt);
  const { session, handoffs } = raw;
  if (isRecord(session) && isText(session.id) && isText(session.token) && session.id && session.token) state.session = { id: session.id, token: session.token };
  state.cursor = state.session && optionalText(raw.cursor);
  state.isNamed = raw.isNamed === true;
  if (isRecord(handoffs) && state.session) {
    for (const [id, status] of Object.entries(handoffs)) if (isText(status) && STATUSES.includes(status)) state.handoffs[id] = status as HandoffStatus;
  }
  const keys = new Set<string>();
  state.entries = raw.entries.flatMap(parseEntry).filter(({ key }) => !keys.has(key) && keys.add(key));
  state.listen = Object.keys(state.handoffs).length > 0;
  state.agent = optionalText(raw.agent);
  state.trimmedAt = optionalText(raw.trimmedAt);
  state.unread = typeof raw.unread === "number" && raw.unread > 0 ? Math.floor(raw.unread) : 0;
  state.draft = optionalText(raw.draft) ?? "";
  if (isRecord(raw.changes)) {
    for (const [tab, count] of Object.entries(raw.changes)) if (typeof count === "number") state.changes[tab] = count;
  }
  return state;
}

/** The text to store. Only the newest entries are kept, and those that were not delivered. */
export function stored(state: ChatState): string {
  const oldest = state.entries.length - KEPT_ENTRIES;
  const isKept = (entry: Entry, index: number) => index >= oldest || (entry.kind === "visitor" && (entry.fault !== undefined || entry.sender !== undefined));
  const times = state.entries.filter((entry, index) => !isKept(entry, index)).map((entry) => ("at" in entry && entry.at) || "");
  return JSON.stringify({ ...state, entries: state.entries.filter(isKept), trimmedAt: [state.trimmedAt ?? "", ...times].sort().at(-1) || null });
}

/** What a change of a handoff means for the visitor. */
export type HandoffChange = "closed" | "reopened" | null;

/** Applies the status of a handoff as the server reports it. Returns the change when the visitor should be notified. */
export function applyHandoff(state: ChatState, id: string, status: HandoffStatus): HandoffChange {
  const before = state.handoffs[id];
  delete state.handoffs[id];
  state.handoffs[id] = status;
  state.listen = true;
  if (status !== "RESOLVED") return before === "RESOLVED" ? "reopened" : null;
  if (!liveConversation(state)) state.agent = null;
  return before && before !== "RESOLVED" ? "closed" : null;
}

/** Adds a message as the server reports it. Returns the entry when it is new and from an agent. */
export function applyMessage(state: ChatState, said: Said): AgentEntry | null {
  const { entries } = state;
  if (said.author === "BOT" || entries.some((entry) => "id" in entry && entry.id === said.id)) return null;
  if (state.trimmedAt && said.createdAt <= state.trimmedAt) return null;
  if (said.author === "VISITOR") {
    const own = entries.find((entry): entry is VisitorEntry => entry.kind === "visitor" && !entry.id && entry.to === "team" && entry.text === said.text);
    if (own) markSent(own, said);
    else if (said.seq > OPENING_MESSAGES) entries.push({ kind: "visitor", key: said.id, id: said.id, at: said.createdAt, to: "team", text: said.text });
    return null;
  }
  const entry: AgentEntry = { kind: "agent", key: said.id, id: said.id, name: said.agentName, text: said.text, at: said.createdAt };
  entries.push(entry);
  if (said.agentName) state.agent = said.agentName;
  return entry;
}

export function markSent(entry: VisitorEntry, said?: Said | null): void {
  delete entry.fault;
  delete entry.sender;
  delete entry.since;
  delete entry.refusals;
  if (said) Object.assign(entry, { id: said.id, at: said.createdAt });
}

/** Ends the handoffs among `ids` whose conversation the server does not have anymore, for example because it was erased. */
export function endMissing(state: ChatState, ids: string[], found: string[]): void {
  for (const id of ids) if (!found.includes(id)) delete state.handoffs[id];
  if (!liveConversation(state)) state.agent = null;
}

/**
 * Ends a session that the server no longer accepts. The chat log stays readable, but its answers offer no
 * actions, and messages that were not delivered to the team go to the bot when they are sent again.
 */
export function endSession(state: ChatState): void {
  Object.assign(state, { session: null, cursor: null, handoffs: {}, listen: false, agent: null });
  for (const entry of state.entries) {
    if (entry.kind === "bot") entry.isPast = true;
    if (entry.kind === "visitor" && !entry.id) entry.to = "bot";
  }
}
