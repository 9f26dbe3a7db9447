// The texts of the widget in Dutch.

import type { Words } from "../words";

export const words: Words = {
  open: "Chat met {} openen",
  close: "Chat sluiten",
  restart: "Opnieuw beginnen",
  send: "Versturen",
  sources: "Bronnen",
  helpful: "Nuttig",
  unhelpful: "Niet nuttig",
  unread: "{} ongelezen",
  retry: "Opnieuw proberen",
  you: "U",
  human: "Support",
  suggestions: "Bedoelde u",
  reconnecting: "Opnieuw verbinden…",
  ended: "Het gesprek is gesloten.",
  log: "Gesprek",
  poweredBy: "Mogelijk gemaakt door",
  reopened: "Het gesprek is heropend.",
  newSession: "Uw eerdere gesprek is verlopen. Dit is een nieuw gesprek.",
  noCredits: "De assistent kan op dit moment niet antwoorden.",
  tooMany: "Te veel berichten tegelijk. Wacht even.",
  full: "Dit gesprek is vol. Begin een nieuw gesprek.",
  waiting: "Wachten op een antwoord van het team",
  mail: "Per e-mail versturen",
};
