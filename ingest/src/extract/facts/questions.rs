//! The questions that a fact answers, in the words that visitors use for it: nobody types "address" to
//! find out where a shop is.

use super::{has_mail, has_phone, has_time};

/// The questions about each kind of fact in one language.
struct Questions {
    language: &'static str,
    hours: &'static [&'static str],
    phone: &'static [&'static str],
    address: &'static [&'static str],
    mail: &'static [&'static str],
}

const QUESTIONS: [Questions; 7] = [
    Questions {
        language: "en",
        hours: &["What are your opening hours?", "When are you open?"],
        phone: &["What is your phone number?", "How can I call you?"],
        address: &["Where are you?", "What is your address?", "How do I find you?"],
        mail: &["What is your e-mail address?"],
    },
    Questions {
        language: "de",
        hours: &["Wann haben Sie geöffnet?", "Wie sind die Öffnungszeiten?"],
        phone: &["Wie ist Ihre Telefonnummer?", "Wie kann ich Sie anrufen?"],
        address: &["Wo sind Sie?", "Wie ist Ihre Adresse?", "Wo finde ich Sie?"],
        mail: &["Wie ist Ihre E-Mail-Adresse?"],
    },
    Questions {
        language: "fr",
        hours: &["Quels sont vos horaires d’ouverture ?", "Quand êtes-vous ouverts ?"],
        phone: &["Quel est votre numéro de téléphone ?"],
        address: &["Où êtes-vous ?", "Quelle est votre adresse ?"],
        mail: &["Quelle est votre adresse e-mail ?"],
    },
    Questions {
        language: "es",
        hours: &["¿Cuál es su horario?", "¿Cuándo abren?"],
        phone: &["¿Cuál es su número de teléfono?"],
        address: &["¿Dónde están?", "¿Cuál es su dirección?"],
        mail: &["¿Cuál es su correo electrónico?"],
    },
    Questions {
        language: "it",
        hours: &["Quali sono gli orari di apertura?", "Quando siete aperti?"],
        phone: &["Qual è il vostro numero di telefono?"],
        address: &["Dove siete?", "Qual è il vostro indirizzo?"],
        mail: &["Qual è la vostra e-mail?"],
    },
    Questions {
        language: "pt",
        hours: &["Qual é o horário de funcionamento?", "Quando estão abertos?"],
        phone: &["Qual é o número de telefone?"],
        address: &["Onde ficam?", "Qual é o endereço?"],
        mail: &["Qual é o e-mail?"],
    },
    Questions {
        language: "nl",
        hours: &["Wat zijn de openingstijden?", "Wanneer zijn jullie open?"],
        phone: &["Wat is het telefoonnummer?"],
        address: &["Waar zijn jullie?", "Wat is het adres?"],
        mail: &["Wat is het e-mailadres?"],
    },
];

/// The questions that a text with facts answers, in the language of its page.
pub(crate) fn of(text: &str, language: Option<&str>) -> Vec<String> {
    let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or("en").to_lowercase();
    let words = QUESTIONS.iter().find(|words| words.language == primary).unwrap_or(&QUESTIONS[0]);
    let kinds = [
        (has_time(text), words.hours),
        (has_phone(text), words.phone),
        (has_address(text), words.address),
        (has_mail(text), words.mail),
    ];
    kinds
        .into_iter()
        .filter(|(is_there, _)| *is_there)
        .flat_map(|(_, questions)| questions)
        .map(|&q| q.to_owned())
        .collect()
}

/// A street with the number of a house before or behind it, set apart by a comma or the end of a line:
/// "Mill Lane 4, Stockton", "12 Main Street".
fn has_address(text: &str) -> bool {
    text.split(['\n', '.', ';']).flat_map(|line| line.split(',')).any(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let is_number = |word: &&str| {
            let digits = word.bytes().take_while(u8::is_ascii_digit).count();
            (1..=4).contains(&digits) && word.len() - digits <= 1
        };
        let is_name = |word: &&str| word.chars().next().is_some_and(char::is_uppercase) && !word.ends_with(':');
        let is_town = |word: &&str| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit());
        let names = words.iter().filter(|word| is_name(word)).count();
        let is_street = (2..=6).contains(&words.len())
            && names + 1 >= words.len()
            && (words.last().is_some_and(&is_number) || words.first().is_some_and(is_number));
        let is_place = words.len() >= 2 && words.first().is_some_and(is_town) && names >= 1;
        is_street || is_place
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streets_are_distinguished_from_hours_and_numbers() {
        assert!(has_address("Phone 07771 2345. Mill Lane 4, Stockton.") && has_address("12 Main Street"));
        assert!(has_address("Ring 7\n\n89073 Ulm") && !has_address("Monday 9:00 to 17:00, Phone 07771 2345"));
    }

    #[test]
    fn facts_answer_the_questions_of_visitors() {
        let questions = of("Opening hours: 6:30 to 13:00. Mill Lane 4, Stockton.", Some("en-GB"));

        assert!(
            questions.contains(&"Where are you?".to_owned()) && questions.contains(&"When are you open?".to_owned())
        );
        assert_eq!(of("info@a.example", Some("de")), ["Wie ist Ihre E-Mail-Adresse?"]);
    }
}
