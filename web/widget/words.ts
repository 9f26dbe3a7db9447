// The texts of the widget that are not part of the site's settings: labels for screen readers and short messages.
// English is part of the panel. The other languages are in one file that is fetched only when it is needed.

export interface Words {
  open: string;
  close: string;
  restart: string;
  send: string;
  sources: string;
  helpful: string;
  unhelpful: string;
  unread: string;
  retry: string;
  you: string;
  human: string;
  suggestions: string;
  reconnecting: string;
  ended: string;
  log: string;
  poweredBy: string;
  reopened: string;
  newSession: string;
  noCredits: string;
  tooMany: string;
  full: string;
  waiting: string;
  mail: string;
}

/** `{}` is replaced by a name or a number. */
const ENGLISH: Words = {
  open: "Open chat with {}",
  close: "Close chat",
  restart: "Start again",
  send: "Send",
  sources: "Sources",
  helpful: "Helpful",
  unhelpful: "Not helpful",
  unread: "{} unread",
  retry: "Try again",
  you: "You",
  human: "Support",
  suggestions: "Did you mean",
  reconnecting: "Reconnecting…",
  ended: "The conversation was closed.",
  log: "Conversation",
  poweredBy: "Powered by",
  reopened: "The conversation was reopened.",
  newSession: "Your earlier conversation has expired. This is a new one.",
  noCredits: "The assistant cannot answer at the moment.",
  tooMany: "Too many messages at once. Please wait a moment.",
  full: "This conversation is full. Please start a new one.",
  waiting: "Waiting for a reply from the team",
  mail: "Send by e-mail",
};

const OTHERS = ["ar", "de", "es", "fr", "it", "nl", "pt"] as const;

const RIGHT_TO_LEFT = /^(ar|he|fa|ur|ps|yi|dv|ug|ckb|sd)$/;

export interface Locale {
  lang: string;
  dir: "ltr" | "rtl";
  words: Words;
}

/**
 * The language of the widget: the language of the site, or with `auto` that of the visitor, which is the language of the page
 * or else of the browser. The texts are English when the language is unknown or its file cannot be fetched. The server picks
 * the texts of the owner by the same rule.
 */
export async function localeOf(aiLanguage: string, language: string): Promise<Locale> {
  const wanted = aiLanguage === "auto" ? language : aiLanguage;
  const primary = wanted.toLowerCase().split(/[-_]/)[0]!;
  const dir = RIGHT_TO_LEFT.test(primary) ? "rtl" : "ltr";
  const other = OTHERS.find((name) => name === primary);
  const words = primary === "en" ? ENGLISH : other && await import("./locales/index").then((file) => file[other], () => undefined);
  return { lang: words ? wanted : "en", dir, words: words ?? ENGLISH };
}

export function fill(text: string, value: string | number): string {
  return text.replace("{}", String(value));
}
