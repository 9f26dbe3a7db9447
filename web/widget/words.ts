// The texts of the widget that are not part of the site's settings: labels for screen readers and short messages.
// They use the language of the site, or the language of the page when the site has none.

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
  badEmail: string;
  ended: string;
  log: string;
  poweredBy: string;
  reopened: string;
  newSession: string;
  noCredits: string;
  tooMany: string;
  waiting: string;
}

const NAMES = ["open", "close", "restart", "send", "sources", "helpful", "unhelpful", "unread", "retry", "you", "human",
  "suggestions", "reconnecting", "badEmail", "ended", "log", "poweredBy", "reopened", "newSession", "noCredits", "tooMany", "waiting"] as const;

// One line for each language, in the order of NAMES. `{}` is replaced by a name or a number.
const TEXTS: Record<string, string> = {
  en: "Open chat with {}|Close chat|Start again|Send|Sources|Helpful|Not helpful|{} unread|Try again|You|Support|Did you mean|Reconnecting…|Please check the e-mail address.|The conversation was closed.|Conversation|Powered by|The conversation was reopened.|Your earlier conversation has expired. This is a new one.|The assistant cannot answer at the moment.|Too many messages at once. Please wait a moment.|Waiting for a reply from the team",
  de: "Chat mit {} öffnen|Chat schließen|Neu beginnen|Senden|Quellen|Hilfreich|Nicht hilfreich|{} ungelesen|Erneut versuchen|Sie|Support|Meinten Sie|Verbindung wird wiederhergestellt…|Bitte prüfen Sie die E-Mail-Adresse.|Das Gespräch wurde beendet.|Gespräch|Bereitgestellt von|Das Gespräch wurde wieder geöffnet.|Ihr früheres Gespräch ist abgelaufen. Dies ist ein neues.|Der Assistent kann im Moment nicht antworten.|Zu viele Nachrichten auf einmal. Bitte warten Sie einen Moment.|Warten auf eine Antwort des Teams",
  fr: "Ouvrir le chat avec {}|Fermer le chat|Recommencer|Envoyer|Sources|Utile|Pas utile|{} non lus|Réessayer|Vous|Support|Vouliez-vous dire|Reconnexion…|Veuillez vérifier l’adresse e-mail.|La conversation est terminée.|Conversation|Propulsé par|La conversation a été rouverte.|Votre conversation précédente a expiré. En voici une nouvelle.|L’assistant ne peut pas répondre pour le moment.|Trop de messages à la fois. Veuillez patienter un instant.|En attente d’une réponse de l’équipe",
  es: "Abrir el chat con {}|Cerrar el chat|Empezar de nuevo|Enviar|Fuentes|Útil|No útil|{} sin leer|Reintentar|Usted|Soporte|Quizás quiso decir|Reconectando…|Compruebe la dirección de correo.|La conversación ha terminado.|Conversación|Con tecnología de|La conversación se ha reabierto.|Su conversación anterior ha caducado. Esta es nueva.|El asistente no puede responder en este momento.|Demasiados mensajes a la vez. Espere un momento.|A la espera de una respuesta del equipo",
  it: "Apri la chat con {}|Chiudi la chat|Ricomincia|Invia|Fonti|Utile|Non utile|{} non letti|Riprova|Lei|Assistenza|Forse intendeva|Riconnessione…|Controlli l’indirizzo e-mail.|La conversazione è terminata.|Conversazione|Offerto da|La conversazione è stata riaperta.|La conversazione precedente è scaduta. Questa è nuova.|L’assistente non può rispondere in questo momento.|Troppi messaggi in una volta. Attenda un momento.|In attesa di una risposta del team",
  pt: "Abrir o chat com {}|Fechar o chat|Recomeçar|Enviar|Fontes|Útil|Não útil|{} não lidas|Tentar de novo|Você|Suporte|Quis dizer|A reconectar…|Verifique o endereço de e-mail.|A conversa foi encerrada.|Conversa|Desenvolvido por|A conversa foi reaberta.|A sua conversa anterior expirou. Esta é nova.|O assistente não pode responder neste momento.|Demasiadas mensagens de uma vez. Aguarde um momento.|À espera de uma resposta da equipa",
  nl: "Chat met {} openen|Chat sluiten|Opnieuw beginnen|Versturen|Bronnen|Nuttig|Niet nuttig|{} ongelezen|Opnieuw proberen|U|Support|Bedoelde u|Opnieuw verbinden…|Controleer het e-mailadres.|Het gesprek is gesloten.|Gesprek|Mogelijk gemaakt door|Het gesprek is heropend.|Uw eerdere gesprek is verlopen. Dit is een nieuw gesprek.|De assistent kan op dit moment niet antwoorden.|Te veel berichten tegelijk. Wacht even.|Wachten op een antwoord van het team",
  ar: "فتح المحادثة مع {}|إغلاق المحادثة|البدء من جديد|إرسال|المصادر|مفيد|غير مفيد|{} غير مقروءة|إعادة المحاولة|أنت|الدعم|هل تقصد|جارٍ إعادة الاتصال…|يرجى التحقق من عنوان البريد الإلكتروني.|تم إنهاء المحادثة.|المحادثة|مدعوم من|تمت إعادة فتح المحادثة.|انتهت صلاحية محادثتك السابقة. هذه محادثة جديدة.|لا يستطيع المساعد الرد حاليًا.|رسائل كثيرة في وقت واحد. يرجى الانتظار قليلاً.|في انتظار رد الفريق",
};

const RIGHT_TO_LEFT = new Set(["ar", "he", "fa", "ur", "ps", "yi", "dv", "ug", "ckb", "sd"]);

export interface Locale {
  lang: string;
  dir: "ltr" | "rtl";
  words: Words;
}

/** The language of the widget: the language of the site, or with `auto` the language of the page or the browser. */
export function localeOf(aiLanguage: string, pageLang: string, browserLang: string): Locale {
  const wanted = aiLanguage && aiLanguage.toLowerCase() !== "auto" ? aiLanguage : pageLang || browserLang || "en";
  const primary = wanted.toLowerCase().split(/[-_]/)[0]!;
  const known = TEXTS[primary] ? primary : "en";
  const texts = TEXTS[known]!.split("|");
  const words = Object.fromEntries(NAMES.map((name, i) => [name, texts[i]])) as unknown as Words;
  return { lang: known === primary ? wanted : "en", dir: RIGHT_TO_LEFT.has(primary) ? "rtl" : "ltr", words };
}

export function fill(text: string, value: string | number): string {
  return text.replace("{}", String(value));
}
