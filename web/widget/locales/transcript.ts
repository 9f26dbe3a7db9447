// The texts of the form that sends the conversation by e-mail, in all languages but English. Only that form loads them.

import type { TranscriptWords } from "../transcript";

export const TRANSCRIPT_WORDS: Record<string, TranscriptWords> = {
  de: { title: "Dieses Gespräch per E-Mail senden", sent: "Wir haben einen Code an {} gesendet. Bitte geben Sie ihn hier ein.", code: "Code", wrong: "Der Code ist falsch oder abgelaufen.", tooMany: "Zu viele Versuche. Bitte versuchen Sie es später erneut.", done: "Das Gespräch ist unterwegs an {}." },
  fr: { title: "Envoyer cette conversation par e-mail", sent: "Nous avons envoyé un code à {}. Veuillez le saisir ici.", code: "Code", wrong: "Le code est incorrect ou a expiré.", tooMany: "Trop de tentatives. Veuillez réessayer plus tard.", done: "La conversation est en route vers {}." },
  es: { title: "Enviar esta conversación por correo", sent: "Hemos enviado un código a {}. Introdúzcalo aquí.", code: "Código", wrong: "El código es incorrecto o ha caducado.", tooMany: "Demasiados intentos. Inténtelo más tarde.", done: "La conversación va en camino a {}." },
  it: { title: "Invia questa conversazione per e-mail", sent: "Abbiamo inviato un codice a {}. Inseriscilo qui.", code: "Codice", wrong: "Il codice è errato o scaduto.", tooMany: "Troppi tentativi. Riprova più tardi.", done: "La conversazione è in arrivo a {}." },
  pt: { title: "Enviar esta conversa por e-mail", sent: "Enviámos um código para {}. Introduza-o aqui.", code: "Código", wrong: "O código está errado ou expirou.", tooMany: "Demasiadas tentativas. Tente mais tarde.", done: "A conversa está a caminho de {}." },
  nl: { title: "Dit gesprek per e-mail versturen", sent: "We hebben een code naar {} gestuurd. Vul die hier in.", code: "Code", wrong: "De code is onjuist of verlopen.", tooMany: "Te veel pogingen. Probeer het later opnieuw.", done: "Het gesprek is onderweg naar {}." },
  ar: { title: "إرسال هذه المحادثة بالبريد الإلكتروني", sent: "أرسلنا رمزًا إلى {}. يرجى إدخاله هنا.", code: "الرمز", wrong: "الرمز غير صحيح أو انتهت صلاحيته.", tooMany: "محاولات كثيرة. يرجى المحاولة لاحقًا.", done: "المحادثة في طريقها إلى {}." },
};
