//! Removes from questions what could identify a visitor: addresses, links and long numbers.

/// Digits from which a number is one of an order, a phone or a card, and no amount or year.
const MIN_DIGITS: usize = 5;

/// Returns the question with a placeholder for each e-mail address, link and long number. A number in
/// groups, such as `+49 170 1234567`, counts as one.
pub(super) fn masked(question: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let words: Vec<&str> = question.split_whitespace().collect();
    let mut at = 0;
    while at < words.len() {
        let group = words[at..].iter().take_while(|word| is_number(word)).count();
        let digits: usize = words[at..at + group].iter().map(|word| digits_of(word)).sum();
        if group > 0 && digits >= MIN_DIGITS {
            out.push("[number]".to_owned());
            at += group;
            continue;
        }
        let word = words[at];
        out.push(match word {
            _ if word.contains('@') => "[address]".to_owned(),
            _ if word.contains("://") || word.to_lowercase().starts_with("www.") => "[link]".to_owned(),
            _ if digits_of(word) >= MIN_DIGITS => "[number]".to_owned(),
            _ => word.to_owned(),
        });
        at += 1;
    }
    out.join(" ")
}

/// Whether a word is a number or a group of its digits.
fn is_number(word: &str) -> bool {
    digits_of(word) > 0 && word.chars().all(|c| c.is_numeric() || "+-()/.,#:?!".contains(c))
}

fn digits_of(word: &str) -> usize {
    word.chars().filter(|c| c.is_numeric()).count()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_links_and_long_numbers_are_masked_and_the_rest_stays() {
        for (question, shown) in [
            ("I am ann@example.com, where is it?", "I am [address] where is it?"),
            ("Call me at +49 170 1234567 please", "Call me at [number] please"),
            ("Order  AB-4711-99 is late", "Order [number] is late"),
            ("See https://a.example/?token=1", "See [link]"),
            ("Is the E-1042 from 2019 under 100 EUR?", "Is the E-1042 from 2019 under 100 EUR?"),
            ("返品は30日以内ですか", "返品は30日以内ですか"),
        ] {
            assert_eq!(masked(question), shown);
        }
    }
}
