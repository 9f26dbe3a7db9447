//! Numbers of a spreadsheet as its formats show them: decimals, groups of three, currencies, percentages, dates and
//! times.
//!
//! Called by the reader of XLSX for each cell. Formats are read as far as they say what a number means; colors,
//! conditions and fractions are ignored. Dates are written as `2026-12-24` whatever the order in the format is.

use helpbot_domain::time::Day;

/// Days between the first day of the two calendars of Excel, 1899-12-30 and 1904-01-01.
const DAYS_1904: f64 = 1462.0;

/// Days from 1899-12-30 to 1970-01-01.
const DAYS_TO_1970: i64 = 25_569;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// The most decimals that are written.
const DECIMALS_MAX: usize = 10;

/// How a cell shows its number.
#[derive(Debug, Default)]
pub(super) struct NumberFormat {
    /// For positive, negative and no amounts; empty for a plain number.
    sections: Vec<Vec<FormatPart>>,
}

impl NumberFormat {
    /// Reads the code of a format, such as `#,##0.00 "€"`.
    pub(super) fn parse(code: &str) -> Self {
        if code.is_empty() || code.eq_ignore_ascii_case("general") || code == "@" {
            return Self::default();
        }
        Self { sections: code.split(';').take(3).map(parts).collect() }
    }

    /// The format with an id that the file does not define.
    pub(super) fn built_in(id: u32) -> Self {
        Self::parse(built_in(id))
    }

    /// The text of a stored number. `None` when it is not a number.
    pub(super) fn shown(&self, value: &str, is_1904: bool) -> Option<String> {
        let number: f64 = value.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
        if number.abs() >= 1e15 {
            return None;
        }
        let Some(parts) = self.section(number) else { return Some(plain(number)) };
        if parts.iter().any(|part| matches!(part, FormatPart::Time(_))) {
            let days = if is_1904 && !is_elapsed(parts) { number + DAYS_1904 } else { number };
            return time(days, parts);
        }
        let has_own_sign = number < 0.0 && self.sections.len() > 1;
        let text = decimal(number.abs(), parts).unwrap_or_else(|| plain(number.abs()));
        Some(if number < 0.0 && !has_own_sign { format!("-{text}") } else { text })
    }

    fn section(&self, number: f64) -> Option<&[FormatPart]> {
        let at = match self.sections.len() {
            2.. if number < 0.0 => 1,
            3.. if number == 0.0 => 2,
            _ => 0,
        };
        self.sections.get(at).map(Vec::as_slice)
    }
}

/// The code of the format with an id, as far as it differs from a plain number.
fn built_in(id: u32) -> &'static str {
    match id {
        1 => "0",
        2 => "0.00",
        3 | 37 | 38 => "#,##0",
        4 | 39 | 40 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        14..=17 => "yyyy-mm-dd",
        18 | 20 => "h:mm",
        19 | 21 => "h:mm:ss",
        22 => "yyyy-mm-dd h:mm",
        45 | 47 => "mm:ss",
        46 => "[h]:mm:ss",
        _ => "",
    }
}

/// A number without the noise of its binary form: 0.1 + 0.2 is stored as 0.30000000000000004.
fn plain(number: f64) -> String {
    // A number has 15 reliable digits.
    let digits = number.abs().max(1.0).log10() as usize + 1;
    let rounded = format!("{number:.*}", 15_usize.saturating_sub(digits).min(DECIMALS_MAX));
    let short = if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.') } else { &rounded };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FormatPart {
    /// `0`, `#` or `?`: a digit, always written for `0`.
    Digit(char),
    Point,
    Comma,
    Percent,
    /// A unit of a date or time: "yyyy", "mm", "[h]".
    Time(String),
    Text(String),
    /// An exponent or a fraction, which are not written.
    Unknown,
}

fn parts(section: &str) -> Vec<FormatPart> {
    let mut parts = Vec::new();
    let mut chars = section.chars().peekable();
    while let Some(c) = chars.next() {
        let part = match c {
            '0' | '#' | '?' => FormatPart::Digit(c),
            '.' => FormatPart::Point,
            ',' => FormatPart::Comma,
            '%' => FormatPart::Percent,
            '"' => FormatPart::Text(chars.by_ref().take_while(|&c| c != '"').collect()),
            '\\' => FormatPart::Text(chars.next().map(String::from).unwrap_or_default()),
            // The width of a character, and a character that fills the cell.
            '_' => {
                chars.next();
                FormatPart::Text(" ".to_owned())
            }
            '*' => {
                chars.next();
                continue;
            }
            '[' => bracket(&chars.by_ref().take_while(|&c| c != ']').collect::<String>()),
            'E' | 'e' | '/' if parts.iter().any(|part| matches!(part, FormatPart::Digit(_))) => FormatPart::Unknown,
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => {
                let mut unit = c.to_lowercase().to_string();
                while let Some(more) = chars.next_if(|more| more.eq_ignore_ascii_case(&c)) {
                    unit.push(more.to_ascii_lowercase());
                }
                FormatPart::Time(unit)
            }
            _ => FormatPart::Text(c.to_string()),
        };
        parts.push(part);
    }
    parts
}

/// What is in brackets: a currency (`[$€-407]`), elapsed hours (`[h]`), or a color or condition.
fn bracket(inside: &str) -> FormatPart {
    if let Some(currency) = inside.strip_prefix('$') {
        return FormatPart::Text(currency.split('-').next().unwrap_or_default().to_owned());
    }
    let is_unit = ["h", "m", "s"].iter().any(|unit| inside.to_lowercase().chars().all(|c| unit.contains(c)));
    if is_unit && !inside.is_empty() {
        FormatPart::Time(format!("[{}]", inside.to_lowercase()))
    } else {
        FormatPart::Text(String::new())
    }
}

/// A positive number with its decimals, groups and literal text; `None` for a format that is not understood.
fn decimal(number: f64, parts: &[FormatPart]) -> Option<String> {
    if parts.contains(&FormatPart::Unknown) {
        return None;
    }
    let first = parts.iter().position(|part| matches!(part, FormatPart::Digit(_)));
    let Some(first) = first else { return Some(text(parts)) };
    let point = parts.iter().position(|part| *part == FormatPart::Point).unwrap_or(parts.len());
    let last = parts.iter().rposition(|part| matches!(part, FormatPart::Digit(_))).unwrap_or(first);
    let (whole, behind) = (&parts[first..point.clamp(first, last + 1)], &parts[(point + 1).min(last + 1)..=last]);
    let thousands = parts[last + 1..].iter().take_while(|part| **part == FormatPart::Comma).count() as i32;
    let percents = parts.iter().filter(|part| **part == FormatPart::Percent).count() as i32;
    let scaled = number * 100_f64.powi(percents.min(2)) / 1000_f64.powi(thousands.min(5));
    let rounded = format!("{scaled:.*}", digits(behind, "0#?").min(DECIMALS_MAX));
    let (mut integer, mut decimals) = rounded.split_once('.').unwrap_or((&rounded, ""));
    while decimals.len() > digits(behind, "0") && decimals.ends_with('0') {
        decimals = &decimals[..decimals.len() - 1];
    }
    if integer == "0" && digits(whole, "0") == 0 {
        integer = "";
    }
    let dot = if decimals.is_empty() { "" } else { "." };
    Some(format!("{}{}{dot}{decimals}{}", text(&parts[..first]), filled(whole, integer), text(&parts[last + 1..])))
}

fn digits(parts: &[FormatPart], kinds: &str) -> usize {
    parts.iter().filter(|part| matches!(part, FormatPart::Digit(c) if kinds.contains(*c))).count()
}

/// The literal text of some parts.
fn text(parts: &[FormatPart]) -> String {
    let text = |part: &FormatPart| match part {
        FormatPart::Text(text) => text.clone(),
        FormatPart::Percent => "%".to_owned(),
        _ => String::new(),
    };
    parts.iter().map(text).collect()
}

/// The digits before the point, with the signs between them, from the last place to the first.
fn filled(whole: &[FormatPart], integer: &str) -> String {
    let is_grouped = whole.contains(&FormatPart::Comma);
    let mut rest = integer.chars().rev();
    let mut out: Vec<char> = Vec::new();
    let mut count = 0;
    let mut push = |out: &mut Vec<char>, digit: char| {
        if is_grouped && count > 0 && count % 3 == 0 {
            out.push(',');
        }
        count += 1;
        out.push(digit);
    };
    for part in whole.iter().rev() {
        match part {
            FormatPart::Digit(kind) => {
                if let Some(digit) = rest.next().or((*kind == '0').then_some('0')) {
                    push(&mut out, digit);
                }
            }
            FormatPart::Text(text) => out.extend(text.chars().rev()),
            _ => {}
        }
    }
    rest.for_each(|digit| push(&mut out, digit));
    out.iter().rev().collect()
}

fn is_elapsed(parts: &[FormatPart]) -> bool {
    parts.iter().any(|part| matches!(part, FormatPart::Time(unit) if unit.starts_with('[')))
}

/// A number of days as a date, a time, or both; elapsed time goes on behind 24 hours.
fn time(days: f64, parts: &[FormatPart]) -> Option<String> {
    let has = |unit: char| parts.iter().any(|part| matches!(part, FormatPart::Time(name) if name.contains(unit)));
    let seconds = (days * SECONDS_PER_DAY).round() as i64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if is_elapsed(parts) {
        let seconds = if has('s') { format!(":{rest:02}") } else { String::new() };
        return Some(format!("{hours}:{minutes:02}{seconds}"));
    }
    let is_clock = has('h') || has('s');
    let is_date = has('y') || has('d') || !is_clock;
    let seconds = if has('s') { format!(":{rest:02}") } else { String::new() };
    let clock = format!("{:02}:{minutes:02}{seconds}", hours % 24);
    match (is_date, is_clock) {
        (true, true) => Some(format!("{} {clock}", date(hours.div_euclid(24))?)),
        (true, false) => date(days.floor() as i64),
        _ if !has('h') => Some(format!("{:02}:{rest:02}", minutes + hours * 60)),
        _ => Some(clock),
    }
}

/// The date of a stored number of days since 1899-12-30, as `2026-12-24`.
fn date(days: i64) -> Option<String> {
    if !(60..2_958_466).contains(&days) {
        return None;
    }
    i32::try_from(days - DAYS_TO_1970).ok().map(|days| Day::from_number(days).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str, format: &str) -> String {
        NumberFormat::parse(format).shown(value, false).expect("a number")
    }

    #[test]
    fn plain_numbers_lose_the_noise_of_their_binary_form() {
        assert_eq!(text("0.30000000000000004", ""), "0.3");
        assert_eq!(text("1200", "General"), "1200");
        assert_eq!(text("1234567.8910000001", ""), "1234567.891");
        assert_eq!(text("-0.00000000000001", ""), "0");
    }

    #[test]
    fn numbers_are_written_as_their_format_shows_them() {
        assert_eq!(text("0.5", built_in(9)), "50%");
        assert_eq!(text("1234567.891", "#,##0.00 \"€\""), "1,234,567.89 €");
        assert_eq!(text("19.9", "[$€-407] 0.00"), "€ 19.90");
        assert_eq!(text("1010", "00000"), "01010");
        assert_eq!(text("431234567", "\"+\"0"), "+431234567");
        assert_eq!(text("123456789", "000-00-0000"), "123-45-6789");
        assert_eq!(text("-5", "0.00;[Red](0.00)"), "(5.00)");
        assert_eq!(text("-5", "0.0#"), "-5.0");
        assert_eq!(text("0", "\"Yes\";;\"No\""), "No");
        assert_eq!(text("1500000", "0.0,,\" M\""), "1.5 M");
        assert_eq!(text("0.25", "# ?/?"), "0.25");
    }

    #[test]
    fn dates_and_times_are_written_as_people_see_them() {
        assert_eq!(text("46380", built_in(14)), "2026-12-24");
        assert_eq!(text("45351.5", "dd/mm/yyyy"), "2024-02-29");
        assert_eq!(text("45365.5", "dd.mm.yyyy hh:mm"), "2024-03-14 12:00");
        assert_eq!(text("0.75", built_in(20)), "18:00");
        assert_eq!(text("1.25", "[h]:mm"), "30:00");
        assert_eq!(text("0.0625", "mm:ss"), "90:00");
        assert_eq!(NumberFormat::built_in(14).shown("43903", true).as_deref(), Some("2024-03-14"));
    }
}
