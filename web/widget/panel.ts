// The panel: a visitor asks, votes, asks for a human, and talks with one. Loaded when first wanted.
//
// It owns the session and the one live stream, and moves the focus: into the field on opening, back to the
// launcher on closing. Answers are drawn from text through DOM nodes only; no server text becomes markup.

import type { Following, State } from "../live/follow";
import { NetworkError } from "../live/graphql";
import type { Said } from "../generated/widget";
import { type Backend, type LiveEvent, ServerBackend } from "./backend";
import { h, icon } from "./element";
import { type Entry, emptySession, loadSession, pageStorage, saveSession } from "./session";
import { type Panel, type Shell, storageKey } from "./shell";
import { PANEL_STYLE } from "./styles";
import { View } from "./view";
import { type Tongue, fill, tongueOf } from "./words";

const QUESTION_MAX_CHARS = 1000;
/** A stream that starts without a cursor may miss what was written while it opened; read again after this. */
const SECOND_LOOK_MS = 3000;
/** The server forgets that somebody types after six seconds. */
const TYPING_MS = 3000;

type BotEntry = Extract<Entry, { kind: "bot" }>;
type VisitorEntry = Extract<Entry, { kind: "visitor" }>;

export function mount(shell: Shell): Panel {
  const storage = pageStorage();
  const session = loadSession(storage, storageKey(shell.apiKey), Date.now());
  return new WidgetPanel(shell, new ServerBackend(shell.base, shell.apiKey, session), session, storage);
}

export class WidgetPanel implements Panel {
  private readonly tongue: Tongue;
  private readonly view: View;
  private readonly nodes = new Map<Entry, HTMLElement>();
  private readonly log = h("div", { class: "log", role: "log", "aria-live": "polite", tabindex: 0 });
  private readonly input = h("textarea", { rows: 1, maxlength: QUESTION_MAX_CHARS, enterkeyhint: "send", dir: "auto" });
  private readonly sendButton = h("button", { class: "icon", type: "submit" });
  private readonly status = h("p", { role: "status" });
  /** Speaks to screen readers while the panel is closed. */
  private readonly herald = h("div", { class: "sr", "aria-live": "polite" });
  private readonly panel: HTMLElement;
  private following: Following | null = null;
  private isBusy = false;
  /** What goes to the agent is sent one after the other, in the order of writing. */
  private toAgent = Promise.resolve();
  private toldTypingAt = 0;
  private stopTyping = () => {};
  private agentTyping: HTMLElement | null = null;

  constructor(
    private readonly shell: Shell, private readonly backend: Backend,
    private readonly session = emptySession(0), private readonly storage: Storage | null = null,
  ) {
    this.tongue = tongueOf(shell.config.aiLanguage, document.documentElement.lang, navigator.language);
    this.view = new View(shell.config, this.tongue, this);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(PANEL_STYLE);
    shell.root.adoptedStyleSheets = [...shell.root.adoptedStyleSheets, sheet];
    this.panel = this.build();
    this.panel.hidden = shell.launcher !== null;
    shell.root.append(this.panel, this.herald);
    shell.launcher?.setAttribute("aria-controls", this.panel.id);
    this.draw();
    this.showState("live");
    this.showUnread();
    if (session.live) this.listen();
    addEventListener("online", () => this.following?.wake());
    addEventListener("offline", () => this.following && this.showState("waiting"));
    addEventListener("pagehide", () => this.save());
  }

  toggle(): void {
    if (this.panel.hidden) this.open();
    else this.close();
  }

  private open(): void {
    this.panel.hidden = false;
    this.shell.launcher?.setAttribute("aria-expanded", "true");
    this.session.unread = 0;
    this.showUnread();
    this.save();
    this.scroll();
    this.input.focus();
  }

  private close(): void {
    if (!this.shell.launcher) return;
    this.panel.hidden = true;
    this.shell.launcher.setAttribute("aria-expanded", "false");
    this.shell.launcher.focus();
  }

  private build(): HTMLElement {
    const { config, launcher } = this.shell;
    const { words, lang, dir } = this.tongue;
    const restart = h("button", { class: "icon", type: "button", "aria-label": words.restart, title: words.restart, onclick: () => this.restart() });
    restart.append(icon("restart"));
    const close = launcher && h("button", { class: "icon", type: "button", "aria-label": words.close, title: words.close, onclick: () => this.close() });
    close?.append(icon("close"));
    this.sendButton.append(icon("send"));
    this.sendButton.setAttribute("aria-label", words.send);
    this.log.setAttribute("aria-label", words.log);
    this.input.placeholder = config.inputPlaceholder;
    this.input.setAttribute("aria-label", config.inputPlaceholder);
    this.input.addEventListener("input", () => {
      this.grow();
      this.tellTyping();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    const compose = h("form", { class: "compose", onsubmit: (event: Event) => (event.preventDefault(), this.submit()) }, this.input, this.sendButton);
    return h("div", {
      class: "panel", id: "hb-panel", role: "dialog", "aria-labelledby": "hb-name", lang, dir,
      onkeydown: (event: KeyboardEvent) => event.key === "Escape" && !event.isComposing && this.close(),
    },
      h("div", { class: "head" }, h("div", { class: "who" }, h("h2", { id: "hb-name", dir: "auto" }, config.botName), this.status), restart, close),
      this.log, compose,
      config.showBranding && h("p", { class: "brand" }, `${words.poweredBy} HelpBot`));
  }

  private draw(): void {
    const { config } = this.shell;
    const greeting = config.greeting ? [this.view.said("bot", config.botName, config.greeting)] : [];
    this.log.replaceChildren(...greeting, ...this.session.entries.map((entry) => this.nodeOf(entry)));
    this.scroll();
  }

  private nodeOf(entry: Entry): HTMLElement {
    const node = this.view.entry(entry);
    this.nodes.set(entry, node);
    if (entry.kind === "bot" && entry.vote) this.view.markVote(node, entry.vote);
    return node;
  }

  private add<E extends Entry>(entry: E): E {
    this.session.entries.push(entry);
    this.log.append(this.nodeOf(entry), ...this.agentTyping ? [this.agentTyping] : []);
    this.scroll();
    this.save();
    return entry;
  }

  private note(text: string): void {
    if (text) this.add({ kind: "note", text });
  }

  private scroll(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }

  private grow(): void {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }

  private save(): void {
    saveSession(this.storage, storageKey(this.shell.apiKey), this.session, Date.now());
  }

  private restart(): void {
    this.following?.stop();
    this.following = null;
    this.stopTyping();
    this.panel.removeAttribute("data-live");
    Object.assign(this.session, emptySession(Date.now()));
    this.nodes.clear();
    this.showState("live");
    this.save();
    this.draw();
    this.input.focus();
  }

  /** Whether what is written goes to a person. */
  private get isWithAgent(): boolean {
    return this.session.live !== null && this.backend.canSay;
  }

  private submit(): void {
    const text = this.input.value.trim();
    if (!text || (this.isBusy && !this.isWithAgent)) return;
    this.input.value = "";
    this.toldTypingAt = 0;
    this.grow();
    this.ask(text);
  }

  /** Sends what the visitor wrote: to the agent while one is asked in, else to the bot. */
  ask(text: string): void {
    if (this.isBusy && !this.isWithAgent) return;
    this.dispatch(this.add({ kind: "visitor", text, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` }));
  }

  retry(entry: VisitorEntry): void {
    if (this.isBusy && !this.isWithAgent) return;
    this.input.focus();
    this.clearFailure(entry);
    this.dispatch(entry);
  }

  private clearFailure(entry: VisitorEntry): void {
    delete entry.failed;
    const old = this.nodes.get(entry);
    old?.replaceWith(this.nodeOf(entry));
  }

  /** The line is back: what did not get to the agent goes out, under its old keys, so nothing arrives twice. */
  private retryAll(): void {
    if (!this.isWithAgent) return;
    for (const entry of this.session.entries) {
      if (entry.kind !== "visitor" || entry.failed !== "agent") continue;
      this.clearFailure(entry);
      this.dispatch(entry);
    }
  }

  private tellTyping(): void {
    const { live } = this.session;
    if (!live || !this.backend.canSay || !this.input.value || Date.now() - this.toldTypingAt < TYPING_MS) return;
    this.toldTypingAt = Date.now();
    this.backend.tellTyping(live, true);
  }

  /** For the eyes only: screen readers hear the message when it is there. */
  private showTyping(isTyping: boolean): void {
    this.agentTyping?.remove();
    this.agentTyping = isTyping ? this.view.typing() : null;
    if (!this.agentTyping) return;
    this.agentTyping.setAttribute("aria-hidden", "true");
    this.log.append(this.agentTyping);
    this.scroll();
  }

  private watchTyping(): void {
    this.stopTyping();
    const { live } = this.session;
    if (live && this.backend.canSay) this.stopTyping = this.backend.watchTyping(live, (isTyping) => this.showTyping(isTyping));
  }

  private dispatch(entry: VisitorEntry): void {
    if (this.isWithAgent) this.toAgent = this.toAgent.then(() => this.say(entry));
    else void this.question(entry);
  }

  private async say(entry: VisitorEntry): Promise<void> {
    const { live } = this.session;
    if (!live || entry.id) return;
    try {
      const said = await this.backend.say(live, entry.text, entry.key);
      if (said) entry.id = said.id;
    } catch (error) {
      // The stream may have brought it back although the answer was lost.
      if (!entry.id) this.showFailure(entry, "agent", error);
    }
    this.save();
  }

  private async question(entry: VisitorEntry): Promise<void> {
    this.setBusy(true);
    const typing = this.view.typing();
    this.log.append(typing);
    this.scroll();
    try {
      const { text, links, suggestions, conversationId, answered } = await this.backend.ask(entry.text, entry.key, (soFar) => this.showWriting(typing, soFar));
      typing.remove();
      this.add({ kind: "bot", text, links, suggestions, conversationId, answered });
    } catch (error) {
      typing.remove();
      this.showFailure(entry, "bot", error);
    }
    this.setBusy(false);
    this.scroll();
    this.save();
  }

  private showFailure(entry: VisitorEntry, to: "bot" | "agent", error: unknown): void {
    entry.failed = to;
    const node = this.nodes.get(entry)!;
    this.view.offerRetry(node, entry);
    node.append(h("p", { class: "hint", dir: "auto" }, this.reason(error)));
    this.scroll();
  }

  /** Draws what came so far for the eyes; screen readers hear the finished answer, once. */
  private showWriting(node: HTMLElement, soFar: string): void {
    const isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.view.write(node, soFar);
    if (isAtEnd) this.scroll();
  }

  private setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.sendButton.setAttribute("aria-disabled", String(isBusy));
  }

  private reason(error: unknown): string {
    const { networkErrorText, errorText } = this.shell.config;
    return error instanceof NetworkError || !navigator.onLine ? networkErrorText : errorText;
  }

  vote(entry: BotEntry, isHelpful: boolean): void {
    const vote = isHelpful ? "yes" : "no";
    if (entry.vote === vote) return;
    const node = this.nodes.get(entry)!;
    this.backend.vote(entry.conversationId, isHelpful).then(() => {
      entry.vote = vote;
      this.view.markVote(node, vote);
      this.save();
    }, (error) => this.note(this.reason(error)));
  }

  wantHuman(entry: BotEntry, from: HTMLElement): void {
    this.log.querySelector(".mail")?.remove();
    const form = this.view.emailForm(entry);
    from.closest(".msg")!.append(form);
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input")!.focus();
  }

  sendEmail(entry: BotEntry, email: string | null): void {
    if (this.isBusy) return;
    this.setBusy(true);
    this.backend.handoff(entry.conversationId, email).then(() => {
      this.log.querySelector(".mail")?.remove();
      this.session.live = entry.conversationId;
      this.note(this.shell.config.handoffSentText);
      this.listen();
    }, (error) => this.note(this.reason(error))).finally(() => {
      this.setBusy(false);
      this.input.focus();
    });
  }

  private listen(): void {
    this.following?.stop();
    this.following = this.backend.follow({
      event: (event) => this.hear(event),
      state: (state) => {
        this.showState(state);
        if (state !== "live") return this.stopTyping();
        this.retryAll();
        this.watchTyping();
      },
      gap: () => {
        this.catchUp();
        setTimeout(() => this.catchUp(), SECOND_LOOK_MS);
      },
    });
    this.panel.toggleAttribute("data-live", this.following !== null);
  }

  private catchUp(): void {
    const { live } = this.session;
    if (live) this.backend.messages(live).then((all) => all.forEach((said) => this.receive(said)), () => {});
  }

  private hear(event: LiveEvent): void {
    if (event.message) this.receive(event.message);
    if (event.type === "CONVERSATION_RESOLVED" && event.conversationId === this.session.live) this.end();
    this.save();
  }

  /** The agent is done: what comes next goes to the bot again. */
  private end(): void {
    this.session.live = this.session.agent = null;
    this.stopTyping();
    this.note(this.tongue.words.ended);
    this.following?.stop();
    this.following = null;
    this.panel.removeAttribute("data-live");
    this.showState("live");
  }

  private receive(said: Said): void {
    const { entries } = this.session;
    if (said.author === "BOT" || entries.some((e) => "id" in e && e.id === said.id)) return;
    if (said.author === "VISITOR") {
      const own = entries.find((e): e is VisitorEntry => e.kind === "visitor" && !e.id && e.text === said.text);
      if (own) {
        own.id = said.id;
        if (own.failed) this.clearFailure(own);
      } else if (said.seq > 2) this.add({ kind: "visitor", text: said.text, id: said.id, key: said.id });
      return;
    }
    this.showTyping(false);
    this.toldTypingAt = 0;
    this.add({ kind: "agent", id: said.id, name: said.agentName, text: said.text });
    this.session.agent = said.agentName;
    this.showState("live");
    if (!this.panel.hidden) return;
    this.session.unread++;
    this.showUnread();
    this.herald.textContent = `${said.agentName || this.tongue.words.human}: ${said.text}`;
  }

  private showUnread(): void {
    const { launcher, config } = this.shell;
    if (!launcher) return;
    const { unread } = this.session;
    const name = fill(this.tongue.words.open, config.botName);
    launcher.setAttribute("aria-label", unread ? `${name}, ${fill(this.tongue.words.unread, unread)}` : name);
    launcher.querySelector(".badge")!.textContent = unread ? String(Math.min(unread, 99)) : "";
    this.save();
  }

  private showState(state: State): void {
    const isWaiting = state === "waiting" || (state === "connecting" && this.status.dataset.state === "waiting");
    this.status.dataset.state = isWaiting ? "waiting" : "live";
    const text = isWaiting ? this.tongue.words.reconnecting : this.session.agent ?? this.shell.config.onlineText;
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
