//! Language tags: BCP 47, of which only the primary subtag is used.

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
}
