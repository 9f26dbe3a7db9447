// What the visitor sends: questions to the bot and messages to the team.
//
// Each entry of the chat log keeps its key until it is delivered, so that it can be sent again after a lost connection,
// from another tab or after a page load without being stored twice. A result is dropped when the chat was started again
// meanwhile.

import { ApiError, NetworkError } from "../live/graphql";
import { newId } from "../live/id";
import type { Answer, Backend } from "./backend";
import { type BotEntry, type ChatState, type Entry, type Fault, type Session, type VisitorEntry, liveConversation, markSent } from "./state";
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

const isUndelivered = (entry: Entry): entry is VisitorEntry =>
  entry.kind === "visitor" && entry.to === "team" && !entry.id && (entry.sender !== undefined || entry.fault === "network" || entry.fault === "rate");

export const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : "");
export const isRefused = (error: unknown) => codeOf(error) === "UNAUTHENTICATED";

export class Outgoing {
  isBusy = false;
  /** Messages to the team are being sent. */
  private delivering: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly store: Store, private readonly backend: Backend, private readonly chat: Sender) {}

  private get state(): ChatState {
    return this.store.state;
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** The chat begins again: nothing of the earlier one is in progress. */
  reset(): void {
    this.isBusy = false;
    this.delivering = null;
  }

  /** Sends what the visitor wrote, to the team while a handoff is open and to the bot otherwise. */
  send(text: string): boolean {
    if (this.isBusy && !this.chat.isWithTeam) return false;
    const key = newId();
    this.store.update((state) => {
      state.draft = "";
      state.entries.push({ kind: "visitor", key, text, to: this.chat.isWithTeam ? "team" : "bot", sender: this.store.tab, since: Date.now() });
    });
    this.dispatch(key, false);
    return true;
  }

  retry(key: string): void {
    if (this.isBusy && !this.chat.isWithTeam) return;
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
  resume(): void {
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
  deliver(): void {
    const { run } = this.state;
    this.delivering ??= this.deliverAll(run).finally(() => {
      if (this.state.run === run) this.delivering = null;
    });
  }

  private async deliverAll(run: string): Promise<void> {
    await this.chat.ready;
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
    await this.chat.ready;
    await this.firstQuestionOfOthers(key);
    const entry = this.entry(key);
    if (entry && this.state.run === run) {
      if (this.chat.isWithTeam) {
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
        const answer = await this.backend.ask(session, entry.text, key, isRepeated, (text) => this.chat.writing(entry.key, text));
        if (answer.session || attempt > 0) return answer;
        // The first attempt began a session whose token was lost on the way. Only a new one can be continued.
        key = newId();
      } catch (error) {
        if (!isRefused(error) || !session || attempt > 1) throw error;
        this.chat.loseSession(session);
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
    this.chat.answered(bot);
  }

  private async questionFailed(key: string, run: string, error: unknown): Promise<void> {
    // The bot is silent because an agent has joined: the state learns of it and the message goes to the team.
    if (codeOf(error) === "CONFLICT") {
      await this.chat.read().catch(() => {});
      if (this.chat.isWithTeam && this.state.run === run) return this.redirect(key, "team", run);
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
    if (isRefused(error)) this.chat.loseSession(session);
    if (codeOf(error) === "CONFLICT" || codeOf(error) === "NOT_FOUND") await this.chat.read().catch(() => {});
    if (this.state.run !== run) return false;
    // The event can have delivered the message although the response was lost.
    if (!this.entry(key) || this.entry(key)!.id) return true;
    if (!this.chat.isWithTeam) {
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

  /** Waits while another tab asks an earlier first question: both then share its session. */
  private async firstQuestionOfOthers(key: string): Promise<void> {
    if (this.state.session || !this.store.isShared) return;
    // Until then the tabs have heard of the questions that were asked at the same moment.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const since = this.entry(key)?.since ?? 0;
    const isEarlier = (entry: Entry) => entry.kind === "visitor" && entry.sender && entry.sender !== this.store.tab
      && Date.now() - entry.since! < FIRST_QUESTION_MS && (entry.since! < since || (entry.since === since && entry.sender < this.store.tab));
    const isWaiting = () => !this.state.session && this.state.entries.some(isEarlier);
    const end = Date.now() + FIRST_QUESTION_MS;
    while (isWaiting() && Date.now() < end) await this.changed(end - Date.now());
  }

  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.chat.busyChanged();
  }
}

/** Why a request failed, as far as the visitor should know. */
export function faultOf(error: unknown): Fault {
  if (error instanceof NetworkError || !navigator.onLine) return "network";
  const code = codeOf(error);
  return code === "CREDITS_EXHAUSTED" || code === "CREDIT_CAP_REACHED" || code === "VISITOR_BLOCKED" ? "credits" : code === "RATE_LIMITED" || code === "HTTP_429" ? "rate" : "server";
}
