// The forms in which a visitor says why an answer did not help, and how the help of the team was. The panel loads this file
// after such a vote, and after the team has closed a conversation.

import { Explain, type FeedbackReason, Rate } from "../generated/forms";
import type { h as H } from "./element";
import { OPINION_WORDS, type OpinionWords } from "./locales/opinion";
import type { Run } from "./transcript";

export interface OpinionForm {
  /** Creates elements. Passed by the panel, so that its file contains the function. */
  h: typeof H;
  lang: string;
  run: Run;
  conversationId: string;
  /** Why a request failed, as a sentence for the visitor. */
  reason(error: unknown): string;
}

/** As many as the server accepts. */
const COMMENT_MAX_CHARS = 1000;
const REASONS: FeedbackReason[] = ["NOT_RELEVANT", "INCOMPLETE", "OUTDATED", "WRONG", "UNCLEAR", "OTHER"];
const RATINGS = [1, 2, 3, 4, 5];

export function opinionWords(lang: string): OpinionWords {
  return OPINION_WORDS[lang.toLowerCase().split(/[-_]/)[0]!] ?? OPINION_WORDS["en"]!;
}

function accept([error]: Array<{ message: string; code: string }>): void {
  if (error) throw Object.assign(new Error(error.message), { code: error.code });
}

/** A form with one choice and a comment. It ends as a sentence. */
function opinionForm<T>({ h, lang, reason }: OpinionForm, title: string, choices: Array<[T, string, string]>, send: (choice: T | null, comment: string | null) => Promise<void>, needsChoice: boolean): HTMLFormElement {
  const words = opinionWords(lang);
  let chosen: T | null = null;
  let isBusy = false;
  const buttons = choices.map(([value, text, label]) => {
    const choose = () => {
      chosen = chosen === value && !needsChoice ? null : value;
      buttons.forEach((button, at) => {
        const isChosen = choices[at]![0] === chosen;
        button.className = isChosen ? "solid" : "chip";
        button.setAttribute("aria-pressed", String(isChosen));
      });
      submit.disabled = false;
    };
    return h("button", { class: "chip", type: "button", "aria-pressed": "false", "aria-label": label !== text && label, dir: "auto", onclick: choose }, text);
  });
  // Of one line, so that the only text area of the panel is the field for messages.
  const comment = h("input", { type: "text", maxlength: COMMENT_MAX_CHARS, placeholder: words.comment, "aria-label": words.comment, dir: "auto" });
  const error = h("p", { class: "bad", role: "alert", dir: "auto" });
  const submit = h("button", { class: "solid", type: "submit", disabled: needsChoice }, words.send);
  const form = h("form", {
    class: "mail",
    onsubmit: (event: Event) => {
      event.preventDefault();
      if (isBusy || (needsChoice && chosen === null)) return;
      isBusy = true;
      error.textContent = "";
      send(chosen, comment.value.trim() || null).then(
        () => form.replaceChildren(h("p", { class: "hint", role: "status", dir: "auto" }, words.thanks)),
        (failure) => void (error.textContent = reason(failure)),
      ).finally(() => void (isBusy = false));
    },
  },
    h("p", { class: "hint", dir: "auto" }, title),
    h("div", { class: "row", role: "group", "aria-label": title }, ...buttons),
    comment, error,
    h("div", { class: "row" }, submit, h("button", { class: "chip", type: "button", onclick: () => form.remove() }, words.skip)));
  return form;
}

/** Asks why an answer did not help. */
export function reasonForm(of: OpinionForm): HTMLFormElement {
  const { why, reasons } = opinionWords(of.lang);
  const send = async (reason: FeedbackReason | null, comment: string | null) =>
    accept((await of.run(Explain, { input: { conversationId: of.conversationId, feedback: "UNHELPFUL", reason, comment } })).submitFeedback.userErrors);
  return opinionForm(of, why, REASONS.map((reason, at) => [reason, reasons[at]!, reasons[at]!]), send, false);
}

/** Asks how the help of the team was. The first and the last number have their meaning beside them. */
export function ratingForm(of: OpinionForm): HTMLFormElement {
  const { rate, worst, best } = opinionWords(of.lang);
  const send = async (rating: number | null, comment: string | null) =>
    accept((await of.run(Rate, { input: { conversationId: of.conversationId, rating: rating!, comment } })).rateHandoff.userErrors);
  const meaning = (rating: number) => (rating === 1 ? `1: ${worst}` : rating === RATINGS.length ? `${rating}: ${best}` : String(rating));
  return opinionForm(of, `${rate} (1: ${worst}, ${RATINGS.length}: ${best})`, RATINGS.map((rating) => [rating, String(rating), meaning(rating)]), send, true);
}
