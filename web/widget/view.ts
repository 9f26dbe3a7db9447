// Draws what was said: each entry of the session as a node for the panel's log. Reports clicks, decides nothing.

import { renderMarkdown } from "../text/markdown";
import type { WidgetConfig } from "./config";
import { h, icon } from "./element";
import type { Entry, Link } from "./session";
import type { Tongue } from "./words";

type BotEntry = Extract<Entry, { kind: "bot" }>;
type VisitorEntry = Extract<Entry, { kind: "visitor" }>;

export interface Actions {
  ask(question: string): void;
  retry(entry: VisitorEntry): void;
  vote(entry: BotEntry, isHelpful: boolean): void;
  wantHuman(entry: BotEntry, from: HTMLElement): void;
  sendEmail(entry: BotEntry, email: string | null): void;
}

export class View {
  constructor(private readonly config: WidgetConfig, private readonly tongue: Tongue, private readonly actions: Actions) {}

  entry(entry: Entry): HTMLElement {
    if (entry.kind === "visitor") return this.visitor(entry);
    if (entry.kind === "bot") return this.bot(entry);
    if (entry.kind === "agent") return this.said("agent", entry.name || this.tongue.words.human, entry.text);
    return h("p", { class: "note", dir: "auto" }, entry.text);
  }

  /** A bubble with its speaker's name, which sighted visitors see only for people. */
  said(who: "bot" | "agent", name: string, text: string): HTMLElement {
    const bubble = h("div", { class: "text", dir: "auto" });
    bubble.append(renderMarkdown(text));
    return h("div", { class: `msg ${who}` }, h("span", { class: who === "agent" ? "name" : "sr" }, name), bubble);
  }

  typing(): HTMLElement {
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    return h("div", { class: "msg bot" }, h("div", { class: "text" }, this.config.typingText, dots));
  }

  /** Turns the sign of typing into the answer so far; without text it is the sign again. */
  write(node: HTMLElement, soFar: string): void {
    const bubble = node.querySelector(".text")!;
    if (!soFar) return bubble.replaceChildren(...this.typing().querySelector(".text")!.childNodes);
    node.setAttribute("aria-hidden", "true");
    return bubble.replaceChildren(renderMarkdown(soFar));
  }

  private visitor(entry: VisitorEntry): HTMLElement {
    const node = h("div", { class: "msg visitor" },
      h("span", { class: "sr" }, this.tongue.words.you), h("div", { class: "text", dir: "auto" }, entry.text));
    if (entry.failed) this.offerRetry(node, entry);
    return node;
  }

  offerRetry(node: HTMLElement, entry: VisitorEntry): void {
    node.append(h("button", { class: "chip", type: "button", onclick: () => this.actions.retry(entry) }, this.tongue.words.retry));
  }

  private bot(entry: BotEntry): HTMLElement {
    const node = this.said("bot", this.config.botName, entry.suggestions.length ? withoutLines(entry.text, entry.suggestions) : entry.text);
    if (entry.links.length) node.append(this.links(entry.links));
    if (entry.suggestions.length) node.append(this.suggestions(entry.suggestions));
    node.append(this.votes(entry));
    return node;
  }

  private links(links: Link[]): HTMLElement {
    const items = links.slice(0, 5).map(({ title, url }, i) => h("li", {},
      h("a", { href: url, target: "_blank", rel: "noopener nofollow", "data-n": i + 1, dir: "auto" }, titleOf(title))));
    return h("ul", { class: "links", "aria-label": this.tongue.words.sources }, ...items);
  }

  private suggestions(questions: string[]): HTMLElement {
    const chips = questions.map((question) =>
      h("button", { class: "chip", type: "button", dir: "auto", onclick: () => this.actions.ask(question) }, question));
    return h("div", { class: "row", role: "group", "aria-label": this.tongue.words.suggestions }, ...chips);
  }

  private votes(entry: BotEntry): HTMLElement {
    const { words } = this.tongue;
    const thumb = (isHelpful: boolean) => {
      const button = h("button", {
        class: "icon", type: "button", title: isHelpful ? words.helpful : words.unhelpful,
        "aria-label": isHelpful ? words.helpful : words.unhelpful, "aria-pressed": String(entry.vote === (isHelpful ? "yes" : "no")),
        onclick: () => this.actions.vote(entry, isHelpful),
      });
      button.append(icon(isHelpful ? "up" : "down"));
      return button;
    };
    const human: HTMLButtonElement = h("button", {
      class: "chip", type: "button", "data-human": true, onclick: () => this.actions.wantHuman(entry, human),
    }, this.config.handoffText);
    return h("div", { class: "row" }, thumb(true), thumb(false), human);
  }

  /** Shows the vote where it was given, with the site's words of thanks. */
  markVote(node: HTMLElement, vote: "yes" | "no"): void {
    node.querySelectorAll("[aria-pressed]").forEach((button, i) => button.setAttribute("aria-pressed", String((i === 0) === (vote === "yes"))));
    node.querySelector(".hint")?.remove();
    const text = vote === "yes" ? this.config.feedbackYesText : this.config.feedbackNoText;
    if (text) node.append(h("p", { class: "hint", dir: "auto" }, text));
  }

  /** Asks for an address, which may be left out. */
  emailForm(entry: BotEntry): HTMLFormElement {
    const { config, tongue: { words } } = this;
    const input = h("input", {
      type: "email", autocomplete: "email", maxlength: 254, placeholder: config.emailPlaceholder, "aria-label": config.emailPlaceholder,
    });
    const error = h("p", { class: "bad", id: "hb-mail", role: "alert" });
    const submit = (event: Event) => {
      event.preventDefault();
      const email = input.value.trim();
      const isBad = email !== "" && !input.checkValidity();
      error.textContent = isBad ? words.badEmail : "";
      input.setAttribute("aria-invalid", String(isBad));
      if (isBad) input.focus();
      else this.actions.sendEmail(entry, email || null);
    };
    input.setAttribute("aria-describedby", "hb-mail");
    return h("form", { class: "mail", novalidate: true, onsubmit: submit }, input, error, h("div", { class: "row" },
      h("button", { class: "solid", type: "submit" }, config.emailSendText),
      h("button", { class: "chip", type: "button", onclick: () => this.actions.sendEmail(entry, null) }, config.emailSkipText)));
  }
}

/** The text without the list of what stands under it as buttons. */
function withoutLines(text: string, listed: string[]): string {
  return text.split("\n").filter((line) => !listed.includes(line.replace(/^[-*]\s+/, ""))).join("\n");
}

/** An address without its ceremony; any other title as it is. */
function titleOf(title: string): string {
  return title.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "");
}
