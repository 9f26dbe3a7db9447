//! The built-in texts of the widget in the languages of the panel (`web/widget/words.ts`). English is the default of
//! [`WidgetConfig`].

use crate::widget::WidgetConfig;

/// The texts of a language in the order of [`in_place_of_defaults`]. The name of the bot is the same in all languages.
type Texts = [&'static str; 13];

const LANGUAGES: [(&str, Texts); 7] = [
    (
        "ar",
        [
            "مرحبًا! كيف يمكنني مساعدتك؟",
            "اكتب سؤالك…",
            "جارٍ الكتابة…",
            "متصل",
            "التحدث إلى شخص",
            "شكرًا! تم إبلاغ فريقنا.",
            "بريدك الإلكتروني (اختياري)",
            "إرسال",
            "تخطي",
            "يسعدنا أن ذلك ساعدك!",
            "نأسف لذلك. هل تود التحدث إلى شخص؟",
            "حدث خطأ ما. يرجى المحاولة مرة أخرى.",
            "يبدو أنك غير متصل بالإنترنت. يرجى التحقق من اتصالك.",
        ],
    ),
    (
        "de",
        [
            "Hallo! Wie kann ich Ihnen helfen?",
            "Ihre Frage…",
            "Schreibt…",
            "Online",
            "Mit einem Menschen sprechen",
            "Danke! Unser Team wurde benachrichtigt.",
            "Ihre E-Mail-Adresse (freiwillig)",
            "Senden",
            "Überspringen",
            "Schön, dass es geholfen hat!",
            "Das tut uns leid. Möchten Sie mit einem Menschen sprechen?",
            "Etwas ist schiefgegangen. Bitte versuchen Sie es noch einmal.",
            "Sie sind anscheinend offline. Bitte prüfen Sie Ihre Verbindung.",
        ],
    ),
    (
        "es",
        [
            "¡Hola! ¿En qué puedo ayudarle?",
            "Escriba su pregunta…",
            "Escribiendo…",
            "En línea",
            "Hablar con una persona",
            "¡Gracias! Hemos avisado a nuestro equipo.",
            "Su correo electrónico (opcional)",
            "Enviar",
            "Omitir",
            "¡Nos alegra haberle ayudado!",
            "Lo sentimos. ¿Quiere hablar con una persona?",
            "Algo ha fallado. Inténtelo de nuevo.",
            "Parece que no tiene conexión. Compruebe su conexión.",
        ],
    ),
    (
        "fr",
        [
            "Bonjour\u{a0}! Comment puis-je vous aider\u{a0}?",
            "Écrivez votre question…",
            "Écrit…",
            "En ligne",
            "Parler à une personne",
            "Merci\u{a0}! Notre équipe a été prévenue.",
            "Votre e-mail (facultatif)",
            "Envoyer",
            "Passer",
            "Ravis d’avoir pu vous aider\u{a0}!",
            "Nous sommes désolés. Souhaitez-vous parler à une personne\u{a0}?",
            "Une erreur s’est produite. Veuillez réessayer.",
            "Vous semblez être hors ligne. Veuillez vérifier votre connexion.",
        ],
    ),
    (
        "it",
        [
            "Salve! Come posso aiutarla?",
            "Scriva la sua domanda…",
            "Sta scrivendo…",
            "Online",
            "Parlare con una persona",
            "Grazie! Il nostro team è stato avvisato.",
            "La sua e-mail (facoltativa)",
            "Invia",
            "Salta",
            "Siamo lieti di averla aiutata!",
            "Ci dispiace. Desidera parlare con una persona?",
            "Qualcosa è andato storto. Riprovi.",
            "Sembra che lei sia offline. Controlli la connessione.",
        ],
    ),
    (
        "nl",
        [
            "Hallo! Hoe kan ik u helpen?",
            "Typ uw vraag…",
            "Aan het typen…",
            "Online",
            "Met een mens praten",
            "Bedankt! Ons team heeft bericht gekregen.",
            "Uw e-mailadres (optioneel)",
            "Verzenden",
            "Overslaan",
            "Fijn dat het heeft geholpen!",
            "Dat spijt ons. Wilt u met een mens praten?",
            "Er is iets misgegaan. Probeer het opnieuw.",
            "U lijkt offline te zijn. Controleer uw verbinding.",
        ],
    ),
    (
        "pt",
        [
            "Olá! Como posso ajudar?",
            "Escreva a sua pergunta…",
            "A escrever…",
            "Online",
            "Falar com uma pessoa",
            "Obrigado! A nossa equipa foi avisada.",
            "O seu e-mail (opcional)",
            "Enviar",
            "Ignorar",
            "Ainda bem que ajudou!",
            "Lamentamos. Quer falar com uma pessoa?",
            "Algo correu mal. Tente novamente.",
            "Parece estar sem ligação. Verifique a sua ligação.",
        ],
    ),
];

/// Replaces the texts that the owner has left as they were by the built-in ones of a language. Nothing changes when there
/// are none.
pub(super) fn in_place_of_defaults(mut config: WidgetConfig, primary: &str) -> WidgetConfig {
    let Some((_, texts)) = LANGUAGES.iter().find(|(language, _)| *language == primary) else { return config };
    let default = WidgetConfig::default();
    let fields = [
        (&mut config.greeting, default.greeting),
        (&mut config.input_placeholder, default.input_placeholder),
        (&mut config.typing_text, default.typing_text),
        (&mut config.online_text, default.online_text),
        (&mut config.handoff_text, default.handoff_text),
        (&mut config.handoff_sent_text, default.handoff_sent_text),
        (&mut config.email_placeholder, default.email_placeholder),
        (&mut config.email_send_text, default.email_send_text),
        (&mut config.email_skip_text, default.email_skip_text),
        (&mut config.feedback_yes_text, default.feedback_yes_text),
        (&mut config.feedback_no_text, default.feedback_no_text),
        (&mut config.error_text, default.error_text),
        (&mut config.network_error_text, default.network_error_text),
    ];
    for ((field, default), text) in fields.into_iter().zip(texts) {
        if *field == default {
            (*text).clone_into(field);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_all_texts_and_they_are_valid() {
        for (language, texts) in LANGUAGES {
            let shown = in_place_of_defaults(WidgetConfig::default(), language);

            assert!(texts.iter().all(|text| !text.is_empty() && text.chars().count() <= 500), "{language}");
            assert_eq!(
                (shown.greeting.as_str(), shown.network_error_text.as_str()),
                (texts[0], texts[12]),
                "{language}"
            );
            assert_eq!(shown.bot_name, WidgetConfig::default().bot_name);
        }
    }

    #[test]
    fn a_text_that_the_owner_has_changed_stays() {
        let own = WidgetConfig { handoff_text: "Call us".into(), ..WidgetConfig::default() };

        let shown = in_place_of_defaults(own, "nl");

        assert_eq!((shown.handoff_text.as_str(), shown.email_send_text.as_str()), ("Call us", "Verzenden"));
    }
}
