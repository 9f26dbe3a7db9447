// The texts of the widget in Spanish.

import type { Words } from "../words";

export const words: Words = {
  open: "Abrir el chat con {}",
  close: "Cerrar el chat",
  restart: "Empezar de nuevo",
  send: "Enviar",
  sources: "Fuentes",
  helpful: "Útil",
  unhelpful: "No útil",
  unread: "{} sin leer",
  retry: "Reintentar",
  you: "Usted",
  human: "Soporte",
  suggestions: "Quizás quiso decir",
  reconnecting: "Reconectando…",
  ended: "La conversación ha terminado.",
  log: "Conversación",
  poweredBy: "Con tecnología de",
  reopened: "La conversación se ha reabierto.",
  newSession: "Su conversación anterior ha caducado. Esta es nueva.",
  noCredits: "El asistente no puede responder en este momento.",
  tooMany: "Demasiados mensajes a la vez. Espere un momento.",
  full: "Esta conversación está llena. Empiece una nueva.",
  waiting: "A la espera de una respuesta del equipo",
  mail: "Enviar por correo",
};
