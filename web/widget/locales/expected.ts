// What a visitor who asks for a human can expect, in all languages. `{}` is replaced by a duration or by a day and a time.

export interface ExpectedWords {
  here: string;
  usually: string;
  opens: string;
}

export const EXPECTED_WORDS: Record<string, ExpectedWords> = {
  en: { here: "Our team is here.", usually: "We usually reply within {}.", opens: "Our team is back on {}." },
  de: { here: "Unser Team ist da.", usually: "Wir antworten meist innerhalb von {}.", opens: "Unser Team ist wieder da: {}." },
  fr: { here: "Notre équipe est là.", usually: "Nous répondons généralement en {}.", opens: "Notre équipe sera de retour : {}." },
  es: { here: "Nuestro equipo está disponible.", usually: "Solemos responder en {}.", opens: "Nuestro equipo vuelve: {}." },
  it: { here: "Il nostro team è presente.", usually: "Di solito rispondiamo entro {}.", opens: "Il nostro team torna: {}." },
  pt: { here: "A nossa equipa está disponível.", usually: "Costumamos responder em {}.", opens: "A nossa equipa volta: {}." },
  nl: { here: "Ons team is er.", usually: "We antwoorden meestal binnen {}.", opens: "Ons team is er weer: {}." },
  ar: { here: "فريقنا متواجد الآن.", usually: "نرد عادةً خلال {}.", opens: "يعود فريقنا: {}." },
};
