// The texts of the widget in French.

import type { Words } from "../words";

export const words: Words = {
  open: "Ouvrir le chat avec {}",
  close: "Fermer le chat",
  restart: "Recommencer",
  send: "Envoyer",
  sources: "Sources",
  helpful: "Utile",
  unhelpful: "Pas utile",
  unread: "{} non lus",
  retry: "Réessayer",
  you: "Vous",
  human: "Support",
  suggestions: "Vouliez-vous dire",
  reconnecting: "Reconnexion…",
  ended: "La conversation est terminée.",
  log: "Conversation",
  poweredBy: "Propulsé par",
  reopened: "La conversation a été rouverte.",
  newSession: "Votre conversation précédente a expiré. En voici une nouvelle.",
  noCredits: "L’assistant ne peut pas répondre pour le moment.",
  tooMany: "Trop de messages à la fois. Veuillez patienter un instant.",
  full: "Cette conversation est pleine. Veuillez en commencer une nouvelle.",
  waiting: "En attente d’une réponse de l’équipe",
  mail: "Envoyer par e-mail",
};
