// The texts of the widget in German.

import type { Words } from "../words";

export const words: Words = {
  open: "Chat mit {} öffnen",
  close: "Chat schließen",
  restart: "Neu beginnen",
  send: "Senden",
  sources: "Quellen",
  helpful: "Hilfreich",
  unhelpful: "Nicht hilfreich",
  unread: "{} ungelesen",
  retry: "Erneut versuchen",
  you: "Sie",
  human: "Support",
  suggestions: "Meinten Sie",
  reconnecting: "Verbindung wird wiederhergestellt…",
  ended: "Das Gespräch wurde beendet.",
  log: "Gespräch",
  poweredBy: "Bereitgestellt von",
  reopened: "Das Gespräch wurde wieder geöffnet.",
  newSession: "Ihr früheres Gespräch ist abgelaufen. Dies ist ein neues.",
  noCredits: "Der Assistent kann im Moment nicht antworten.",
  tooMany: "Zu viele Nachrichten auf einmal. Bitte warten Sie einen Moment.",
  full: "Dieses Gespräch ist voll. Bitte beginnen Sie ein neues.",
  waiting: "Warten auf eine Antwort des Teams",
  mail: "Per E-Mail senden",
};
