//! Names of countries in English, German, French and Spanish.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::normalization::normalize;

/// Names of one country per line, separated by bars. The first names are English.
const COUNTRIES: &str = "\
afghanistan
albania|albanien|albanie
algeria|algerien|algérie|argelia
andorra
angola
argentina|argentinien|argentine
armenia|armenien|arménie
australia|australien|australie
austria|österreich|autriche
azerbaijan|aserbaidschan
bahrain
bangladesh|bangladesch
belarus|weißrussland
belgium|belgien|belgique|bélgica
bolivia|bolivien|bolivie
bosnia|bosnien|bosnie
brazil|brasilien|brésil|brasil
bulgaria|bulgarien|bulgarie
cambodia|kambodscha|cambodge
cameroon|kamerun|cameroun
canada|kanada|canadá
chile|chili
china|chine
colombia|kolumbien|colombie
costa rica
croatia|kroatien|croatie|croacia
cuba|kuba
cyprus|zypern|chypre|chipre
czechia|czech republic|tschechien|tchéquie|chequia
denmark|dänemark|danemark|dinamarca
dominican republic
ecuador|équateur
egypt|ägypten|égypte|egipto
estonia|estland|estonie
ethiopia|äthiopien
finland|finnland|finlande|finlandia
france|frankreich|francia
georgia|georgien|géorgie
germany|deutschland|allemagne|alemania
ghana
greece|griechenland|grèce|grecia
guatemala
hong kong|hongkong
hungary|ungarn|hongrie|hungría
iceland|island|islande|islandia
india|indien|inde
indonesia|indonesien|indonésie
iran
iraq|irak
ireland|irland|irlande|irlanda
israel|israël
italy|italien|italie|italia
jamaica
japan|japon|japón
jordan|jordanien
kazakhstan|kasachstan
kenya|kenia
kosovo
kuwait
latvia|lettland|lettonie|letonia
lebanon|libanon|liban
libya|libyen
liechtenstein
lithuania|litauen|lituanie|lituania
luxembourg|luxemburg|luxemburgo
malaysia|malaisie
malta|malte
mexico|mexiko|mexique|méxico
moldova|moldawien
monaco
mongolia|mongolei
montenegro
morocco|marokko|maroc|marruecos
nepal
netherlands|holland|niederlande|pays-bas|países bajos
new zealand|neuseeland|nouvelle-zélande|nueva zelanda
nigeria
north macedonia|nordmazedonien
norway|norwegen|norvège|noruega
pakistan
panama
paraguay
peru|pérou|perú
philippines|philippinen
poland|polen|pologne|polonia
portugal
qatar|katar
romania|rumänien|roumanie|rumanía
russia|russland|russie|rusia
saudi arabia|saudi-arabien
scotland|schottland|écosse|escocia
senegal
serbia|serbien|serbie
singapore|singapur|singapour
slovakia|slowakei|slovaquie|eslovaquia
slovenia|slowenien|slovénie|eslovenia
south africa|südafrika|afrique du sud|sudáfrica
south korea|korea|südkorea|corée
spain|spanien|espagne|españa
sri lanka
sweden|schweden|suède|suecia
switzerland|schweiz|suisse|suiza
taiwan
thailand|thaïlande|tailandia
tunisia|tunesien|tunisie
turkey|türkei|turquie|turquía
ukraine|ucrania
united arab emirates|dubai
united kingdom|great britain|england|großbritannien|royaume-uni|reino unido
united states|america|vereinigte staaten|états-unis|estados unidos
uruguay
uzbekistan
venezuela
vietnam
wales
zambia
zimbabwe";
/// Abbreviations that count only in capitals, with the name of the country.
const ABBREVIATIONS: [(&str, &str); 6] = [
    ("US", "united states"),
    ("USA", "united states"),
    ("U.S.", "united states"),
    ("UK", "united kingdom"),
    ("U.K.", "united kingdom"),
    ("UAE", "united arab emirates"),
];
/// Maximum number of words in a name.
const MAX_WORDS: usize = 3;

static BY_NAME: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let lines = COUNTRIES.lines().enumerate();
    lines.flat_map(|(number, names)| names.split('|').map(move |name| (name, number))).collect()
});

/// Returns the numbers of the countries that a text names.
pub fn named(text: &str) -> Vec<usize> {
    let normal = normalize(text);
    let words: Vec<&str> =
        normal.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        let known = BY_NAME.get(words[at]).copied().or_else(|| {
            let longer = (2..=MAX_WORDS).filter(|count| at + count <= words.len());
            longer.rev().find_map(|count| BY_NAME.get(words[at..at + count].join(" ").as_str()).copied())
        });
        found.extend(known);
    }
    let capitals = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '?' | '!' | ')' | '(' | '/'));
    for word in capitals.filter(|word| word.len() > 1 && word.starts_with('U')) {
        let known = ABBREVIATIONS.iter().find(|(short, _)| *short == word || *short == word.trim_end_matches('.'));
        found.extend(known.and_then(|(_, name)| BY_NAME.get(name).copied()));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_has_one_number_in_all_languages() {
        assert_eq!(named("Shipping to Switzerland"), named("Versand in die Schweiz"));
        assert_eq!(named("orders from the US"), named("United States"));
        assert!(named("write to us").is_empty());
        assert_eq!(named("from New Zealand to Peru").len(), 2);
    }
}
