// What the visitor sends: questions to the bot and messages to the team.
//
// Each entry of the chat log keeps its key until it is delivered, so that it can be sent again after a lost connection,
// from another tab or after a page load without being stored twice. A result is dropped when the chat was started again
// meanwhile.

import { ApiError, againAfterMs, isUnreachable } from "../client/src/graphql";
import { newId } from "../client/src/id";
import type { Answer, Backend } from "./backend";
import { type BotEntry, type ChatState, type Entry, type Fault, type Session, type VisitorEntry, applyHandoff, liveConversation, markSent } from "./state";
import type { Store } from "./store";

/** What the chat does for its outgoing messages. */
export interface Sender {
  isWithTeam: boolean;
  /** Resolves when the server's state is known, or could not be read for a while. */
  ready: Promise<unknown>;
  read(): Promise<void>;
  loseSession(session: Session): void;
  busyChanged(): void;
  writing(key: string, text: string): void;
  answered(entry: BotEntry): void;
}

/** A message of another tab that is not sent by then was interrupted, for example by closing the tab. */
const INTERRUPTED_MS = 60_000;
/** The longest wait for another tab that begins the session. */
const FIRST_QUESTION_MS = 20_000;
/** The time in which a tab hears what another tab stored. Only the first question of a session waits for it. */
const SETTLE_MS = 150;
/** Another tab sends a message within this time, or its tab was closed and this one sends it. */
const TAKEOVER_MS = 8_000;
/**
 * How often the server may refuse a message for the moment before it is sent again only on request. All tabs count
 * together. The server limits the messages of a visitor per minute, so those attempts take longer than that.
 */
const REFUSALS_MAX: Record<Fault, number> = { network: Infinity, rate: 40, server: 6, credits: 0, full: 0 };

const isUndelivered = (entry: Entry): entry is VisitorEntry =>
  entry.kind === "visitor" && entry.to === "team" && !entry.id && (entry.sender !== undefined || entry.fault === "network" || entry.refusals !== undefined);

export const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : "");
export const isRefused = (error: unknown) => codeOf(error) === "UNAUTHENTICATED";

export class Outgoing {
  isBusy = false;
  /** Messages to the team are being sent. */
  #delivering: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #againTimer: ReturnType<typeof setTimeout> | undefined;
  /** The number of failed attempts since the last message was delivered to the team. */
  #failures = 0;
  /** Questions are asked one after the other, so that their answers have the same order. */
  #asking: Promise<unknown> = Promise.resolve();
  readonly #asked = new Set<string>();
  /** The chat that all of this belongs to. */
  #run: string;

  readonly #store: Store;
  readonly #backend: Backend;
  readonly #chat: Sender;

  constructor(store: Store, backend: Backend, chat: Sender) {
    this.#store = store;
    this.#backend = backend;
    this.#chat = chat;
    this.#run = store.state.run;
  }

  get #state(): ChatState {
    return this.#store.state;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopWaiting();
  }

  /** The chat begins again, here or in another tab: nothing of the earlier one is in progress. */
  #reset(): void {
    this.#run = this.#state.run;
    this.isBusy = false;
    this.#delivering = null;
    this.#asking = Promise.resolve();
    this.#asked.clear();
    this.#failures = 0;
    this.#stopWaiting();
  }

  /** Sends what the visitor wrote, to the team while a handoff is open and to the bot otherwise. */
  send(text: string): boolean {
    if (this.isBusy && !this.#chat.isWithTeam) return false;
    const key = newId();
    this.#store.update((state) => {
      state.draft = "";
      state.entries.push({ kind: "visitor", key, text, to: this.#chat.isWithTeam ? "team" : "bot", sender: this.#store.tab, since: Date.now(), wroteAt: Date.now() });
    });
    this.#dispatch(key, false);
    return true;
  }

  retry(key: string): void {
    if (this.isBusy && !this.#chat.isWithTeam) return;
    this.#change(key, (entry) => {
      markSent(entry);
      Object.assign(entry, { sender: this.#store.tab, since: Date.now() });
    });
    this.#dispatch(key, true);
  }

  #entry(key: string): VisitorEntry | undefined {
    return this.#state.entries.find((entry): entry is VisitorEntry => entry.kind === "visitor" && entry.key === key);
  }

  #change(key: string, change: (entry: VisitorEntry) => void): void {
    this.#store.update(() => {
      const entry = this.#entry(key);
      if (entry) change(entry);
    });
  }

  #dispatch(key: string, isRepeated: boolean): void {
    const { run } = this.#state;
    if (this.#entry(key)?.to === "team") this.deliver();
    else this.#question(key, run, isRepeated);
  }

  /** Continues after a page load: takes over what it interrupted and sends it again. */
  resume(): void {
    const { earlierTab } = this.#store;
    const isInterrupted = (entry: Entry) => entry.kind === "visitor" && entry.sender !== undefined && entry.sender === earlierTab;
    if (this.#state.entries.some(isInterrupted)) {
      this.#store.update(({ entries }) => entries.filter(isInterrupted).forEach((entry) => Object.assign(entry, { sender: this.#store.tab })));
    }
    this.deliver();
    for (const { key, sender } of this.#questions()) if (sender === this.#store.tab) this.#dispatch(key, true);
    this.watch();
  }

  /** The questions that are being asked, by this tab or another one. */
  #questions(): VisitorEntry[] {
    return this.#state.entries.filter((entry): entry is VisitorEntry => entry.kind === "visitor" && entry.to === "bot" && entry.sender !== undefined);
  }

  /** Questions of other tabs that take too long were interrupted. They can then be asked again. */
  #watchInterrupted(): void {
    const [next] = this.#questions().filter(({ sender }) => sender !== this.#store.tab).sort((a, b) => a.since! - b.since!);
    clearTimeout(this.#timer);
    if (next) this.#timer = setTimeout(() => this.#fail(next.key, "network"), Math.max(0, next.since! + INTERRUPTED_MS - Date.now()));
  }

  /**
   * Sends the undelivered messages to the team in the order in which they were written, whichever tab they were written
   * in. Each keeps its key, so that the server stores it once even when two tabs send it.
   */
  deliver(): void {
    const { run } = this.#state;
    this.#stopWaiting();
    if (this.#delivering) return;
    const mine = this.#deliverAll(run).finally(() => {
      if (this.#delivering === mine) this.#delivering = null;
    });
    this.#delivering = mine;
  }

  async #deliverAll(run: string): Promise<void> {
    await this.#chat.ready;
    for (;;) {
      const entry = this.#state.run === run ? this.#state.entries.find(isUndelivered) : undefined;
      if (!entry) return;
      const age = Date.now() - (entry.since ?? 0);
      if (entry.sender && entry.sender !== this.#store.tab && age < TAKEOVER_MS) {
        await this.#changed(TAKEOVER_MS - age);
        continue;
      }
      // The fault stays visible until the message is delivered.
      this.#change(entry.key, (own) => void Object.assign(own, { sender: this.#store.tab, since: Date.now() }));
      if (!await this.#say(entry.key, run)) return;
    }
  }

  /** Sends the undelivered messages again after a while. */
  #deliverLater(): void {
    this.#stopWaiting();
    this.#againTimer = setTimeout(() => this.deliver(), againAfterMs(this.#failures++));
  }

  #stopWaiting(): void {
    clearTimeout(this.#againTimer);
    this.#againTimer = undefined;
  }

  /** The state has changed. This tab delivers what other tabs wrote and do not deliver, for example because they were closed. */
  watch(): void {
    if (this.#run !== this.#state.run) this.#reset();
    this.#watchInterrupted();
    if (this.#delivering || this.#againTimer) return;
    const waiting = this.#state.entries.find(isUndelivered);
    if (waiting?.sender) this.deliver();
    else if (waiting) this.#deliverLater();
  }

  /** Waits for a change of the state, at most `ms`. */
  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, ms);
      const stop = this.#store.subscribe(done);
    });
  }

  #question(key: string, run: string, isRepeated: boolean): void {
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    this.setBusy(true);
    this.#asking = this.#asking.catch(() => {}).then(() => this.#ask(key, run, isRepeated)).finally(() => {
      if (this.#run !== run) return;
      this.#asked.delete(key);
      if (this.#asked.size === 0) this.setBusy(false);
    });
  }

  async #ask(key: string, run: string, isRepeated: boolean): Promise<void> {
    await this.#chat.ready;
    await this.#firstQuestionOfOthers(key);
    const entry = this.#entry(key);
    if (!entry || this.#state.run !== run) return;
    if (this.#chat.isWithTeam) return this.#redirect(key, "team", run);
    try {
      this.#answered(key, run, await this.#answer(entry, isRepeated));
    } catch (error) {
      if (this.#state.run === run) await this.#questionFailed(key, run, error);
    }
  }

  /** Asks in the current session, or in a new one when the server does not accept the current one. */
  async #answer(entry: VisitorEntry, isRepeated: boolean): Promise<Answer> {
    let { key } = entry;
    for (let attempt = 0; ; attempt++) {
      const { session } = this.#state;
      try {
        const answer = await this.#backend.ask(session, entry.text, key, isRepeated, (text) => this.#chat.writing(entry.key, text));
        if (answer.session || attempt > 0) return answer;
        // The first attempt began a session whose token was lost on the way. Only a new one can be continued.
        key = newId();
      } catch (error) {
        if (!isRefused(error) || !session || attempt > 1) throw error;
        this.#chat.loseSession(session);
      }
    }
  }

  #answered(key: string, run: string, answer: Answer): void {
    if (this.#state.run !== run) return;
    const { text, links, suggestions, conversationId, answered, session, status } = answer;
    const bot: BotEntry = { kind: "bot", key: conversationId, text, links, suggestions, conversationId, answered, wroteAt: Date.now() };
    this.#store.update((state) => {
      if (session && (!state.session || state.session.id === session.id)) state.session = session;
      const entry = this.#entry(key);
      if (entry) markSent(entry);
      if (state.entries.every((other) => other.key !== bot.key)) state.entries.push(bot);
      if (status) applyHandoff(state, conversationId, status);
    });
    this.#chat.answered(bot);
  }

  async #questionFailed(key: string, run: string, error: unknown): Promise<void> {
    // The bot is silent because an agent has joined: the state learns of it and the message goes to the team.
    if (codeOf(error) === "CONFLICT") {
      await this.#chat.read().catch(() => {});
      if (this.#chat.isWithTeam && this.#state.run === run) return this.#redirect(key, "team", run);
    }
    this.#fail(key, faultOf(error));
  }

  #redirect(key: string, to: "bot" | "team", run: string): void {
    if (this.#state.run !== run) return;
    this.#change(key, (entry) => {
      markSent(entry);
      Object.assign(entry, { to, sender: this.#store.tab, since: Date.now() });
    });
    this.#dispatch(key, false);
  }

  /** Sends one message to the team. Returns whether the next one can be sent. */
  async #say(key: string, run: string): Promise<boolean> {
    const entry = this.#entry(key)!;
    const { session } = this.#state;
    const live = liveConversation(this.#state);
    if (!live || !session) {
      this.#redirect(key, "bot", run);
      return true;
    }
    try {
      const said = await this.#backend.say(session, live, entry.text, key);
      if (this.#state.run === run) this.#change(key, (own) => markSent(own, said));
      this.#failures = 0;
      return true;
    } catch (error) {
      return this.#state.run === run && this.#sayFailed(key, run, session, error);
    }
  }

  async #sayFailed(key: string, run: string, session: Session, error: unknown): Promise<boolean> {
    if (isRefused(error)) this.#chat.loseSession(session);
    if (codeOf(error) === "CONFLICT" || codeOf(error) === "NOT_FOUND") await this.#chat.read().catch(() => {});
    if (this.#state.run !== run) return false;
    // The event can have delivered the message although the response was lost.
    if (!this.#entry(key) || this.#entry(key)!.id) return true;
    if (!this.#chat.isWithTeam) {
      this.#redirect(key, "bot", run);
      // With the session, the messages behind this one have lost their conversation too.
      for (const { key: other } of this.#state.entries.filter((one) => one.kind === "visitor" && one.to === "bot" && one.sender === this.#store.tab)) this.#dispatch(other, false);
      return true;
    }
    const fault = faultOf(error);
    const refusals = (this.#entry(key)!.refusals ?? 0) + (fault === "network" ? 0 : 1);
    const isTemporary = fault !== "server" || /^(INTERNAL|HTTP_5\d\d)$/.test(codeOf(error));
    // A message that the server does not accept holds back none of the others.
    if (!isTemporary || refusals > REFUSALS_MAX[fault]) {
      this.#fail(key, fault);
      return true;
    }
    // All others wait with this one, because they would otherwise arrive first.
    for (const waiting of this.#state.entries.filter(isUndelivered)) this.#fail(waiting.key, fault, waiting.key === key ? refusals : waiting.refusals ?? 0);
    this.#deliverLater();
    return false;
  }

  /** Marks an entry as not delivered. With a number of `refusals` it is sent again without a request of the visitor. */
  #fail(key: string, fault: Fault, refusals?: number): void {
    this.#change(key, (entry) => {
      // Another tab has delivered it.
      if (entry.id || !(entry.sender || entry.fault)) return;
      markSent(entry);
      entry.fault = fault;
      if (refusals !== undefined) entry.refusals = refusals;
    });
  }

  /** Waits while another tab asks an earlier first question: both then share its session. */
  async #firstQuestionOfOthers(key: string): Promise<void> {
    if (this.#state.session || !this.#store.isShared) return;
    // Until then the tabs have heard of the questions that were asked at the same moment.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const since = this.#entry(key)?.since ?? 0;
    const isEarlier = (entry: Entry) => entry.kind === "visitor" && entry.sender && entry.sender !== this.#store.tab
      && Date.now() - entry.since! < FIRST_QUESTION_MS && (entry.since! < since || (entry.since === since && entry.sender < this.#store.tab));
    const isWaiting = () => !this.#state.session && this.#state.entries.some(isEarlier);
    const end = Date.now() + FIRST_QUESTION_MS;
    while (isWaiting() && Date.now() < end) await this.#changed(end - Date.now());
  }

  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.#chat.busyChanged();
  }
}

/** Why a request failed, as far as the visitor should know. */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  if (isUnreachable(error) || !navigator.onLine) return "network";
  if (/^(CREDIT|VISITOR_BLOCKED)/.test(code)) return "credits";
  if (code === "LIMIT_REACHED") return "full";
  return /^RATE_|_429$/.test(code) ? "rate" : "server";
}
