// Texts in all languages for a visitor who asks for a human: when the team will reply, and that an e-mail address is not valid. `{}` is replaced by a
// duration or by a day and a time.

export interface ExpectedWords {
  here: string;
  usually: string;
  opens: string;
  badEmail: string;
}

const EXPECTED_WORDS: Record<string, ExpectedWords> = {
  en: { here: "Our team is here.", usually: "We usually reply within {}.", opens: "Our team is back on {}.", badEmail: "Please check the e-mail address." },
  de: { here: "Unser Team ist da.", usually: "Wir antworten meist innerhalb von {}.", opens: "Unser Team ist wieder da: {}.", badEmail: "Bitte prüfen Sie die E-Mail-Adresse." },
  fr: { here: "Notre équipe est là.", usually: "Nous répondons généralement en {}.", opens: "Notre équipe sera de retour : {}.", badEmail: "Veuillez vérifier l’adresse e-mail." },
  es: { here: "Nuestro equipo está disponible.", usually: "Solemos responder en {}.", opens: "Nuestro equipo vuelve: {}.", badEmail: "Compruebe la dirección de correo." },
  it: { here: "Il nostro team è presente.", usually: "Di solito rispondiamo entro {}.", opens: "Il nostro team torna: {}.", badEmail: "Controlli l’indirizzo e-mail." },
  pt: { here: "A nossa equipa está disponível.", usually: "Costumamos responder em {}.", opens: "A nossa equipa volta: {}.", badEmail: "Verifique o endereço de e-mail." },
  nl: { here: "Ons team is er.", usually: "We antwoorden meestal binnen {}.", opens: "Ons team is er weer: {}.", badEmail: "Controleer het e-mailadres." },
  ar: { here: "فريقنا متواجد الآن.", usually: "نرد عادةً خلال {}.", opens: "يعود فريقنا: {}.", badEmail: "يرجى التحقق من عنوان البريد الإلكتروني." },
};

export const expectedWords = (lang: string): ExpectedWords => EXPECTED_WORDS[lang.toLowerCase().split(/[-_]/)[0]!] ?? EXPECTED_WORDS["en"]!;
