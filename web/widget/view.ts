// Draws the entries of the chat log as nodes. It reports clicks and decides nothing. Texts of the server become DOM
// nodes only, never markup.

import { renderMarkdown, safeHref } from "../text/markdown";
import type { WidgetConfig } from "./config";
import { h, iconButton } from "./element";
import type { AgentEntry, BotEntry, Entry, Fault, Link, VisitorEntry } from "./state";
import type { Locale } from "./words";

export interface Actions {
  ask(question: string): void;
  retry(key: string): void;
  vote(key: string, isHelpful: boolean): void;
  wantHuman(conversationId: string | null): void;
}

export class View {
  readonly #config: WidgetConfig;
  readonly #locale: Locale;
  readonly #actions: Actions;

  constructor(config: WidgetConfig, locale: Locale, actions: Actions) {
    this.#config = config;
    this.#locale = locale;
    this.#actions = actions;
  }

  entry(entry: Entry): HTMLElement {
    if (entry.kind === "visitor") return this.#visitor(entry);
    if (entry.kind === "bot") return this.#bot(entry);
    if (entry.kind === "agent") return this.#agent(entry);
    return h("p", { class: "note", dir: "auto" }, entry.text);
  }

  /** A bubble with the name of its author. The name of the bot is only for screen readers. */
  said(who: "bot" | "agent", name: string, text: string): HTMLElement {
    const bubble = h("div", { class: "text", dir: "auto" });
    bubble.append(renderMarkdown(text));
    return h("div", { class: `msg ${who}` }, h("span", { class: who === "agent" ? "name" : "sr" }, name), bubble);
  }

  #agent({ name, text, at }: AgentEntry): HTMLElement {
    const node = this.said("agent", name || this.#locale.words.human, text);
    node.append(...this.#time(at));
    return node;
  }

  /** The time of a message, relative to now and with the exact time as a tooltip. Nothing when the time is not known. */
  #time(at: string | number | null | undefined): HTMLElement[] {
    const date = new Date(at ?? "");
    if (Number.isNaN(date.getTime())) return [];
    const node = h("time", { class: "hint", datetime: date.toISOString(), title: inLanguage(this.#locale.lang, (lang) => date.toLocaleString(lang)), "aria-live": "off" });
    this.#showTime(node);
    return [node];
  }

  #showTime(node: HTMLTimeElement): void {
    const text = inLanguage(this.#locale.lang, (lang) => timeOf(new Date(node.dateTime), lang));
    if (node.textContent !== text) node.textContent = text;
  }

  /** Brings the relative times up to date. */
  showTimes(log: HTMLElement): void {
    log.querySelectorAll("time").forEach((node) => this.#showTime(node));
  }

  typing(): HTMLElement {
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    return h("div", { class: "msg bot" }, h("div", { class: "text" }, this.#config.typingText, dots));
  }

  /** Shows the answer so far in a typing indicator, or the indicator again when there is no text. */
  write(node: HTMLElement, soFar: string): void {
    const bubble = node.querySelector(".text")!;
    if (!soFar) return bubble.replaceChildren(...this.typing().querySelector(".text")!.childNodes);
    node.setAttribute("aria-hidden", "true");
    return bubble.replaceChildren(renderMarkdown(soFar));
  }

  #visitor(entry: VisitorEntry): HTMLElement {
    return h("div", { class: "msg visitor" }, h("span", { class: "sr" }, this.#locale.words.you), h("div", { class: "text", dir: "auto" }, entry.text), ...this.#time(entry.at ?? entry.wroteAt));
  }

  /** Shows why a message was not delivered, with a retry and the way to a human, or removes this again. */
  showFault(node: HTMLElement, { key, fault }: VisitorEntry, conversationId: string | null): void {
    if ((node.dataset.fault ?? "") === (fault ?? "")) return;
    node.querySelectorAll(".fault").forEach((part) => part.remove());
    delete node.dataset.fault;
    if (!fault) return;
    node.dataset.fault = fault;
    const retry = h("button", { class: "chip", type: "button", onclick: () => this.#actions.retry(key) }, this.#locale.words.retry);
    node.append(
      h("p", { class: "hint fault", dir: "auto" }, this.reason(fault)),
      h("div", { class: "row fault" }, retry, fault !== "network" && this.human(conversationId)));
  }

  reason(fault: Fault): string {
    const { networkErrorText, errorText } = this.#config;
    const { noCredits, tooMany, full } = this.#locale.words;
    return { network: networkErrorText, server: errorText, credits: noCredits, rate: tooMany, full }[fault];
  }

  #bot(entry: BotEntry): HTMLElement {
    const node = this.said("bot", this.#config.botName, entry.suggestions.length ? withoutLines(entry.text, entry.suggestions) : entry.text);
    if (entry.links.length) node.append(this.#links(entry.links));
    if (entry.isPast) return node;
    if (entry.suggestions.length) node.append(this.suggestions(entry.suggestions));
    node.append(h("div", { class: "row" }, this.#thumb(entry.key, true), this.#thumb(entry.key, false), this.human(entry.conversationId), ...this.#time(entry.wroteAt)));
    return node;
  }

  #links(links: Link[]): HTMLElement {
    const items = links.slice(0, 5).map(({ title, url }, i) => {
      const href = safeHref(url);
      const text = titleOf(title);
      return h("li", {}, href ? h("a", { href, target: "_blank", rel: "noopener nofollow", "data-n": i + 1, dir: "auto" }, text) : h("span", { dir: "auto" }, text));
    });
    return h("ul", { class: "links", "aria-label": this.#locale.words.sources }, ...items);
  }

  suggestions(questions: string[]): HTMLElement {
    const chips = questions.map((question) =>
      h("button", { class: "chip", type: "button", dir: "auto", onclick: () => this.#actions.ask(question) }, question));
    return h("div", { class: "chips", role: "group", "aria-label": this.#locale.words.suggestions }, ...chips);
  }

  #thumb(key: string, isHelpful: boolean): HTMLElement {
    const { helpful, unhelpful } = this.#locale.words;
    const label = isHelpful ? helpful : unhelpful;
    return iconButton("thumb", label, () => this.#actions.vote(key, isHelpful), { "aria-pressed": "false" });
  }

  /** The button that asks for a human, without a conversation before the first question. */
  human(conversationId: string | null): HTMLElement {
    return h("button", { class: "chip", type: "button", "data-human": true, onclick: () => this.#actions.wantHuman(conversationId) }, this.#config.handoffText);
  }

  /** Shows the vote and the site's text of thanks. */
  markVote(node: HTMLElement, vote: "yes" | "no" | undefined): void {
    if (!vote || node.dataset.vote === vote) return;
    node.dataset.vote = vote;
    node.querySelectorAll("[aria-pressed]").forEach((button, i) => button.setAttribute("aria-pressed", String((i === 0) === (vote === "yes"))));
    node.querySelector(".thanks")?.remove();
    const text = vote === "yes" ? this.#config.feedbackYesText : this.#config.feedbackNoText;
    if (text) node.append(h("p", { class: "hint thanks", dir: "auto" }, text));
  }
}

/** The text without the lines that are shown as buttons below it. */
function withoutLines(text: string, listed: string[]): string {
  return text.split("\n").filter((line) => !listed.includes(line.replace(/^[-*]\s+/, ""))).join("\n");
}

/** `write` with this language, or with the language of the browser when it does not know the tag. */
function inLanguage(lang: string, write: (lang?: string) => string): string {
  try {
    return write(lang.replace("_", "-"));
  } catch {
    return write();
  }
}

/** Minutes within the last hour, the time of today, or date and time of another day. */
function timeOf(date: Date, lang?: string): string {
  const minutes = Math.min(0, Math.ceil((date.getTime() - Date.now()) / 60_000));
  if (minutes > -60) return new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" }).format(minutes, minutes ? "minute" : "second");
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(lang, isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** A title that is a URL is shown without its scheme. */
function titleOf(title: string): string {
  return title.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "");
}
