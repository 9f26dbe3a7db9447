//! The phone number, address and opening hours that a page declares of its business in JSON-LD
//! (`LocalBusiness`, `Organization` and their kinds).

use serde_json::Value;

use super::super::flow::Flow;
use super::super::page::Item;
use super::super::structured_data;

/// The most businesses that are taken from one page: a page that lists all branches of a bank.
const BUSINESS_LIMIT: usize = 50;

/// The longest value that is taken, in bytes.
const VALUE_LIMIT_BYTES: usize = 500;

/// The words before the values, in the language of the page.
struct Words {
    language: &'static str,
    phone: &'static str,
    mail: &'static str,
    address: &'static str,
    hours: &'static str,
    /// Monday to Sunday.
    days: [&'static str; 7],
}

const WORDS: [Words; 7] = [
    Words {
        language: "en",
        phone: "Phone",
        mail: "E-mail",
        address: "Address",
        hours: "Opening hours",
        days: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    },
    Words {
        language: "de",
        phone: "Telefon",
        mail: "E-Mail",
        address: "Adresse",
        hours: "Öffnungszeiten",
        days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
    },
    Words {
        language: "fr",
        phone: "Téléphone",
        mail: "E-mail",
        address: "Adresse",
        hours: "Horaires d’ouverture",
        days: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    },
    Words {
        language: "es",
        phone: "Teléfono",
        mail: "Correo electrónico",
        address: "Dirección",
        hours: "Horario",
        days: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    },
    Words {
        language: "it",
        phone: "Telefono",
        mail: "E-mail",
        address: "Indirizzo",
        hours: "Orari di apertura",
        days: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
    },
    Words {
        language: "pt",
        phone: "Telefone",
        mail: "E-mail",
        address: "Endereço",
        hours: "Horário",
        days: ["segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"],
    },
    Words {
        language: "nl",
        phone: "Telefoon",
        mail: "E-mail",
        address: "Adres",
        hours: "Openingstijden",
        days: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
    },
];

/// One passage for each business that the JSON-LD of a page describes.
pub(crate) fn declared(flow: &Flow, language: Option<&str>) -> Vec<Item> {
    let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or("en");
    let words = WORDS.iter().find(|words| words.language == primary).unwrap_or(&WORDS[0]);
    let mut items: Vec<Item> = Vec::new();
    for value in structured_data::values(flow) {
        let mut rest = vec![&value];
        while let Some(value) = rest.pop() {
            if let Some(item) = business(value, words)
                && items.len() < BUSINESS_LIMIT
                && !items.contains(&item)
            {
                items.push(item);
            }
            match value {
                Value::Array(values) => rest.extend(values.iter().rev()),
                Value::Object(fields) => rest.extend(fields.values().filter(|value| !value.is_string())),
                _ => {}
            }
        }
    }
    items
}

fn business(value: &Value, words: &Words) -> Option<Item> {
    value["@type"].as_str().or_else(|| value["@type"][0].as_str())?;
    let lines: Vec<String> = [
        line(words.hours, &hours(value, words)),
        line(words.phone, &text(&value["telephone"])),
        line(words.address, &address(&value["address"])),
        line(words.mail, text(&value["email"]).trim_start_matches("mailto:")),
    ]
    .into_iter()
    .flatten()
    .collect();
    // A contact point or a bare postal address is part of the business around it.
    let is_part = matches!(value["@type"].as_str(), Some("PostalAddress" | "ContactPoint" | "Person"));
    if lines.is_empty() || is_part {
        return None;
    }
    let heading = Some(text(&value["name"])).filter(|name| !name.is_empty());
    Some(Item::Passage { heading: heading.into_iter().collect(), text: lines.join("\n\n"), anchor: None })
}

fn line(name: &str, value: &str) -> Option<String> {
    let value = super::super::fragment::line(value);
    let parts = [helpbot_domain::inline::Inline::Text(format!("{name}: {value}"))];
    (!value.is_empty()).then(|| helpbot_domain::inline::to_markdown(&parts))
}

/// A value as text; of several, all with commas between them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= VALUE_LIMIT_BYTES => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => {
            values.iter().take(10).map(text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

fn address(value: &Value) -> String {
    if !value.is_object() {
        return text(value);
    }
    let town = [text(&value["postalCode"]), text(&value["addressLocality"])];
    let town = town.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let country = Some(&value["addressCountry"]).map(|country| match country["name"].as_str() {
        Some(name) => name.to_owned(),
        None => text(country),
    });
    let parts = [text(&value["streetAddress"]), town, text(&value["addressRegion"]), country.unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Opening hours in both forms that schema.org has, on one line.
fn hours(value: &Value, words: &Words) -> String {
    let plain = text(&value["openingHours"]);
    if !plain.is_empty() {
        return with_day_names(&plain, words);
    }
    let specification = &value["openingHoursSpecification"];
    let single = [specification.clone()];
    let times = specification.as_array().map_or(&single[..], Vec::as_slice).iter().take(14).filter_map(|entry| {
        let (opens, closes) = (text(&entry["opens"]), text(&entry["closes"]));
        let days = days(&entry["dayOfWeek"], words);
        let clock = |time: &str| time.strip_suffix(":00").filter(|time| time.contains(':')).unwrap_or(time).to_owned();
        let has_times = !opens.is_empty() && !closes.is_empty();
        has_times.then(|| format!("{days} {}–{}", clock(&opens), clock(&closes)).trim().to_owned())
    });
    times.collect::<Vec<_>>().join("; ")
}

fn days(value: &Value, words: &Words) -> String {
    let name = |value: &Value| {
        let day = value.as_str()?.rsplit('/').next()?.to_owned();
        let index = WORDS[0].days.iter().position(|known| known.eq_ignore_ascii_case(&day));
        Some(index.map_or(day, |index| words.days[index].to_owned()))
    };
    match value {
        Value::Array(values) => values.iter().take(7).filter_map(name).collect::<Vec<_>>().join(", "),
        value => name(value).unwrap_or_default(),
    }
}

/// "Mo-Fr 09:00-17:00" with the names of the days written out.
fn with_day_names(text: &str, words: &Words) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphabetic() {
            word.push(c);
            continue;
        }
        let index = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].iter().position(|day| *day == word);
        out.push_str(index.map_or(word.as_str(), |index| words.days[index]));
        word.clear();
        out.push(c);
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::extract::{Item, html};

    #[test]
    fn a_declared_business_becomes_a_passage_in_the_language_of_the_page() {
        let page = html(
            br#"<html lang="de"><h1>Praxis</h1><script type="application/ld+json">{"@context":"https://schema.org",
            "@type":"Dentist","name":"Praxis Kern","telephone":"+49 731 1234","address":{"@type":"PostalAddress",
            "streetAddress":"Ring 7","postalCode":"89073","addressLocality":"Ulm"},"openingHoursSpecification":
            [{"dayOfWeek":["Monday","https://schema.org/Tuesday"],"opens":"08:00:00","closes":"17:00"}]}</script>"#,
            None,
            None,
        )
        .expect("a page");

        let [Item::Passage { heading, text, .. }] = &page.facts[..] else { panic!("{:?}", page.facts) };
        assert_eq!(heading, &["Praxis Kern"]);
        assert_eq!(
            text,
            "Öffnungszeiten: Montag, Dienstag 08:00–17:00\n\nTelefon: +49 731 1234\n\nAdresse: Ring 7, 89073 Ulm"
        );
    }
}
