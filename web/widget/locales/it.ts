// The texts of the widget in Italian.

import type { Words } from "../words";

export const words: Words = {
  open: "Apri la chat con {}",
  close: "Chiudi la chat",
  restart: "Ricomincia",
  send: "Invia",
  sources: "Fonti",
  helpful: "Utile",
  unhelpful: "Non utile",
  unread: "{} non letti",
  retry: "Riprova",
  you: "Lei",
  human: "Assistenza",
  suggestions: "Forse intendeva",
  reconnecting: "Riconnessione…",
  ended: "La conversazione è terminata.",
  log: "Conversazione",
  poweredBy: "Offerto da",
  reopened: "La conversazione è stata riaperta.",
  newSession: "La conversazione precedente è scaduta. Questa è nuova.",
  noCredits: "L’assistente non può rispondere in questo momento.",
  tooMany: "Troppi messaggi in una volta. Attenda un momento.",
  full: "Questa conversazione è piena. Ne inizi una nuova.",
  waiting: "In attesa di una risposta del team",
  mail: "Invia per e-mail",
};
