//! Headings that other rules than those of CommonMark allow: without a space behind their signs, or with attributes.
//!
//! Called by [`dialect`](super::dialect) only.

/// A heading in the form of CommonMark: with a space behind its number signs, and without the attributes that Python
/// and Kramdown write behind it. `None` for other lines.
pub(super) fn common(line: &str) -> Option<String> {
    let bare = line.trim();
    let text = bare.trim_start_matches('#');
    let level = bare.len() - text.len();
    if !(1..=6).contains(&level) || line.len() - line.trim_start().len() > 3 {
        return None;
    }
    let (shown, attributes) = text.rsplit_once("{:").unwrap_or((text, ""));
    let has_attributes = attributes.ends_with('}');
    let title = if has_attributes { shown } else { text };
    if title.starts_with([' ', '\t']) {
        return has_attributes.then(|| format!("{} {}", &bare[..level], title.trim()));
    }
    let title = title.trim_end();
    let title = title.strip_suffix(&bare[..level]).filter(|_| level > 1).unwrap_or(title).trim_end();
    // "#holiday" is a keyword, and "#12" a number of something.
    let is_sentence = || title.contains(' ') && !title.contains('#') && !title.starts_with(char::is_lowercase);
    let is_title = level > 1 || title.ends_with(['?', '？', '؟']) || is_sentence();
    let is_named = title.starts_with(|c: char| c.is_alphabetic() || matches!(c, '¿' | '*' | '"' | '[' | '`'));
    (is_title && is_named).then(|| format!("{} {title}", &bare[..level]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_without_a_space_or_with_attributes_are_read() {
        assert_eq!(common("##How do I pay?").as_deref(), Some("## How do I pay?"));
        assert_eq!(common("#Billing help").as_deref(), Some("# Billing help"));
        assert_eq!(common("###Refunds###").as_deref(), Some("### Refunds"));
        assert_eq!(common("## Refunds {: #refunds .big }").as_deref(), Some("## Refunds"));
    }

    #[test]
    fn keywords_numbers_and_code_stay() {
        for line in ["#holiday in June", "#12 is fixed", "## Refunds", "    ##x", "#!/bin/sh", "Text {: .a }"] {
            assert_eq!(common(line), None, "{line}");
        }
    }
}
