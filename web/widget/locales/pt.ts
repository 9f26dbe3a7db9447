// The texts of the widget in Portuguese.

import type { Words } from "../words";

export const words: Words = {
  open: "Abrir o chat com {}",
  close: "Fechar o chat",
  restart: "Recomeçar",
  send: "Enviar",
  sources: "Fontes",
  helpful: "Útil",
  unhelpful: "Não útil",
  unread: "{} não lidas",
  retry: "Tentar de novo",
  you: "Você",
  human: "Suporte",
  suggestions: "Quis dizer",
  reconnecting: "A reconectar…",
  ended: "A conversa foi encerrada.",
  log: "Conversa",
  poweredBy: "Desenvolvido por",
  reopened: "A conversa foi reaberta.",
  newSession: "A sua conversa anterior expirou. Esta é nova.",
  noCredits: "O assistente não pode responder neste momento.",
  tooMany: "Demasiadas mensagens de uma vez. Aguarde um momento.",
  full: "Esta conversa está cheia. Inicie uma nova.",
  waiting: "À espera de uma resposta da equipa",
  mail: "Enviar por e-mail",
};
