//! Short questions for a single fact: a phone number, an e-mail address, opening hours, a price.

use crate::normalization::normalize;

/// Maximum number of words of a question for a single fact.
const MAX_WORDS: usize = 5;

/// A kind of fact with a form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactRequest {
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
    /// Times of the day.
    Hours,
    /// An amount of money.
    Price,
}

/// Words that ask for each fact, in normalized form.
const WORDS: [(FactRequest, &[&str]); 4] = [
    (
        FactRequest::Phone,
        &[
            "phone",
            "telephone",
            "hotline",
            "telefon",
            "telefonnummer",
            "rufnummer",
            "téléphone",
            "teléfono",
            "telefono",
            "telefone",
            "telefoon",
            "telefoonnummer",
            "telefonnummer",
            "puhelinnumero",
            "телефон",
            "電話番号",
            "电话",
            "電話",
            "전화번호",
            "هاتف",
        ],
    ),
    (
        FactRequest::Email,
        &["email", "e-mail", "mail", "mailadresse", "emailadresse", "courriel", "correo", "メール", "邮箱", "이메일"],
    ),
    (
        FactRequest::Hours,
        &[
            "hours",
            "opening",
            "öffnungszeiten",
            "geöffnet",
            "horaires",
            "horario",
            "horarios",
            "orari",
            "orario",
            "openingstijden",
            "öppettider",
            "åbningstider",
            "營業時間",
            "営業時間",
            "营业时间",
        ],
    ),
    (
        FactRequest::Price,
        &[
            "price", "prices", "cost", "costs", "fee", "preis", "preise", "kosten", "prix", "tarif", "tarifs",
            "precio", "precios", "prezzo", "prezzi", "preço", "prijs", "pris", "цена", "料金", "価格", "价格",
        ],
    ),
];

impl FactRequest {
    /// The fact that a short question asks for.
    pub fn of(question: &str) -> Option<Self> {
        let text = normalize(question);
        let words: Vec<&str> =
            text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty()).collect();
        if words.len() > MAX_WORDS {
            return None;
        }
        let asks = |asked: &&str| words.contains(asked);
        WORDS.iter().find(|(_, asked)| asked.iter().any(asks)).map(|(request, _)| *request)
    }

    /// Whether a text contains a fact of this kind.
    pub fn is_stated(self, text: &str) -> bool {
        match self {
            Self::Phone => has_phone_number(text),
            Self::Email => text
                .split_whitespace()
                .any(|word| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))),
            Self::Hours => text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '–')).any(is_time),
            Self::Price => text.contains(['€', '$', '£', '¥', '₹', '₩']) || has_currency(text),
        }
    }
}

/// At least six digits in a row, with only separators between them.
fn has_phone_number(text: &str) -> bool {
    const MIN_DIGITS: usize = 6;
    let mut digits = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            if digits >= MIN_DIGITS {
                return true;
            }
        } else if !matches!(c, ' ' | '-' | '/' | '(' | ')' | '+' | '.' | '\u{a0}') {
            digits = 0;
        }
    }
    false
}

fn is_time(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let is_short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let of_clock = word
        .split_once([':', '.', 'h'])
        .is_some_and(|(hour, minute)| is_short(hour) && (minute.is_empty() || is_short(minute)));
    of_clock || word.strip_suffix("am").or_else(|| word.strip_suffix("pm")).is_some_and(is_short)
}

fn has_currency(text: &str) -> bool {
    const CURRENCIES: [&str; 14] = [
        "euro", "euros", "eur", "dollar", "dollars", "usd", "pound", "pounds", "gbp", "chf", "franken", "kr", "kronor",
        "yen",
    ];
    let text = normalize(text);
    text.split(|c: char| !c.is_alphanumeric()).any(|word| CURRENCIES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_questions_ask_for_a_fact_that_has_a_form() {
        assert_eq!(FactRequest::of("your phone number?"), Some(FactRequest::Phone));
        assert_eq!(FactRequest::of("Öffnungszeiten"), Some(FactRequest::Hours));
        assert_eq!(FactRequest::of("how do I change the phone number of my account"), None);
        assert!(FactRequest::Phone.is_stated("Call 030 / 123-456."));
        assert!(FactRequest::Hours.is_stated("Open 9:00-18:00 every day"));
        assert!(!FactRequest::Phone.is_stated("We answer within 24 hours."));
    }
}
