// Draws the entries of the chat log as nodes. It reports clicks and decides nothing. Texts of the server become DOM
// nodes only, never markup.

import { renderMarkdown, safeHref } from "../text/markdown";
import type { WidgetConfig } from "./config";
import { h, icon } from "./element";
import type { AgentEntry, BotEntry, Entry, Fault, Link, VisitorEntry } from "./state";
import type { Locale } from "./words";

export interface Actions {
  ask(question: string): void;
  retry(key: string): void;
  vote(key: string, isHelpful: boolean): void;
  wantHuman(conversationId: string): void;
  sendEmail(conversationId: string, email: string | null): void;
}

export class View {
  constructor(private readonly config: WidgetConfig, private readonly locale: Locale, private readonly actions: Actions) {}

  entry(entry: Entry): HTMLElement {
    if (entry.kind === "visitor") return this.visitor(entry);
    if (entry.kind === "bot") return this.bot(entry);
    if (entry.kind === "agent") return this.agent(entry);
    return h("p", { class: "note", dir: "auto" }, entry.text);
  }

  /** A bubble with the name of its author. The name of the bot is only for screen readers. */
  said(who: "bot" | "agent", name: string, text: string): HTMLElement {
    const bubble = h("div", { class: "text", dir: "auto" });
    bubble.append(renderMarkdown(text));
    return h("div", { class: `msg ${who}` }, h("span", { class: who === "agent" ? "name" : "sr" }, name), bubble);
  }

  private agent({ name, text, at }: AgentEntry): HTMLElement {
    const node = this.said("agent", name || this.locale.words.human, text);
    const date = new Date(at ?? "");
    if (Number.isNaN(date.getTime())) return node;
    node.append(h("time", { class: "hint", datetime: date.toISOString() }, timeOf(date, this.locale.lang)));
    return node;
  }

  typing(): HTMLElement {
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    return h("div", { class: "msg bot" }, h("div", { class: "text" }, this.config.typingText, dots));
  }

  /** Shows the answer so far in a typing indicator, or the indicator again when there is no text. */
  write(node: HTMLElement, soFar: string): void {
    const bubble = node.querySelector(".text")!;
    if (!soFar) return bubble.replaceChildren(...this.typing().querySelector(".text")!.childNodes);
    node.setAttribute("aria-hidden", "true");
    return bubble.replaceChildren(renderMarkdown(soFar));
  }

  private visitor(entry: VisitorEntry): HTMLElement {
    return h("div", { class: "msg visitor" }, h("span", { class: "sr" }, this.locale.words.you), h("div", { class: "text", dir: "auto" }, entry.text));
  }

  /** Shows why a message was not delivered, with a retry and the way to a human, or removes this again. */
  showFault(node: HTMLElement, { key, fault }: VisitorEntry, conversationId: string | null): void {
    if ((node.dataset.fault ?? "") === (fault ?? "")) return;
    node.querySelectorAll(".fault").forEach((part) => part.remove());
    delete node.dataset.fault;
    if (!fault) return;
    node.dataset.fault = fault;
    const retry = h("button", { class: "chip", type: "button", onclick: () => this.actions.retry(key) }, this.locale.words.retry);
    node.append(
      h("p", { class: "hint fault", dir: "auto" }, this.reason(fault)),
      h("div", { class: "row fault" }, retry, conversationId && fault !== "network" && this.human(conversationId)));
  }

  reason(fault: Fault): string {
    const { networkErrorText, errorText } = this.config;
    const { noCredits, tooMany, full } = this.locale.words;
    return { network: networkErrorText, server: errorText, credits: noCredits, rate: tooMany, full }[fault];
  }

  private bot(entry: BotEntry): HTMLElement {
    const node = this.said("bot", this.config.botName, entry.suggestions.length ? withoutLines(entry.text, entry.suggestions) : entry.text);
    if (entry.links.length) node.append(this.links(entry.links));
    if (entry.isPast) return node;
    if (entry.suggestions.length) node.append(this.suggestions(entry.suggestions));
    node.append(h("div", { class: "row" }, this.thumb(entry.key, true), this.thumb(entry.key, false), this.human(entry.conversationId)));
    return node;
  }

  private links(links: Link[]): HTMLElement {
    const items = links.slice(0, 5).map(({ title, url }, i) => {
      const href = safeHref(url);
      const text = titleOf(title);
      return h("li", {}, href ? h("a", { href, target: "_blank", rel: "noopener nofollow", "data-n": i + 1, dir: "auto" }, text) : h("span", { dir: "auto" }, text));
    });
    return h("ul", { class: "links", "aria-label": this.locale.words.sources }, ...items);
  }

  suggestions(questions: string[]): HTMLElement {
    const chips = questions.map((question) =>
      h("button", { class: "chip", type: "button", dir: "auto", onclick: () => this.actions.ask(question) }, question));
    return h("div", { class: "chips", role: "group", "aria-label": this.locale.words.suggestions }, ...chips);
  }

  private thumb(key: string, isHelpful: boolean): HTMLElement {
    const { helpful, unhelpful } = this.locale.words;
    const label = isHelpful ? helpful : unhelpful;
    const button = h("button", {
      class: "icon", type: "button", title: label, "aria-label": label, "aria-pressed": "false", onclick: () => this.actions.vote(key, isHelpful),
    });
    button.append(icon(isHelpful ? "up" : "down"));
    return button;
  }

  private human(conversationId: string): HTMLElement {
    return h("button", { class: "chip", type: "button", "data-human": true, onclick: () => this.actions.wantHuman(conversationId) }, this.config.handoffText);
  }

  /** Shows the vote and the site's text of thanks. */
  markVote(node: HTMLElement, vote: "yes" | "no" | undefined): void {
    if (!vote || node.dataset.vote === vote) return;
    node.dataset.vote = vote;
    node.querySelectorAll("[aria-pressed]").forEach((button, i) => button.setAttribute("aria-pressed", String((i === 0) === (vote === "yes"))));
    node.querySelector(".thanks")?.remove();
    const text = vote === "yes" ? this.config.feedbackYesText : this.config.feedbackNoText;
    if (text) node.append(h("p", { class: "hint thanks", dir: "auto" }, text));
  }

  /** A form for an optional e-mail address. */
  emailForm(conversationId: string): HTMLFormElement {
    const { config, locale: { words } } = this;
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
      else this.actions.sendEmail(conversationId, email || null);
    };
    input.setAttribute("aria-describedby", "hb-mail");
    return h("form", { class: "mail", novalidate: true, onsubmit: submit }, input, error, h("div", { class: "row" },
      h("button", { class: "solid", type: "submit" }, config.emailSendText),
      h("button", { class: "chip", type: "button", onclick: () => this.actions.sendEmail(conversationId, null) }, config.emailSkipText)));
  }
}

/** The text without the lines that are shown as buttons below it. */
function withoutLines(text: string, listed: string[]): string {
  return text.split("\n").filter((line) => !listed.includes(line.replace(/^[-*]\s+/, ""))).join("\n");
}

/** The time of today, or date and time of another day. A language tag that the browser does not know is ignored. */
function timeOf(date: Date, lang: string): string {
  const isToday = date.toDateString() === new Date().toDateString();
  const format: Intl.DateTimeFormatOptions = isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  try {
    return date.toLocaleString(lang, format);
  } catch {
    return date.toLocaleString(undefined, format);
  }
}

/** A title that is a URL is shown without its scheme. */
function titleOf(title: string): string {
  return title.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "");
}
