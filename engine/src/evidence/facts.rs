//! Reads codes, versions, years, countries and amounts out of a text, and compares two texts by them.

use super::conflict::Conflict;
use super::countries;
use crate::normalization::normalize;

/// Maximum length of a code in characters. Longer runs are keys and addresses.
const MAX_CODE_CHARS: usize = 24;
/// Number of digits from which a number without letters belongs to the visitor: an order, a phone.
const MIN_PERSONAL_DIGITS: usize = 6;
/// Number of letters from which letters before digits are a word, as in "covid-19".
const MAX_CODE_PREFIX: usize = 4;

/// The exact statements of a text.
#[derive(Debug, Default, PartialEq)]
pub struct Facts {
    /// Codes, models and versions, in capitals and without separators.
    pub codes: Vec<String>,
    /// Years from 1900 to 2099.
    pub years: Vec<u16>,
    /// Countries, by number.
    pub countries: Vec<usize>,
    /// Amounts with the first letters of their unit.
    amounts: Vec<(String, f64)>,
    /// Small numbers with the word before them: "model 5".
    numbered: Vec<(String, f64)>,
}

impl Facts {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let mut facts = Self { countries: countries::named(text), ..Self::default() };
        let normal = normalize(text);
        let words: Vec<&str> = normal
            .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '?' | '!' | ';' | '"' | '/' | '…'))
            .map(|word| word.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '€' | '$' | '£' | '%'))))
            .filter(|word| !word.is_empty())
            .collect();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| words[at]);
            facts.add(word, before, words.get(at + 1).copied());
        }
        facts
    }

    /// Whether the text names several places, so that one that it does not name is not among them.
    pub fn lists_countries(&self) -> bool {
        !self.countries.is_empty()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
            && self.years.is_empty()
            && self.countries.is_empty()
            && self.amounts.is_empty()
            && self.numbered.is_empty()
    }

    /// The first statement of a question that an entry lacks or contradicts.
    pub fn conflict(&self, entry: &Self) -> Option<Conflict> {
        if self.codes.iter().any(|code| !entry.codes.contains(code)) {
            return Some(Conflict::Code);
        }
        if self.countries.iter().any(|country| !entry.countries.contains(country)) {
            return Some(Conflict::Country);
        }
        if self.years.iter().any(|year| !entry.years.contains(year)) {
            return Some(Conflict::Year);
        }
        let contradicts = |own: &[(String, f64)], others: &[(String, f64)]| {
            own.iter().any(|(unit, number)| {
                let mut same = others.iter().filter(|(other, _)| other == unit).peekable();
                same.peek().is_some() && same.all(|(_, other)| other != number)
            })
        };
        let is_other = contradicts(&self.amounts, &entry.amounts) || contradicts(&self.numbered, &entry.numbered);
        is_other.then_some(Conflict::Amount)
    }

    fn add(&mut self, word: &str, before: Option<&str>, after: Option<&str>) {
        let has_digit = word.contains(|c: char| c.is_ascii_digit());
        if !has_digit {
            // "ten percent"
            if let (Some(number), Some(unit)) = (spelled(word), after.and_then(unit)) {
                self.amounts.push((unit.to_owned(), number));
            }
            return;
        }
        if let Some((number, unit)) = amount(word, before, after) {
            self.amounts.push((unit.to_owned(), number));
            return;
        }
        if let Some(year) = year(word) {
            self.years.push(year);
            return;
        }
        let letters = word.chars().take_while(|c| c.is_alphabetic()).count();
        let is_code = word.contains(|c: char| c.is_alphabetic()) && !is_ordinal(word);
        let compact: String = word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase();
        if is_code && letters <= MAX_CODE_PREFIX && compact.len() <= MAX_CODE_CHARS && word.is_ascii() {
            self.codes.push(compact);
        } else if is_version(word) {
            self.codes.push(word.to_owned());
        } else if let Ok(number) = word.parse::<f64>() {
            // "E 1042" is the code E1042.
            if let Some(prefix) = before.filter(|before| {
                before.len() == 1
                    && word.len() >= 3
                    && before.bytes().all(|b| b.is_ascii_alphabetic() && b != b'a' && b != b'i')
            }) {
                self.codes.push(format!("{}{word}", prefix.to_uppercase()));
            } else if let Some(before) = before.filter(|before| {
                before.chars().all(char::is_alphabetic) && before.len() > 3 && word.len() < MIN_PERSONAL_DIGITS
            }) {
                self.numbered.push((before.to_owned(), number));
            }
        }
    }
}

/// `3.50€`, `10 kg`, `$5`: the number, and a name for its unit.
fn amount<'a>(word: &'a str, before: Option<&'a str>, after: Option<&'a str>) -> Option<(f64, &'static str)> {
    let start = word.find(|c: char| c.is_ascii_digit())?;
    let end = word.rfind(|c: char| c.is_ascii_digit())? + 1;
    let number = number(&word[start..end])?;
    let attached = [&word[..start], &word[end..]].into_iter().find(|part| !part.is_empty());
    let unit = match attached {
        Some(attached) => unit(attached),
        None => after.and_then(unit).or_else(|| {
            before.filter(|before| matches!(*before, "€" | "$" | "£" | "eur" | "chf" | "usd")).and_then(unit)
        }),
    };
    unit.map(|unit| (number, unit))
}

fn number(text: &str) -> Option<f64> {
    let plain = text.replace(',', ".");
    plain.parse().ok()
}

/// The unit that a word names, in one form for singular, plural and languages.
fn unit(word: &str) -> Option<&'static str> {
    const UNITS: [(&str, &[&str]); 17] = [
        ("kg", &["kg", "kilo", "kilos", "kilogram", "kilograms", "kilogramm", "кг"]),
        ("g", &["g", "gram", "grams", "gramm"]),
        ("cm", &["cm", "centimeter", "centimeters", "centimetre", "centimetres", "zentimeter"]),
        ("m", &["m", "meter", "meters", "metre", "metres"]),
        ("km", &["km", "kilometer", "kilometers", "kilometre", "kilometres"]),
        ("l", &["l", "liter", "liters", "litre", "litres"]),
        ("gb", &["gb", "gigabyte", "gigabytes"]),
        ("mb", &["mb", "megabyte", "megabytes"]),
        ("%", &["%", "percent", "prozent", "pourcent", "procent"]),
        (
            "money",
            &[
                "€", "$", "£", "euro", "euros", "eur", "dollar", "dollars", "usd", "pound", "pounds", "gbp", "chf",
                "franken",
            ],
        ),
        ("minute", &["min", "minute", "minutes", "minuten"]),
        ("hour", &["hour", "hours", "stunde", "stunden", "heure", "heures", "hora", "horas"]),
        ("day", &["day", "days", "tag", "tage", "tagen", "jour", "jours", "día", "días", "giorni"]),
        ("week", &["week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas"]),
        ("month", &["month", "months", "monat", "monate", "monaten", "mois", "mes", "meses"]),
        ("age", &["year-old", "years-old"]),
        ("person", &["person", "persons", "people", "guests", "personen", "personnes", "personas"]),
    ];
    UNITS.iter().find(|(_, names)| names.contains(&word)).map(|(unit, _)| *unit)
}

fn year(word: &str) -> Option<u16> {
    let year = word.parse().ok().filter(|_| word.len() == 4)?;
    (1900..2100).contains(&year).then_some(year)
}

fn is_version(word: &str) -> bool {
    let mut parts = word.trim_start_matches('v').split('.');
    word.matches('.').count() >= 2 && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// `1st`, `20th`, `5pm`, `90s`: no code.
fn is_ordinal(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '-' | ','));
    matches!(
        rest,
        "st" | "nd"
            | "rd"
            | "th"
            | "am"
            | "pm"
            | "h"
            | "x"
            | "s"
            | "er"
            | "e"
            | "'s"
            | "ish"
            | "hrs"
            | "yr"
            | "yrs"
            | "k"
    )
}

fn spelled(word: &str) -> Option<f64> {
    const WORDS: [(&str, f64); 30] = [
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("four", 4.0),
        ("five", 5.0),
        ("six", 6.0),
        ("seven", 7.0),
        ("eight", 8.0),
        ("nine", 9.0),
        ("ten", 10.0),
        ("twelve", 12.0),
        ("fourteen", 14.0),
        ("twenty", 20.0),
        ("thirty", 30.0),
        ("fifty", 50.0),
        ("zwei", 2.0),
        ("drei", 3.0),
        ("vier", 4.0),
        ("fünf", 5.0),
        ("sechs", 6.0),
        ("sieben", 7.0),
        ("acht", 8.0),
        ("zehn", 10.0),
        ("vierzehn", 14.0),
        ("zwanzig", 20.0),
        ("dreißig", 30.0),
        ("deux", 2.0),
        ("trois", 3.0),
        ("quinze", 15.0),
        ("trente", 30.0),
    ];
    WORDS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(question: &str, entry: &str) -> Option<Conflict> {
        Facts::of(question).conflict(&Facts::of(entry))
    }

    #[test]
    fn codes_meet_however_they_are_separated_and_differ_in_one_character() {
        assert_eq!(conflict("the display says F07", "Error F-07: refill the water."), None);
        assert_eq!(conflict("the display says F70", "Error F-07: refill the water."), Some(Conflict::Code));
        assert_eq!(conflict("update to 2.4.1?", "Version 2.4.0 fixes this."), Some(Conflict::Code));
    }

    #[test]
    fn countries_years_and_amounts_must_agree() {
        assert_eq!(conflict("Do you deliver to Peru?", "We deliver to Chile."), Some(Conflict::Country));
        assert_eq!(conflict("prices in 2025", "Prices 2024"), Some(Conflict::Year));
        assert_eq!(conflict("Can I cancel after 20 days?", "You can cancel within 14 days."), Some(Conflict::Amount));
        assert_eq!(conflict("a discount of 10%?", "Students get ten percent."), None);
        assert_eq!(conflict("Can I cancel after 20 days?", "You can cancel online."), None);
    }

    #[test]
    fn order_numbers_times_and_counts_do_not_identify_an_entry() {
        assert!(Facts::of("where is order 48151623?").is_empty());
        assert!(Facts::of("open at 5pm on the 1st?").is_empty());
    }
}
