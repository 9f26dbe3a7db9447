// The texts of the forms for a reason and a rating, in all languages. Only these forms load them. The reasons have the order of
// the form: not relevant, incomplete, outdated, wrong, unclear, other.

export interface OpinionWords {
  why: string;
  reasons: string[];
  rate: string;
  worst: string;
  best: string;
  comment: string;
  send: string;
  skip: string;
  thanks: string;
}

export const OPINION_WORDS: Record<string, OpinionWords> = {
  en: {
    why: "What was wrong with the answer?", reasons: ["Not about my question", "Incomplete", "Outdated", "Wrong", "Hard to understand", "Something else"],
    rate: "How was our help?", worst: "very bad", best: "very good", comment: "Would you like to add anything?", send: "Send", skip: "Skip", thanks: "Thank you for your feedback.",
  },
  de: {
    why: "Was war an der Antwort falsch?", reasons: ["Passt nicht zu meiner Frage", "Unvollständig", "Veraltet", "Falsch", "Schwer zu verstehen", "Etwas anderes"],
    rate: "Wie war unsere Hilfe?", worst: "sehr schlecht", best: "sehr gut", comment: "Möchten Sie etwas hinzufügen?", send: "Senden", skip: "Überspringen", thanks: "Vielen Dank für Ihre Rückmeldung.",
  },
  fr: {
    why: "Qu’est-ce qui n’allait pas dans la réponse ?", reasons: ["Hors sujet", "Incomplète", "Dépassée", "Fausse", "Difficile à comprendre", "Autre chose"],
    rate: "Comment était notre aide ?", worst: "très mauvaise", best: "très bonne", comment: "Souhaitez-vous ajouter quelque chose ?", send: "Envoyer", skip: "Passer", thanks: "Merci pour votre avis.",
  },
  es: {
    why: "¿Qué fallaba en la respuesta?", reasons: ["No responde a mi pregunta", "Incompleta", "Desactualizada", "Incorrecta", "Difícil de entender", "Otra cosa"],
    rate: "¿Cómo fue nuestra ayuda?", worst: "muy mala", best: "muy buena", comment: "¿Desea añadir algo?", send: "Enviar", skip: "Omitir", thanks: "Gracias por su opinión.",
  },
  it: {
    why: "Che cosa non andava nella risposta?", reasons: ["Non riguarda la mia domanda", "Incompleta", "Non aggiornata", "Sbagliata", "Difficile da capire", "Altro"],
    rate: "Com’è stato il nostro aiuto?", worst: "pessimo", best: "ottimo", comment: "Desidera aggiungere qualcosa?", send: "Invia", skip: "Salta", thanks: "Grazie per la sua opinione.",
  },
  pt: {
    why: "O que estava errado na resposta?", reasons: ["Não responde à minha pergunta", "Incompleta", "Desatualizada", "Errada", "Difícil de entender", "Outra coisa"],
    rate: "Como foi a nossa ajuda?", worst: "muito má", best: "muito boa", comment: "Deseja acrescentar algo?", send: "Enviar", skip: "Saltar", thanks: "Obrigado pela sua opinião.",
  },
  nl: {
    why: "Wat was er mis met het antwoord?", reasons: ["Gaat niet over mijn vraag", "Onvolledig", "Verouderd", "Onjuist", "Moeilijk te begrijpen", "Iets anders"],
    rate: "Hoe was onze hulp?", worst: "zeer slecht", best: "zeer goed", comment: "Wilt u iets toevoegen?", send: "Versturen", skip: "Overslaan", thanks: "Bedankt voor uw feedback.",
  },
  ar: {
    why: "ما المشكلة في الإجابة؟", reasons: ["لا تتعلق بسؤالي", "غير مكتملة", "قديمة", "خاطئة", "صعبة الفهم", "شيء آخر"],
    rate: "كيف كانت مساعدتنا؟", worst: "سيئة جدًا", best: "جيدة جدًا", comment: "هل تريد إضافة شيء؟", send: "إرسال", skip: "تخطٍّ", thanks: "شكرًا على رأيك.",
  },
};
