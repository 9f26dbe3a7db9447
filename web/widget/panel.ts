// The panel: it draws the state of the chat and passes what the visitor does to it. The loader fetches this file when
// the visitor first shows interest.
//
// It moves the focus into the field on opening and back to the launcher on closing. Answers become DOM nodes only.

import type { Backend } from "./backend";
import { pageBehind } from "./behind";
import { Chat } from "./chat";
import { isOfInputMethod } from "../text/keys";
import { h, icon, iconButton } from "./element";
import { faultOf } from "./outgoing";
import type { Panel, Shell } from "./shell";
import { type AgentEntry, type BotEntry, type Entry, liveConversation } from "./state";
import type { Store } from "./store";
import { PANEL_STYLE } from "./styles";
import type { Run } from "./transcript";
import { View } from "./view";
import { type Locale, fill } from "./words";

/** On such a screen the panel fills the window. */
const SMALL = matchMedia("(max-width: 480px), (max-height: 480px)");
const QUESTION_MAX_CHARS = 1000;
const MESSAGE_MAX_CHARS = 4000;
/** The forms in the file that is loaded when one is needed. */
type FormName = Exclude<keyof typeof import("./extras"), "tell">;
/** The draft is stored after this pause, not on every key. */
const DRAFT_MS = 400;
/** Relative times, the address of the page and its visitor, who can sign in and out without a page load, are looked at this often. */
const LOOK_MS = 1_000;
/** A chat log that is scrolled this close to its end follows new messages. */
const NEAR_END_PX = 60;

export class WidgetPanel implements Panel {
  readonly #view: View;
  readonly #chat: Chat;
  readonly #nodes = new Map<string, HTMLElement>();
  readonly #pending = new Map<string, HTMLElement>();
  readonly #log = h("div", { class: "log", role: "log", "aria-live": "polite", tabindex: 0 });
  readonly #input = h("textarea", { rows: 1, enterkeyhint: "send", dir: "auto" });
  readonly #sendButton = h("button", { class: "icon", type: "submit" });
  /** Opens the form that sends the conversation by e-mail. */
  readonly #mailButton: HTMLButtonElement;
  readonly #status = h("p", { role: "status" });
  /** Announces messages to screen readers while the panel is closed. */
  readonly #announcer = h("div", { class: "sr", "aria-live": "polite" });
  readonly #agentTyping: HTMLElement;
  /** Questions that the page or the site suggests before the first one is asked. */
  readonly #starters: HTMLElement;
  readonly #panel: HTMLElement;
  readonly #sheet = new CSSStyleSheet();
  #run = "";
  #isAgentTyping = false;
  readonly #setInert: (isInert: boolean) => void;
  readonly #clock: ReturnType<typeof setInterval>;
  #draftTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #shell: Shell;
  readonly #locale: Locale;
  readonly #backend: Backend;

  constructor(shell: Shell, locale: Locale, backend: Backend, store: Store, starters: string[] | Promise<string[]>) {
    this.#shell = shell;
    this.#setInert = pageBehind(shell.host);
    this.#locale = locale;
    this.#backend = backend;
    const { config, root, launcher } = shell;
    this.#view = new View(config, locale, this);
    const { ended, mail, reopened, newSession } = this.#locale.words;
    this.#mailButton = iconButton("mail", mail, () => this.#sendByMail(), { hidden: true });
    this.#chat = new Chat(store, backend, { handoffSent: config.handoffSentText, ended, reopened, newSession }, this);
    this.#starters = this.#view.suggestions([]);
    Promise.resolve(starters).then((questions) => this.#starters.prepend(...this.#view.suggestions(questions).children));
    if (backend.canSay) this.#starters.append(this.#view.human(null));
    this.#agentTyping = this.#view.typing();
    this.#agentTyping.setAttribute("aria-hidden", "true");
    this.#sheet.replaceSync(PANEL_STYLE);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#sheet];
    this.#panel = this.#build();
    this.#panel.hidden = launcher !== null;
    root.append(this.#panel, this.#announcer);
    launcher?.setAttribute("aria-controls", this.#panel.id);
    this.#input.value = store.state.draft;
    this.#chat.start();
    this.#clock = setInterval(() => {
      this.#chat.report();
      if (!this.#panel.hidden) this.#view.showTimes(this.#log);
    }, LOOK_MS);
    this.#chat.setOpen(launcher === null);
    SMALL.addEventListener("change", this.#onResize);
    this.#scroll();
  }

  #setModal(isModal: boolean): void {
    this.#panel.ariaModal = isModal ? "true" : null;
    this.#setInert(isModal);
  }

  readonly #onResize = () => this.#setModal(!this.#panel.hidden && this.#shell.launcher !== null && SMALL.matches);

  /** Tells the page what happens in the chat. Pages listen with `HelpBot.on`. */
  #emit(name: string, detail: object = {}): void {
    this.#shell.host.dispatchEvent(new CustomEvent(`helpbot:${name}`, { detail, bubbles: true }));
  }

  destroy(): void {
    this.#keepDraft();
    this.#setModal(false);
    SMALL.removeEventListener("change", this.#onResize);
    this.#chat.stop();
    clearInterval(this.#clock);
    this.#panel.remove();
    this.#announcer.remove();
    const { root } = this.#shell;
    root.adoptedStyleSheets = root.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  toggle(): void {
    if (this.#panel.hidden) this.open();
    else this.close();
  }

  #setOpen(isOpen: boolean): void {
    this.#panel.hidden = !isOpen;
    this.#shell.launcher?.setAttribute("aria-expanded", String(isOpen));
    this.#chat.setOpen(isOpen);
    this.#onResize();
    this.#emit(isOpen ? "open" : "close");
  }

  open(): void {
    this.#view.showTimes(this.#log);
    this.#setOpen(true);
    this.#grow();
    this.#scroll();
    this.#input.focus();
  }

  close(): void {
    if (!this.#shell.launcher || this.#panel.hidden) return;
    this.#setOpen(false);
    this.#shell.launcher.focus();
  }

  #build(): HTMLElement {
    const { config, launcher } = this.#shell;
    const { words, lang, dir } = this.#locale;
    this.#sendButton.append(icon("send"));
    this.#sendButton.ariaLabel = words.send;
    this.#log.ariaLabel = words.log;
    this.#input.placeholder = config.inputPlaceholder;
    this.#input.ariaLabel = config.inputPlaceholder;
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event)) return;
      event.preventDefault();
      this.#submit();
    });
    const compose = h("form", { class: "compose", onsubmit: (event: Event) => (event.preventDefault(), this.#submit()) }, this.#input, this.#sendButton);
    return h("div", {
      class: "panel", id: "hb-panel", role: "dialog", "aria-labelledby": "hb-name", lang, dir,
      onkeydown: (event: KeyboardEvent) => event.key === "Escape" && !isOfInputMethod(event) && this.close(),
    },
      h("div", { class: "head" }, h("div", { class: "who" }, h("h2", { id: "hb-name", dir: "auto" }, config.botName), this.#status), this.#mailButton,
        iconButton("restart", words.restart, () => this.#restart()), launcher && iconButton("close", words.close, () => this.close())),
      this.#log, compose,
      config.showBranding && h("p", { class: "brand" }, `${words.poweredBy} HelpBot`));
  }

  /** Draws the state. Existing nodes stay in place, so that screen readers hear only what is new. */
  changed(): void {
    const { state, isWithTeam, isBusy } = this.#chat;
    const isNew = state.run !== this.#run;
    if (isNew) this.#clear();
    const isAtEnd = isNew || this.#isAtEnd;
    let isOwn = false;
    const listed = state.entries.map((entry) => {
      const known = this.#nodes.get(entry.key);
      isOwn ||= !known && entry.kind === "visitor";
      const node = known ?? this.#view.entry(entry);
      this.#nodes.set(entry.key, node);
      this.#update(node, entry);
      return node;
    });
    const waiting = state.entries.filter((entry) => entry.kind === "visitor" && entry.to === "bot" && entry.sender).map(({ key }) => this.#pendingNode(key));
    for (const [key, node] of this.#pending) if (!waiting.includes(node)) this.#pending.delete(key), node.remove();
    for (const [key, node] of this.#nodes) if (!listed.includes(node)) this.#nodes.delete(key), node.remove();
    this.#starters.hidden = listed.length > 0;
    this.#place([...listed, ...waiting, ...this.#isAgentTyping ? [this.#agentTyping] : []]);
    if (!this.#isAgentTyping) this.#agentTyping.remove();
    this.#mailButton.hidden = !this.#backend.run || !state.session || !this.#lastConversation;
    this.#panel.toggleAttribute("data-live", isWithTeam);
    this.#sendButton.ariaDisabled = String(isBusy && !isWithTeam);
    this.#showStatus();
    this.#showUnread();
    // New messages do not move what the visitor is reading further up.
    if (isAtEnd || isOwn) this.#scroll();
  }

  #update(node: HTMLElement, entry: Entry): void {
    if (entry.kind === "bot") {
      this.#view.markVote(node, entry.vote);
      if (entry.isPast) node.querySelectorAll(".row").forEach((row) => row.remove());
    }
    if (entry.kind === "visitor") this.#view.showFault(node, entry, this.#lastConversation);
  }

  /** Puts the nodes after the greeting in this order and moves only those that are in another place. */
  #place(nodes: HTMLElement[]): void {
    let before: Element | null = this.#starters.isConnected ? this.#starters : this.#log.querySelector(".greeting");
    for (const node of nodes) {
      if ((before ? before.nextElementSibling : this.#log.firstElementChild) !== node) (before ? before.after(node) : this.#log.prepend(node));
      before = node;
    }
  }

  #clear(): void {
    const { config } = this.#shell;
    this.#run = this.#chat.state.run;
    this.#nodes.clear();
    this.#pending.clear();
    this.#log.replaceChildren();
    if (config.greeting) {
      const greeting = this.#view.said("bot", config.botName, config.greeting);
      greeting.classList.add("greeting");
      this.#log.append(greeting);
    }
    this.#log.append(this.#starters);
  }

  #pendingNode(key: string): HTMLElement {
    const node = this.#pending.get(key) ?? this.#view.typing();
    this.#pending.set(key, node);
    return node;
  }

  get #lastConversation(): string | null {
    return this.#chat.state.entries.findLast((entry) => entry.kind === "bot" && !entry.isPast)?.key ?? null;
  }

  get #isAtEnd(): boolean {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR_END_PX;
  }

  #scroll(): void {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #grow(): void {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight + 2}px`;
    // A text that is too long is not cut, because the rest would be lost unnoticed.
    const { length } = this.#text;
    const max = this.#chat.isWithTeam ? MESSAGE_MAX_CHARS : QUESTION_MAX_CHARS;
    this.#input.setCustomValidity(length > max ? `${length} / ${max}` : "");
  }

  get #text(): string {
    return this.#input.value.trim();
  }

  #typed(): void {
    this.#grow();
    if (this.#input.value) this.#chat.tellTyping();
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => this.#keepDraft(), DRAFT_MS);
  }

  #keepDraft(): void {
    clearTimeout(this.#draftTimer);
    this.#chat.setDraft(this.#input.value);
  }

  #restart(): void {
    this.#chat.restart();
    this.#empty();
    this.#input.focus();
  }

  #empty(): void {
    this.#input.value = "";
    clearTimeout(this.#draftTimer);
    this.#grow();
  }

  #submit(): void {
    this.#grow();
    if (this.#text && this.#input.reportValidity() && this.#chat.send(this.#text)) this.#empty();
  }

  ask(text: string): void {
    const question = text.trim().slice(0, QUESTION_MAX_CHARS);
    if (this.#panel.hidden) this.open();
    // A question that cannot be asked now stays in the field.
    if (question && !this.#chat.send(question)) this.#input.value = question;
  }

  retry(key: string): void {
    this.#input.focus();
    this.#chat.retry(key);
  }

  vote(key: string, isHelpful: boolean): void {
    const node = this.#nodes.get(key)!;
    this.#chat.vote(key, isHelpful).then(() => isHelpful || this.#form("reasonForm", { conversationId: key }, node), (error) => this.#showFailure(node, error));
  }

  closed(conversationId: string): void {
    this.#form("ratingForm", { conversationId });
  }

  wantHuman(conversationId: string | null): void {
    const send = (email: string | null) => this.#callHuman(conversationId, email);
    this.#form("emailForm", { send }, this.#log, () => send(null));
  }

  #sendByMail(): void {
    this.#form("transcriptForm", { conversationId: this.#lastConversation }, this.#log, () => this.#showFailure(this.#log, null));
  }

  /**
   * Shows a form at the end of a node. The file of the forms imports nothing of the panel, so that its code stays in one file. In
   * the preview, which has no server, only the form without a conversation is shown.
   */
  #form(name: FormName, more: object, place: HTMLElement = this.#log, otherwise = () => {}): void {
    const { run } = this.#backend;
    const { session } = this.#chat.state;
    const toServer: Run | null = run && ((operation, variables) => run(session, operation, variables));
    if (!run && name !== "emailForm") return;
    import("./extras").then((file) => {
      const make = file[name] as (of: object) => HTMLElement;
      this.#log.querySelector(".mail")?.remove();
      place.append(make({
        h, config: this.#shell.config, lang: this.#locale.lang, run: toServer, reason: (error: unknown) => this.#view.reason(faultOf(error)), ...more,
      }));
      this.#scroll();
    }).catch(otherwise);
  }

  #callHuman(conversationId: string | null, email: string | null): void {
    if (this.#chat.isBusy) return;
    const form = this.#log.querySelector<HTMLElement>(".mail");
    this.#chat.handoff(conversationId, email).then(() => {
      form?.remove();
      this.#emit("handoff", { conversationId: liveConversation(this.#chat.state) });
      this.#input.focus();
    }, (error) => this.#showFailure(form ?? this.#log, error));
  }

  /** Shows below `node` why an action failed. */
  #showFailure(node: HTMLElement, error: unknown): void {
    node.querySelector(".failure")?.remove();
    node.append(h("p", { class: "hint failure", role: "alert", dir: "auto" }, this.#view.reason(faultOf(error))));
  }

  writing(key: string, text: string): void {
    const isAtEnd = this.#isAtEnd;
    this.#view.write(this.#pendingNode(key), text);
    if (isAtEnd) this.#scroll();
  }

  answered({ text, answered, conversationId }: BotEntry): void {
    this.#emit("answer", { text, isAnswered: answered, conversationId });
  }

  heard(messages: AgentEntry[]): void {
    for (const { name, text } of messages) this.#emit("message", { name, text });
    if (!this.#panel.hidden) return;
    this.#announcer.textContent = messages.map(({ name, text }) => `${name || this.#locale.words.human}: ${text}`).join("\n");
  }

  /** The indicator is only for sighted visitors. Screen readers hear the message when it arrives. */
  teamTyping(isTyping: boolean): void {
    if (isTyping === this.#isAgentTyping) return;
    this.#isAgentTyping = isTyping;
    this.changed();
  }

  #showUnread(): void {
    const { launcher, config } = this.#shell;
    if (!launcher) return;
    const { unread } = this.#chat.state;
    const name = fill(this.#locale.words.open, config.botName);
    const label = unread ? `${name}, ${fill(this.#locale.words.unread, unread)}` : name;
    if (launcher.ariaLabel !== label) launcher.ariaLabel = label;
    launcher.querySelector(".badge")!.textContent = unread ? String(Math.min(unread, 99)) : "";
  }

  #showStatus(): void {
    const { connection, state, isTeamHere } = this.#chat;
    const { words } = this.#locale;
    const isLost = connection === "waiting" || (connection === "connecting" && this.#status.dataset.state === "waiting");
    const isAway = !isLost && liveConversation(state) !== null && !isTeamHere;
    const text = isLost ? words.reconnecting : state.agent ?? (isAway ? words.waiting : this.#shell.config.onlineText);
    this.#status.dataset.state = isLost ? "waiting" : isAway ? "away" : "live";
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}
