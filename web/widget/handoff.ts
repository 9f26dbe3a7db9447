// The form that asks for an optional e-mail address before a human is called, and says when somebody replies. The panel
// loads this file when it is needed; without it the visitor's request is sent without an address.

import { Expected, type ExpectedResult } from "../generated/forms";
import type { WidgetConfig } from "./config";
import type { h as H } from "./element";
import { expectedWords } from "./locales/expected";
import { type Run, prefill } from "./transcript";

type ExpectedReply = NonNullable<NonNullable<ExpectedResult["site"]>["expectedReply"]>;

export interface HandoffForm {
  /** Creates elements. Passed by the panel, so that its file contains the function. */
  h: typeof H;
  config: WidgetConfig;
  lang: string;
  /** Null in the preview, which has no server. */
  run: Run | null;
  /** Gets null when the visitor leaves no address. */
  send(email: string | null): void;
}

/** What the visitor can expect, as a sentence. Empty when nothing is known. */
export function expectation({ isTeamHere, isOpen, opensAt, typicalMinutes }: ExpectedReply, lang: string): string {
  const words = expectedWords(lang);
  if (isOpen === false && opensAt) return words.opens.replace("{}", new Date(opensAt).toLocaleString(lang.replace("_", "-"), { weekday: "long", hour: "numeric", minute: "2-digit" }));
  if (typicalMinutes !== null && isOpen !== false) {
    const [count, unit] = typicalMinutes < 60 ? [typicalMinutes, "minute"] : typicalMinutes < 60 * 24 ? [Math.round(typicalMinutes / 60), "hour"] : [Math.round(typicalMinutes / 60 / 24), "day"];
    return words.usually.replace("{}", new Intl.NumberFormat(lang.replace("_", "-"), { style: "unit", unit, unitDisplay: "long" }).format(count as number));
  }
  return isTeamHere ? words.here : "";
}

/** The form. What can be expected appears as soon as the server has said it. */
export function emailForm({ h, config, lang, run, send }: HandoffForm): HTMLFormElement {
  const input = h("input", { type: "email", autocomplete: "email", maxlength: 254, placeholder: config.emailPlaceholder, "aria-label": config.emailPlaceholder });
  const hint = h("p", { class: "hint", role: "status", dir: "auto", hidden: true });
  const error = h("p", { class: "bad", id: "hb-mail", role: "alert" });
  if (run) {
    run(Expected, {}).then(({ site }) => {
      const text = site?.expectedReply ? expectation(site.expectedReply, lang) : "";
      hint.textContent = text;
      hint.hidden = !text;
    }, () => {});
  }
  const submit = (event: Event) => {
    event.preventDefault();
    const email = input.value.trim();
    const isBad = email !== "" && !input.checkValidity();
    error.textContent = isBad ? expectedWords(lang).badEmail : "";
    input.setAttribute("aria-invalid", String(isBad));
    if (isBad) input.focus();
    else send(email || null);
  };
  input.setAttribute("aria-describedby", "hb-mail");
  prefill(input);
  return h("form", { class: "mail", novalidate: true, onsubmit: submit }, hint, input, error, h("div", { class: "row" },
    h("button", { class: "solid", type: "submit" }, config.emailSendText),
    h("button", { class: "chip", type: "button", onclick: () => send(null) }, config.emailSkipText)));
}
