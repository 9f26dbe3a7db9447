// The visitor's chat as a state machine over the server's truth. The panel draws its state and calls its actions.
//
// Each action changes the shared state, talks to the server and applies the result to the newest state, unless the
// chat has been started again meanwhile. The state of the server is read at the start, on every reconnect and
// whenever the server contradicts what the state assumes. Connections follow from the state, in `settle`.

import type { HandoffStatus, Said } from "../generated/widget";
import type { Following, State as Connection } from "../live/follow";
import { ApiError, NetworkError } from "../live/graphql";
import { newId } from "../live/id";
import type { Answer, Backend, LiveEvent } from "./backend";
import {
  type AgentEntry, type BotEntry, type ChatState, type Entry, type Fault, type Session, type VisitorEntry,
  applyHandoff, applyMessage, conversationsOf, emptyState, endSession, liveConversation, markSent,
} from "./state";
import type { Store } from "./store";

/** Texts of notes in the transcript. */
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
}

/** The number of conversations whose state is read at once. */
const READ_CONVERSATIONS = 10;
/** The longest wait for the server's state before a message is sent. */
const READY_MS = 5_000;
/** A message of another tab that is not sent by then was interrupted, for example by closing the tab. */
const INTERRUPTED_MS = 60_000;
/** The longest wait for another tab that begins the session. */
const FIRST_QUESTION_MS = 20_000;
/** Delays before a request for a human is repeated after a failed connection. */
const HANDOFF_DELAYS_MS = [500, 2_000];
/** The server forgets that somebody is typing after six seconds. */
const TYPING_MS = 3_000;

/** Another tab sends a message within this time, or its tab was closed and this one sends it. */
const TAKEOVER_MS = 8_000;

const isUndelivered = (entry: Entry): entry is VisitorEntry =>
  entry.kind === "visitor" && entry.to === "team" && !entry.id && (entry.sender !== undefined || entry.fault === "network" || entry.fault === "rate");

const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : "");
const isRefused = (error: unknown) => codeOf(error) === "UNAUTHENTICATED";

export class Chat {
  connection: Connection = "live";
  isBusy = false;
  isTeamHere = false;
  private isOpen = false;
  private following: Following | null = null;
  private followed = "";
  private watched = "";
  private stopWatching = () => {};
  private reading: Promise<void> | null = null;
  private ready: Promise<unknown> = Promise.resolve();
  /** Messages to the team are being sent. */
  private delivering: Promise<void> | null = null;
  private typingAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly store: Store, private readonly backend: Backend, private readonly notes: Notes, private readonly observer: Observer) {}

  get state(): ChatState {
    return this.store.state;
  }

  /** Whether what the visitor writes goes to the team. */
  get isWithTeam(): boolean {
    return this.backend.canSay && this.state.session !== null && liveConversation(this.state) !== null;
  }

  start(): void {
    this.store.subscribe(() => this.settle());
    addEventListener("online", this.onOnline);
    addEventListener("offline", this.onOffline);
    document.addEventListener("visibilitychange", this.onVisible);
    const read = this.read().catch(() => {});
    this.ready = Promise.race([read, new Promise((resolve) => setTimeout(resolve, READY_MS))]);
    this.resume();
    this.settle();
  }

  stop(): void {
    removeEventListener("online", this.onOnline);
    removeEventListener("offline", this.onOffline);
    document.removeEventListener("visibilitychange", this.onVisible);
    clearTimeout(this.timer);
    this.store.close();
    this.following?.stop();
    this.stopWatching();
  }

  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    this.settle();
  }

  private get isSeen(): boolean {
    return this.isOpen && document.visibilityState !== "hidden";
  }

  private readonly onOnline = () => this.following?.wake();
  private readonly onOffline = () => this.following && this.setConnection("waiting");
  private readonly onVisible = () => this.settle();

  private setConnection(connection: Connection): void {
    if (connection === this.connection) return;
    this.connection = connection;
    this.settle();
  }

  /** Brings connections and the unread count in line with the state. */
  private settle(): void {
    const { run, session, listen, unread } = this.state;
    if (this.isSeen && unread > 0) return this.store.update((state) => void (state.unread = 0));
    const wanted = session && (listen || this.isOpen) ? `${run} ${session.id}` : "";
    if (wanted !== this.followed) {
      this.followed = wanted;
      this.following?.stop();
      this.following = null;
      this.connection = "live";
      if (wanted) this.following = this.listen(session!, run);
    }
    const live = liveConversation(this.state);
    const watched = session && live && this.connection === "live" && this.following && document.visibilityState !== "hidden" ? live : "";
    if (watched !== this.watched) {
      this.watched = watched;
      this.stopWatching();
      this.stopWatching = watched ? this.backend.watchTeam(session!, watched, (isTyping, isHere) => {
        this.isTeamHere = isHere;
        this.observer.teamTyping(isTyping);
        this.observer.changed();
      }) : () => {};
      if (!watched) this.isTeamHere = false;
    }
    this.observer.changed();
  }

  private listen(session: Session, run: string): Following | null {
    const isCurrent = () => this.state.run === run && this.state.session?.id === session.id;
    return this.backend.follow(session, this.state.cursor, {
      event: (event) => isCurrent() && this.hear(event),
      state: (connection) => {
        if (!isCurrent()) return;
        this.setConnection(connection);
        if (connection === "live") void this.read().then(() => this.deliver(), () => {});
        // The key or the token was refused. Reading finds out which, and a new session follows from that.
        if (connection === "refused") void this.read().catch(() => {});
      },
      read: () => this.read(),
    });
  }

  /** Reads the server's state of the conversations and applies it. */
  read(): Promise<void> {
    this.reading ??= this.readNow().finally(() => void (this.reading = null));
    return this.reading;
  }

  private async readNow(): Promise<void> {
    const { run, session } = this.state;
    const ids = conversationsOf(this.state).slice(-READ_CONVERSATIONS);
    if (!session || ids.length === 0) return;
    try {
      const found = await this.backend.current(session, ids);
      if (this.state.run !== run) return;
      this.apply((state) => {
        const open = found.filter(({ status }) => status && status !== "RESOLVED");
        for (const { id, status } of open) this.applyHandoff(state, id, status!);
        const heard = found.flatMap(({ messages }) => messages).sort((a, b) => a.createdAt.localeCompare(b.createdAt)).map((said) => applyMessage(state, said));
        for (const { id, status } of found) if (status === "RESOLVED") this.applyHandoff(state, id, status);
        return heard;
      });
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.loseSession(session);
    }
  }

  private hear({ cursor, conversation, conversationId, message }: LiveEvent): void {
    this.apply((state) => {
      state.cursor = cursor;
      const handoff = conversation?.handoff;
      if (handoff && handoff.status !== "RESOLVED") this.applyHandoff(state, conversationId!, handoff.status);
      const heard = [message ? applyMessage(state, message as Said) : null];
      if (handoff?.status === "RESOLVED") this.applyHandoff(state, conversationId!, handoff.status);
      return heard;
    });
  }

  /** Applies a change and counts and announces the new messages of agents. */
  private apply(change: (state: ChatState) => Array<AgentEntry | null>): void {
    let fresh: AgentEntry[] = [];
    this.store.update((state) => {
      fresh = change(state).filter((entry) => entry !== null);
      if (!this.isSeen) state.unread += fresh.length;
    });
    if (fresh.length === 0) return;
    this.typingAt = 0;
    this.observer.teamTyping(false);
    this.observer.heard(fresh);
  }

  private applyHandoff(state: ChatState, id: string, status: HandoffStatus): void {
    const change = applyHandoff(state, id, status);
    if (change) this.note(state, change === "closed" ? this.notes.ended : this.notes.reopened);
  }

  private note(state: ChatState, text: string): void {
    if (text) state.entries.push({ kind: "note", key: newId(), text });
  }

  /** The server does not accept the session any more: the chat goes on in a new session and says so. */
  private loseSession(session: Session): void {
    this.store.update((state) => {
      if (state.session?.token !== session.token) return;
      const hadEntries = state.entries.some(({ kind }) => kind === "bot" || kind === "agent");
      endSession(state);
      if (hadEntries) this.note(state, this.notes.newSession);
    });
  }

  /** Ends this chat and begins another one. Late answers to this one are dropped. */
  restart(): void {
    const { session } = this.state;
    const live = liveConversation(this.state);
    if (session && live) this.backend.tellTyping(session, live, false);
    this.isBusy = false;
    this.reading = null;
    this.delivering = null;
    this.store.update((state) => void Object.assign(state, emptyState(newId(), Date.now())));
  }

  setDraft(text: string): void {
    if (text !== this.state.draft) this.store.update((state) => void (state.draft = text));
  }

  /** Sends what the visitor wrote, to the team while a handoff is open and to the bot otherwise. */
  send(text: string): boolean {
    if (this.isBusy && !this.isWithTeam) return false;
    const key = newId();
    this.store.update((state) => {
      state.draft = "";
      state.entries.push({ kind: "visitor", key, text, to: this.isWithTeam ? "team" : "bot", sender: this.store.tab, since: Date.now() });
    });
    this.typingAt = 0;
    this.dispatch(key, false);
    return true;
  }

  retry(key: string): void {
    if (this.isBusy && !this.isWithTeam) return;
    this.change(key, (entry) => {
      delete entry.fault;
      Object.assign(entry, { sender: this.store.tab, since: Date.now() });
    });
    this.dispatch(key, true);
  }

  private entry(key: string): VisitorEntry | undefined {
    return this.state.entries.find((entry): entry is VisitorEntry => entry.kind === "visitor" && entry.key === key);
  }

  private change(key: string, change: (entry: VisitorEntry) => void): void {
    this.store.update(() => {
      const entry = this.entry(key);
      if (entry) change(entry);
    });
  }

  private dispatch(key: string, isRepeated: boolean): void {
    const { run } = this.state;
    if (this.entry(key)?.to === "team") this.deliver();
    else void this.question(key, run, isRepeated);
  }

  /** Continues after a page load: sends again what it interrupted. */
  private resume(): void {
    this.deliver();
    for (const { key, sender, since } of this.state.entries.filter((entry) => entry.kind === "visitor").filter(({ to }) => to === "bot")) {
      if (sender === this.store.tab) this.dispatch(key, true);
      else if (sender) this.timer = setTimeout(() => this.giveUpInterrupted(), Math.max(0, since! + INTERRUPTED_MS - Date.now()));
    }
  }

  private giveUpInterrupted(): void {
    const before = Date.now() - INTERRUPTED_MS;
    for (const entry of this.state.entries) {
      if (entry.kind === "visitor" && entry.to === "bot" && entry.sender && entry.sender !== this.store.tab && entry.since! <= before) this.fail(entry.key, "network");
    }
  }

  /**
   * Sends the undelivered messages to the team in the order in which they were written, whichever tab they were written
   * in. Each keeps its key, so that the server stores it once even when two tabs send it.
   */
  private deliver(): void {
    const { run } = this.state;
    this.delivering ??= this.deliverAll(run).finally(() => {
      if (this.state.run === run) this.delivering = null;
    });
  }

  private async deliverAll(run: string): Promise<void> {
    await this.ready;
    for (;;) {
      const entry = this.state.run === run ? this.state.entries.find(isUndelivered) : undefined;
      if (!entry) return;
      const age = Date.now() - (entry.since ?? 0);
      if (entry.sender && entry.sender !== this.store.tab && age < TAKEOVER_MS) {
        await this.changed(TAKEOVER_MS - age);
        continue;
      }
      this.change(entry.key, (own) => {
        delete own.fault;
        Object.assign(own, { sender: this.store.tab, since: Date.now() });
      });
      if (!await this.say(entry.key, run)) return;
    }
  }

  /** Waits for a change of the state, at most `ms`. */
  private changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, ms);
      const stop = this.store.subscribe(done);
    });
  }

  private async question(key: string, run: string, isRepeated: boolean): Promise<void> {
    this.setBusy(true);
    await this.ready;
    await this.firstQuestionOfOthers();
    const entry = this.entry(key);
    if (entry && this.state.run === run) {
      if (this.isWithTeam) {
        this.setBusy(false);
        return this.redirect(key, "team", run);
      }
      try {
        this.answered(key, run, await this.answer(entry, isRepeated));
      } catch (error) {
        if (this.state.run === run) await this.questionFailed(key, run, error);
      }
    }
    if (this.state.run === run) this.setBusy(false);
  }

  /** Asks in the current session, or in a new one when the server does not accept the current one. */
  private async answer(entry: VisitorEntry, isRepeated: boolean): Promise<Answer> {
    let { key } = entry;
    for (let attempt = 0; ; attempt++) {
      const { session } = this.state;
      try {
        const answer = await this.backend.ask(session, entry.text, key, isRepeated, (text) => this.observer.writing(entry.key, text));
        if (answer.session || attempt > 0) return answer;
        // The first attempt began a session whose token was lost on the way. Only a new one can be continued.
        key = newId();
      } catch (error) {
        if (!isRefused(error) || !session || attempt > 1) throw error;
        this.loseSession(session);
      }
    }
  }

  private answered(key: string, run: string, answer: Answer): void {
    if (this.state.run !== run) return;
    const { text, links, suggestions, conversationId, answered, session } = answer;
    const bot: BotEntry = { kind: "bot", key: conversationId, text, links, suggestions, conversationId, answered };
    this.store.update((state) => {
      if (session && (!state.session || state.session.id === session.id)) state.session = session;
      const entry = this.entry(key);
      if (entry) markSent(entry);
      if (state.entries.every((other) => other.key !== bot.key)) state.entries.push(bot);
    });
    this.observer.answered(bot);
  }

  private async questionFailed(key: string, run: string, error: unknown): Promise<void> {
    // The bot is silent because an agent has joined: the state learns of it and the message goes to the team.
    if (codeOf(error) === "CONFLICT") {
      await this.read().catch(() => {});
      if (this.isWithTeam && this.state.run === run) return this.redirect(key, "team", run);
    }
    this.fail(key, faultOf(error));
  }

  private redirect(key: string, to: "bot" | "team", run: string): void {
    if (this.state.run !== run) return;
    this.change(key, (entry) => void (entry.to = to));
    this.dispatch(key, false);
  }

  /** Sends one message to the team. Returns whether the next one can be sent. */
  private async say(key: string, run: string): Promise<boolean> {
    const entry = this.entry(key)!;
    const { session } = this.state;
    const live = liveConversation(this.state);
    if (!live || !session) {
      this.redirect(key, "bot", run);
      return true;
    }
    try {
      const said = await this.backend.say(session, live, entry.text, key);
      if (this.state.run === run) this.change(key, (own) => markSent(own, said?.id));
      return true;
    } catch (error) {
      return this.state.run === run && this.sayFailed(key, run, session, error);
    }
  }

  private async sayFailed(key: string, run: string, session: Session, error: unknown): Promise<boolean> {
    if (isRefused(error)) this.loseSession(session);
    if (codeOf(error) === "CONFLICT" || codeOf(error) === "NOT_FOUND") await this.read().catch(() => {});
    if (this.state.run !== run) return false;
    // The event can have delivered the message although the response was lost.
    if (!this.entry(key) || this.entry(key)!.id) return true;
    if (!this.isWithTeam) {
      this.redirect(key, "bot", run);
      return true;
    }
    const fault = faultOf(error);
    // A message that the server does not accept holds back none of the others. After a failed connection all wait.
    if (fault === "server") this.fail(key, fault);
    else for (const waiting of this.state.entries.filter(isUndelivered)) this.fail(waiting.key, fault);
    return fault === "server";
  }

  private fail(key: string, fault: Fault): void {
    this.change(key, (entry) => {
      if (entry.id) return;
      markSent(entry);
      entry.fault = fault;
    });
  }

  /** Waits while another tab asks the first question: both then share its session. */
  private async firstQuestionOfOthers(): Promise<void> {
    const isWaiting = () => !this.state.session && this.state.entries.some((entry) =>
      entry.kind === "visitor" && entry.sender && entry.sender !== this.store.tab && Date.now() - entry.since! < FIRST_QUESTION_MS);
    const end = Date.now() + FIRST_QUESTION_MS;
    while (isWaiting() && Date.now() < end) await this.changed(end - Date.now());
  }

  private setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.observer.changed();
  }

  async vote(key: string, isHelpful: boolean): Promise<void> {
    const entry = this.state.entries.find((one): one is BotEntry => one.kind === "bot" && one.key === key);
    const vote = isHelpful ? "yes" : "no";
    if (!entry || entry.vote === vote) return;
    await this.backend.vote(this.state.session, entry.conversationId, isHelpful);
    this.store.update((state) => {
      const own = state.entries.find((one): one is BotEntry => one.kind === "bot" && one.key === key);
      if (own) own.vote = vote;
    });
  }

  /** Asks for a human in a conversation. Rejects when the server does not accept the request. */
  async handoff(conversationId: string, email: string | null): Promise<void> {
    const { run, session } = this.state;
    this.setBusy(true);
    try {
      await persistently(() => this.backend.handoff(session, conversationId, email));
      if (this.state.run !== run) return;
      this.store.update((state) => {
        applyHandoff(state, conversationId, "REQUESTED");
        this.note(state, this.notes.handoffSent);
      });
    } catch (error) {
      if (session && isRefused(error)) this.loseSession(session);
      throw error;
    } finally {
      if (this.state.run === run) this.setBusy(false);
    }
  }

  tellTyping(): void {
    const { session } = this.state;
    const live = liveConversation(this.state);
    if (!session || !live || Date.now() - this.typingAt < TYPING_MS) return;
    this.typingAt = Date.now();
    this.backend.tellTyping(session, live, true);
  }
}

/** Repeats a request that has the same effect when it is sent twice, while the connection fails for a moment. */
async function persistently(work: () => Promise<void>): Promise<void> {
  for (const delay of HANDOFF_DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NetworkError) || !navigator.onLine) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  return work();
}

/** Why a request failed, as far as the visitor should know. */
export function faultOf(error: unknown): Fault {
  if (error instanceof NetworkError || !navigator.onLine) return "network";
  const code = codeOf(error);
  return code === "CREDITS_EXHAUSTED" ? "credits" : code === "RATE_LIMITED" || code === "HTTP_429" ? "rate" : "server";
}
