// The form that sends the conversation to the visitor by e-mail. It mails a code first, because an address must be
// the visitor's own. The panel loads this file when the visitor asks for the form.

import { Transcript, TranscriptCode } from "../generated/forms";
import type { Doc } from "../client/src/document";
import type { WidgetConfig } from "./config";
import type { h as H } from "./element";
import { expectedWords } from "./locales/expected";
import { TRANSCRIPT_WORDS } from "./locales/transcript";

export interface TranscriptWords {
  title: string;
  sent: string;
  code: string;
  wrong: string;
  tooMany: string;
  done: string;
}

/** `{}` is replaced by the address. */
const ENGLISH: TranscriptWords = {
  title: "Send this conversation by e-mail",
  sent: "We have sent a code to {}. Please enter it here.",
  code: "Code",
  wrong: "The code is wrong or has expired.",
  tooMany: "Too many attempts. Please try again later.",
  done: "The conversation is on its way to {}.",
};

export interface TranscriptForm {
  /** Creates elements. Passed by the panel, so that its file contains the function. */
  h: typeof H;
  config: WidgetConfig;
  lang: string;
  /** Mails a code to the address when `code` is null, and otherwise confirms the address and sends the conversation. */
  send(email: string, code: string | null): Promise<void>;
  /** Why a request failed, as a sentence for the visitor. */
  reason(error: unknown): string;
}

export type Run = <Result, Variables>(operation: Doc<Result, Variables>, variables: Variables) => Promise<Result>;

/** The requests of the form for a conversation. */
export function senderOf(run: Run, conversationId: string): TranscriptForm["send"] {
  const accept = (errors: Array<{ message: string; code: string }>) => {
    if (errors[0]) throw Object.assign(new Error(errors[0].message), { code: errors[0].code });
  };
  return async (email, code) => {
    const input = { conversationId, email };
    if (code === null) return accept((await run(TranscriptCode, { input })).requestTranscriptCode.userErrors);
    const { confirmTranscriptCode, sendTranscript } = await run(Transcript, { confirm: { ...input, code }, send: input });
    accept([...confirmTranscriptCode.userErrors, ...sendTranscript.userErrors]);
  };
}

/** Fills in the address that the page knows, and moves the focus into the field once it is shown. */
export function prefill(input: HTMLInputElement): void {
  input.value = globalThis.HelpBot?.who?.email ?? "";
  queueMicrotask(() => input.focus());
}

export function transcriptWords(lang: string): TranscriptWords {
  return TRANSCRIPT_WORDS[lang.toLowerCase().split(/[-_]/)[0]!] ?? ENGLISH;
}

/** The form. It replaces its own content, and ends as a sentence. */
export function transcriptForm({ h, config, lang, send, reason }: TranscriptForm): HTMLElement {
  const words = transcriptWords(lang);
  const { badEmail } = expectedWords(lang);
  const input = h("input", { type: "email", autocomplete: "email", maxlength: 254, placeholder: config.emailPlaceholder, "aria-label": words.title, "aria-describedby": "hb-copy" });
  const hint = h("p", { class: "hint", id: "hb-copy", role: "status", dir: "auto" }, words.title);
  const error = h("p", { class: "bad", role: "alert", dir: "auto" });
  const button = h("button", { class: "solid", type: "submit" }, config.emailSendText);
  let email = "";
  let isBusy = false;
  const fail = (text: string) => {
    error.textContent = text;
    input.focus();
  };
  const askForCode = () => {
    input.type = "text";
    input.value = "";
    input.placeholder = words.code;
    for (const [name, value] of Object.entries({ autocomplete: "one-time-code", inputmode: "numeric", maxlength: "12", "aria-label": words.code })) input.setAttribute(name, value);
    hint.textContent = words.sent.replace("{}", email);
    input.focus();
  };
  const explain = (failure: unknown): string => {
    const code = (failure as { code?: string }).code;
    if (code === "LIMIT_REACHED") return words.tooMany;
    return code === "BAD_USER_INPUT" ? (email ? words.wrong : badEmail) : reason(failure);
  };
  const submit = async () => {
    const value = input.value.trim();
    if (!value || !input.checkValidity()) return fail(email ? words.wrong : badEmail);
    error.textContent = "";
    if (!email) {
      await send(value, null);
      email = value;
      return askForCode();
    }
    await send(email, value);
    form.replaceChildren(h("p", { class: "hint", role: "status", dir: "auto" }, words.done.replace("{}", email)));
  };
  const form = h("form", {
    class: "mail", novalidate: true,
    onsubmit: (event: Event) => {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      submit().catch((failure) => fail(explain(failure))).finally(() => void (isBusy = false));
    },
  }, hint, input, error, h("div", { class: "row" }, button));
  prefill(input);
  return form;
}
