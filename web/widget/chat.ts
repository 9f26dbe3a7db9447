// The visitor's chat as a state machine over the server's truth. The panel draws its state and calls its actions.
//
// Each action changes the shared state, talks to the server and applies the result to the newest state, unless the
// chat has been started again meanwhile. The state of the server is read at the start, on every reconnect and
// whenever the server contradicts what the state assumes. Connections follow from the state, in `settle`.

import type { HandoffStatus, Said } from "../generated/widget";
import type { Following, State as Connection } from "../client/src/follow";
import { isUnreachable } from "../client/src/graphql";
import { newId } from "../client/src/id";
import type { Backend, LiveEvent } from "./backend";
import { Outgoing, isRefused } from "./outgoing";
import { type AgentEntry, type BotEntry, type ChatState, type Session, applyHandoff, applyMessage, conversationsOf, emptyState, endMissing, endSession, liveConversation } from "./state";
import type { Store } from "./store";

/** Texts of notes in the chat log. */
export interface Notes {
  handoffSent: string;
  ended: string;
  reopened: string;
  newSession: string;
}

export interface Observer {
  /** The state or the connection has changed. */
  changed(): void;
  /** The text of the answer to the entry `key` so far. */
  writing(key: string, text: string): void;
  /** The bot has answered a question of this tab. */
  answered(entry: BotEntry): void;
  /** Messages of agents have arrived. */
  heard(messages: AgentEntry[]): void;
  teamTyping(isTyping: boolean): void;
  /** The team has closed a conversation. */
  closed(conversationId: string): void;
}

/** The number of conversations whose state is read at once. */
const READ_CONVERSATIONS = 10;
/** The longest wait for the server's state before a message is sent. */
const READY_MS = 5_000;
/** Delays before a request for a human is repeated after a failed connection. */
const HANDOFF_DELAYS_MS = [500, 2_000];
/** The server forgets that somebody is typing after six seconds. */
const TYPING_MS = 3_000;

export class Chat {
  connection: Connection = "live";
  isTeamHere = false;
  #isOpen = false;
  #following: Following | null = null;
  #followed = "";
  #watched = "";
  #stopWatching = () => {};
  /** The session, the page and the identity that the server knows. */
  #reported: string | undefined;
  #reading: Promise<void> | null = null;
  /** Conversations about which events arrived while the state was being read. What was read about their handoffs is older. */
  readonly #heardWhileReading = new Set<string>();
  ready: Promise<unknown> = Promise.resolve();
  readonly #outgoing: Outgoing;
  #typingAt = 0;

  readonly #store: Store;
  readonly #backend: Backend;
  readonly #notes: Notes;
  readonly #observer: Observer;

  constructor(store: Store, backend: Backend, notes: Notes, observer: Observer) {
    this.#store = store;
    this.#backend = backend;
    this.#notes = notes;
    this.#observer = observer;
    this.#outgoing = new Outgoing(store, backend, this);
  }

  get isBusy(): boolean {
    return this.#outgoing.isBusy;
  }

  get state(): ChatState {
    return this.#store.state;
  }

  /** Whether what the visitor writes goes to the team. */
  get isWithTeam(): boolean {
    return this.#backend.canSay && this.state.session !== null && liveConversation(this.state) !== null;
  }

  start(): void {
    this.#store.subscribe(() => {
      this.#settle();
      this.#outgoing.watch();
    });
    addEventListener("online", this.#onOnline);
    addEventListener("offline", this.#onOffline);
    document.addEventListener("visibilitychange", this.#onVisible);
    const read = this.read().catch(() => {});
    this.ready = Promise.race([read, new Promise((resolve) => setTimeout(resolve, READY_MS))]);
    this.#outgoing.resume();
    this.#settle();
  }

  stop(): void {
    removeEventListener("online", this.#onOnline);
    removeEventListener("offline", this.#onOffline);
    document.removeEventListener("visibilitychange", this.#onVisible);
    this.#outgoing.stop();
    this.#store.close();
    this.#following?.stop();
    this.#stopWatching();
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#settle();
  }

  get #isSeen(): boolean {
    return this.#isOpen && document.visibilityState !== "hidden";
  }

  readonly #onOnline = () => this.#following?.wake();
  readonly #onOffline = () => this.#following && this.#setConnection("waiting");
  readonly #onVisible = () => this.#settle();

  #setConnection(connection: Connection): void {
    if (connection === this.connection) return;
    this.connection = connection;
    this.#settle();
  }

  /** Brings connections and the unread count in line with the state. */
  #settle(): void {
    const { run, session, listen, unread } = this.state;
    if (this.#isSeen && unread > 0) return this.#store.update((state) => void (state.unread = 0));
    const wanted = session && (listen || this.#isOpen) ? `${run} ${session.id}` : "";
    if (wanted !== this.#followed) {
      this.#followed = wanted;
      this.#following?.stop();
      this.#following = null;
      this.connection = "live";
      if (wanted) this.#following = this.#listen(session!, run);
    }
    const live = liveConversation(this.state);
    const watched = session && live && this.connection === "live" && this.#following && document.visibilityState !== "hidden" ? live : "";
    if (watched !== this.#watched) {
      this.#watched = watched;
      this.#stopWatching();
      this.#stopWatching = watched ? this.#backend.watchTeam(session!, watched, (isTyping, isHere) => {
        this.isTeamHere = isHere;
        this.#observer.teamTyping(isTyping);
        this.#observer.changed();
      }) : () => {};
      if (!watched) this.isTeamHere = false;
    }
    this.report();
    this.#observer.changed();
  }

  /** Tells the server on which page the visitor is and who it is, when one of them has changed. Pages change both without a page load. */
  report(): void {
    const { session } = this.state;
    const who = globalThis.HelpBot?.who;
    if (session && this.#reported !== (this.#reported = session.id + location.pathname + (who && who.token))) {
      import("./extras").then((file) => file.tell(this.#backend.run, session, who, this.#store, () => this.restart())).catch(() => {});
    }
  }

  #listen(session: Session, run: string): Following | null {
    const isCurrent = () => this.state.run === run && this.state.session?.id === session.id;
    return this.#backend.follow(session, this.state.cursor, {
      event: (event) => isCurrent() && this.#hear(event),
      state: (connection) => {
        if (!isCurrent()) return;
        this.#setConnection(connection);
        if (connection === "live") void this.read().then(() => this.#outgoing.deliver(), () => {});
        // The key or the token was refused. Reading finds out which, and a new session follows from that.
        if (connection === "refused") void this.read().catch(() => {});
      },
      read: () => this.read(),
    });
  }

  /** Reads the server's state of the conversations and applies it. */
  read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => void (this.#reading = null));
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const { run, session } = this.state;
    const ids = conversationsOf(this.state).slice(-READ_CONVERSATIONS);
    if (!session || ids.length === 0) return;
    this.#heardWhileReading.clear();
    try {
      const found = await this.#backend.current(session, ids);
      if (this.state.run !== run) return;
      this.#apply((state) => {
        endMissing(state, ids, found.map(({ id }) => id));
        const current = found.filter(({ id }) => !this.#heardWhileReading.has(id));
        const open = current.filter(({ status }) => status && status !== "RESOLVED");
        for (const { id, status } of open) this.#applyHandoff(state, id, status!);
        const heard = found.flatMap(({ messages }) => messages).sort((a, b) => a.createdAt.localeCompare(b.createdAt)).map((said) => applyMessage(state, said));
        for (const { id, status } of current) if (status === "RESOLVED") this.#applyHandoff(state, id, status);
        return heard;
      });
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.loseSession(session);
    }
  }

  #hear({ cursor, conversation, conversationId, message }: LiveEvent): void {
    if (conversationId) this.#heardWhileReading.add(conversationId);
    this.#apply((state) => {
      state.cursor = cursor;
      const handoff = conversation?.handoff;
      if (handoff && handoff.status !== "RESOLVED") this.#applyHandoff(state, conversationId!, handoff.status);
      const heard = [message ? applyMessage(state, message as Said) : null];
      if (handoff?.status === "RESOLVED") this.#applyHandoff(state, conversationId!, handoff.status);
      return heard;
    });
  }

  /** Applies a change and counts and announces the new messages of agents. */
  #apply(change: (state: ChatState) => Array<AgentEntry | null>): void {
    let fresh: AgentEntry[] = [];
    this.#store.update((state) => {
      fresh = change(state).filter((entry) => entry !== null);
      if (!this.#isSeen) state.unread += fresh.length;
    });
    if (fresh.length === 0) return;
    this.#typingAt = 0;
    this.#observer.teamTyping(false);
    this.#observer.heard(fresh);
  }

  #applyHandoff(state: ChatState, id: string, status: HandoffStatus): void {
    const change = applyHandoff(state, id, status);
    if (change) this.#note(state, change === "closed" ? (this.#observer.closed(id), this.#notes.ended) : this.#notes.reopened);
  }

  #note(state: ChatState, text: string): void {
    if (text) state.entries.push({ kind: "note", key: newId(), text });
  }

  /** The server does not accept the session any more: the chat goes on in a new session and says so. */
  loseSession(session: Session): void {
    this.#store.update((state) => {
      if (state.session?.token !== session.token) return;
      const hadEntries = state.entries.some(({ kind }) => kind === "bot" || kind === "agent");
      endSession(state);
      if (hadEntries) this.#note(state, this.#notes.newSession);
    });
  }

  /** Ends this chat and begins another one. Late answers to this one are dropped. */
  restart(): void {
    const { session } = this.state;
    const live = liveConversation(this.state);
    if (session && live) this.#backend.tellTyping(session, live, false);
    this.#reading = null;
    this.#store.update((state) => void Object.assign(state, emptyState(newId(), Date.now())));
  }

  setDraft(text: string): void {
    if (text !== this.state.draft) this.#store.update((state) => void (state.draft = text));
  }

  /** Sends what the visitor wrote, to the team while a handoff is open and to the bot otherwise. */
  send(text: string): boolean {
    this.#typingAt = 0;
    return this.#outgoing.send(text);
  }

  retry(key: string): void {
    this.#outgoing.retry(key);
  }

  busyChanged(): void {
    this.#observer.changed();
  }

  writing(key: string, text: string): void {
    this.#observer.writing(key, text);
  }

  answered(entry: BotEntry): void {
    this.#observer.answered(entry);
  }

  async vote(key: string, isHelpful: boolean): Promise<void> {
    const entry = this.state.entries.find((one): one is BotEntry => one.kind === "bot" && one.key === key);
    const vote = isHelpful ? "yes" : "no";
    if (!entry || entry.vote === vote) return;
    await this.#backend.vote(this.state.session, entry.conversationId, isHelpful);
    this.#store.update((state) => {
      const own = state.entries.find((one): one is BotEntry => one.kind === "bot" && one.key === key);
      if (own) own.vote = vote;
    });
  }

  /** Asks for a human, in a new conversation when there is none. Rejects when the server does not accept the request. */
  async handoff(conversationId: string | null, email: string | null): Promise<void> {
    const { run, session } = this.state;
    this.#outgoing.setBusy(true);
    try {
      const made = await persistently(() => this.#backend.handoff(session, conversationId, email));
      if (this.state.run !== run) return;
      this.#store.update((state) => {
        state.session ??= made.session;
        if (made.id) applyHandoff(state, made.id, "REQUESTED");
        this.#note(state, this.#notes.handoffSent);
      });
    } catch (error) {
      if (session && isRefused(error)) this.loseSession(session);
      throw error;
    } finally {
      if (this.state.run === run) this.#outgoing.setBusy(false);
    }
  }

  tellTyping(): void {
    const { session } = this.state;
    const live = liveConversation(this.state);
    if (!session || !live || Date.now() - this.#typingAt < TYPING_MS) return;
    this.#typingAt = Date.now();
    this.#backend.tellTyping(session, live, true);
  }
}

/** Repeats a request that has the same effect when it is sent twice, while the connection fails for a moment. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (const delay of HANDOFF_DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreachable(error) || !navigator.onLine) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return work();
}
