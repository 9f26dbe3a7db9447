// The form that sends the conversation to the visitor by e-mail. It mails a code first, because an address must be
// the visitor's own. The panel loads this file when the visitor asks for the form.

import type { WidgetConfig } from "./config";
import { h } from "./element";

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

const OTHERS: Record<string, TranscriptWords> = {
  de: { title: "Dieses Gespräch per E-Mail senden", sent: "Wir haben einen Code an {} gesendet. Bitte geben Sie ihn hier ein.", code: "Code", wrong: "Der Code ist falsch oder abgelaufen.", tooMany: "Zu viele Versuche. Bitte versuchen Sie es später erneut.", done: "Das Gespräch ist unterwegs an {}." },
  fr: { title: "Envoyer cette conversation par e-mail", sent: "Nous avons envoyé un code à {}. Veuillez le saisir ici.", code: "Code", wrong: "Le code est incorrect ou a expiré.", tooMany: "Trop de tentatives. Veuillez réessayer plus tard.", done: "La conversation est en route vers {}." },
  es: { title: "Enviar esta conversación por correo", sent: "Hemos enviado un código a {}. Introdúzcalo aquí.", code: "Código", wrong: "El código es incorrecto o ha caducado.", tooMany: "Demasiados intentos. Inténtelo más tarde.", done: "La conversación va en camino a {}." },
  it: { title: "Invia questa conversazione per e-mail", sent: "Abbiamo inviato un codice a {}. Inseriscilo qui.", code: "Codice", wrong: "Il codice è errato o scaduto.", tooMany: "Troppi tentativi. Riprova più tardi.", done: "La conversazione è in arrivo a {}." },
  pt: { title: "Enviar esta conversa por e-mail", sent: "Enviámos um código para {}. Introduza-o aqui.", code: "Código", wrong: "O código está errado ou expirou.", tooMany: "Demasiadas tentativas. Tente mais tarde.", done: "A conversa está a caminho de {}." },
  nl: { title: "Dit gesprek per e-mail versturen", sent: "We hebben een code naar {} gestuurd. Vul die hier in.", code: "Code", wrong: "De code is onjuist of verlopen.", tooMany: "Te veel pogingen. Probeer het later opnieuw.", done: "Het gesprek is onderweg naar {}." },
  ar: { title: "إرسال هذه المحادثة بالبريد الإلكتروني", sent: "أرسلنا رمزًا إلى {}. يرجى إدخاله هنا.", code: "الرمز", wrong: "الرمز غير صحيح أو انتهت صلاحيته.", tooMany: "محاولات كثيرة. يرجى المحاولة لاحقًا.", done: "المحادثة في طريقها إلى {}." },
};

export interface TranscriptForm {
  config: WidgetConfig;
  lang: string;
  badEmail: string;
  /** Mails a code to the address when `code` is null, and otherwise confirms the address and sends the conversation. */
  send(email: string, code: string | null): Promise<void>;
  /** Why a request failed, in words. */
  reason(error: unknown): string;
}

export function transcriptWords(lang: string): TranscriptWords {
  return OTHERS[lang.toLowerCase().split(/[-_]/)[0]!] ?? ENGLISH;
}

/** The form. It replaces its own content, and ends as a sentence. */
export function transcriptForm({ config, lang, badEmail, send, reason }: TranscriptForm): HTMLElement {
  const words = transcriptWords(lang);
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
  return form;
}
