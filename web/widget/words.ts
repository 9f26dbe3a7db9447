// The few words that the site's configuration does not name: labels for screen readers and short hints.
// A site's own texts always come first; these follow the language of the site, else of the page.

interface Words {
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
}

const NAMES = ["open", "close", "restart", "send", "sources", "helpful", "unhelpful", "unread", "retry", "you", "human",
  "suggestions", "reconnecting", "badEmail", "ended", "log", "poweredBy"] as const;

// One line a language, in the order of NAMES. `{}` stands for a name or a number.
const TEXTS: Record<string, string> = {
  en: "Open chat with {}|Close chat|Start again|Send|Sources|Helpful|Not helpful|{} unread|Try again|You|Support|Did you mean|Reconnecting…|Please check the e-mail address.|The conversation was closed.|Conversation|Powered by",
  de: "Chat mit {} öffnen|Chat schließen|Neu beginnen|Senden|Quellen|Hilfreich|Nicht hilfreich|{} ungelesen|Erneut versuchen|Sie|Support|Meinten Sie|Verbindung wird wiederhergestellt…|Bitte prüfen Sie die E-Mail-Adresse.|Das Gespräch wurde beendet.|Gespräch|Bereitgestellt von",
  fr: "Ouvrir le chat avec {}|Fermer le chat|Recommencer|Envoyer|Sources|Utile|Pas utile|{} non lus|Réessayer|Vous|Support|Vouliez-vous dire|Reconnexion…|Veuillez vérifier l’adresse e-mail.|La conversation est terminée.|Conversation|Propulsé par",
  es: "Abrir el chat con {}|Cerrar el chat|Empezar de nuevo|Enviar|Fuentes|Útil|No útil|{} sin leer|Reintentar|Usted|Soporte|Quizás quiso decir|Reconectando…|Compruebe la dirección de correo.|La conversación ha terminado.|Conversación|Con tecnología de",
  it: "Apri la chat con {}|Chiudi la chat|Ricomincia|Invia|Fonti|Utile|Non utile|{} non letti|Riprova|Lei|Assistenza|Forse intendeva|Riconnessione…|Controlli l’indirizzo e-mail.|La conversazione è terminata.|Conversazione|Offerto da",
  pt: "Abrir o chat com {}|Fechar o chat|Recomeçar|Enviar|Fontes|Útil|Não útil|{} não lidas|Tentar de novo|Você|Suporte|Quis dizer|A reconectar…|Verifique o endereço de e-mail.|A conversa foi encerrada.|Conversa|Desenvolvido por",
  nl: "Chat met {} openen|Chat sluiten|Opnieuw beginnen|Versturen|Bronnen|Nuttig|Niet nuttig|{} ongelezen|Opnieuw proberen|U|Support|Bedoelde u|Opnieuw verbinden…|Controleer het e-mailadres.|Het gesprek is gesloten.|Gesprek|Mogelijk gemaakt door",
  ar: "فتح المحادثة مع {}|إغلاق المحادثة|البدء من جديد|إرسال|المصادر|مفيد|غير مفيد|{} غير مقروءة|إعادة المحاولة|أنت|الدعم|هل تقصد|جارٍ إعادة الاتصال…|يرجى التحقق من عنوان البريد الإلكتروني.|تم إنهاء المحادثة.|المحادثة|مدعوم من",
};

const RIGHT_TO_LEFT = new Set(["ar", "he", "fa", "ur", "ps", "yi", "dv", "ug", "ckb", "sd"]);

export interface Tongue {
  lang: string;
  dir: "ltr" | "rtl";
  words: Words;
}

/** The widget's language: the site's, or with `auto` the page's, or the browser's. */
export function tongueOf(aiLanguage: string, pageLang: string, browserLang: string): Tongue {
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
