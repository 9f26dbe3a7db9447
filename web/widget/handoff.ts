// The form that asks for an optional e-mail address before a human is called. The panel loads this file when it is
// needed; without it the visitor's request is sent without an address.

import type { WidgetConfig } from "./config";
import { h } from "./element";

/** The form. `send` gets null when the visitor leaves no address. */
export function emailForm(config: WidgetConfig, badEmail: string, send: (email: string | null) => void): HTMLFormElement {
  const input = h("input", { type: "email", autocomplete: "email", maxlength: 254, placeholder: config.emailPlaceholder, "aria-label": config.emailPlaceholder });
  const error = h("p", { class: "bad", id: "hb-mail", role: "alert" });
  const submit = (event: Event) => {
    event.preventDefault();
    const email = input.value.trim();
    const isBad = email !== "" && !input.checkValidity();
    error.textContent = isBad ? badEmail : "";
    input.setAttribute("aria-invalid", String(isBad));
    if (isBad) input.focus();
    else send(email || null);
  };
  input.setAttribute("aria-describedby", "hb-mail");
  return h("form", { class: "mail", novalidate: true, onsubmit: submit }, input, error, h("div", { class: "row" },
    h("button", { class: "solid", type: "submit" }, config.emailSendText),
    h("button", { class: "chip", type: "button", onclick: () => send(null) }, config.emailSkipText)));
}
