//! Language tags (BCP 47). Answers use only the primary subtag; the texts of the widget use the whole tag.

/// Value of a site's language setting that means the language of the question.
pub const AUTO: &str = "auto";

/// Returns the primary subtag of a BCP 47 tag in lower case: `pt-BR` results in `pt`. `None` when
/// `tag` is not a valid tag, including `auto` and the empty text.
pub fn primary(tag: &str) -> Option<String> {
    const MAX_TAG: usize = 35;
    let tag = tag.trim();
    if tag.len() > MAX_TAG || tag.eq_ignore_ascii_case(AUTO) {
        return None;
    }
    let mut subtags = tag.split(['-', '_']);
    let first = subtags.next()?;
    let is_primary = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let is_rest = subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    (is_primary && is_rest).then(|| first.to_ascii_lowercase())
}

/// Returns a BCP 47 tag in its usual spelling: `pt_br` results in `pt-BR`, and `ZH-hant` in `zh-Hant`. `None` when `tag`
/// is not a valid tag.
pub fn canonical(tag: &str) -> Option<String> {
    let mut spelled = primary(tag)?;
    for subtag in tag.trim().split(['-', '_']).skip(1) {
        spelled.push('-');
        match subtag.len() {
            2 => spelled.push_str(&subtag.to_ascii_uppercase()),
            4 => {
                let (first, rest) = subtag.split_at(1);
                spelled.push_str(&first.to_ascii_uppercase());
                spelled.push_str(&rest.to_ascii_lowercase());
            }
            _ => spelled.push_str(&subtag.to_ascii_lowercase()),
        }
    }
    Some(spelled)
}

/// Returns a tag and then the tags that are less specific: `zh-Hant-TW`, `zh-Hant`, `zh`.
pub fn chain(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(less, _)| less))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_region_of_a_tag_are_ignored() {
        assert_eq!(primary("pt-BR").as_deref(), Some("pt"));
        assert_eq!(primary("ES").as_deref(), Some("es"));
        assert_eq!(primary("zh_Hant_TW").as_deref(), Some("zh"));
    }

    #[test]
    fn other_texts_are_not_language_tags() {
        for text in ["", "auto", "AUTO", "english", "e", "e1", "en-", "en-\u{e9}"] {
            assert_eq!(primary(text), None, "{text:?}");
        }
    }

    #[test]
    fn tags_are_spelled_in_the_usual_way_and_get_less_specific() {
        for (tag, expected) in [
            ("pt_br", "pt-BR"),
            (" ZH-hant-tw ", "zh-Hant-TW"),
            ("DE", "de"),
            ("es-419", "es-419"),
            ("sr-LATN", "sr-Latn"),
        ] {
            assert_eq!(canonical(tag).as_deref(), Some(expected));
        }
        assert_eq!(canonical("english please"), None);
        assert_eq!(chain("zh-Hant-TW").collect::<Vec<_>>(), ["zh-Hant-TW", "zh-Hant", "zh"]);
    }
}
