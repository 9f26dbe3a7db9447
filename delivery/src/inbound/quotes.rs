//! Finding what the writer of a mail wrote: without the mail that it answers and without the signature.
//!
//! Mail programs quote in many ways: with `>`, below a line such as "On Monday, Ann wrote:", or below the headers of
//! the quoted mail. Our own mails begin with a line that ends every answer above it ([`REPLY_LINE`]). When nothing is
//! recognized, the text stays whole: a quotation too many is better than a lost sentence.

use crate::mails::REPLY_LINE;

/// Maximum number of lines that the line above a quotation is wrapped to.
const INTRODUCTION_LINES: usize = 3;
/// Maximum number of characters of the lines above a quotation.
const INTRODUCTION_CHARS: usize = 300;
/// Number of digits of a date with a time, such as 30.11. 10:00.
const DATE_DIGITS: usize = 6;
/// Minimum number of underscores of a line above a quoted mail.
const RULE_CHARS: usize = 20;
/// Number of lines in which the headers of a quoted mail stand together.
const HEADER_LINES: usize = 5;

/// Words for "wrote" in the lines above quotations.
const WROTE: [&str; 22] = [
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "écrivait",
    "escribió",
    "ha scritto",
    "escreveu",
    "schreef",
    "skrev",
    "kirjoitti",
    "napisał",
    "napisał(a)",
    "napsal",
    "написал",
    "пишет",
    "yazdı",
    "írta",
    "έγραψε",
    "a scris",
    "写道",
    "のメール",
];
/// Names of headers in quoted mails: the sender, and what follows.
const FROM: [&str; 9] = ["from:", "von:", "de:", "de :", "da:", "van:", "från:", "fra:", "od:"];
const BELOW: [&str; 25] = [
    "sent:",
    "date:",
    "to:",
    "subject:",
    "gesendet:",
    "datum:",
    "an:",
    "betreff:",
    "envoyé",
    "date :",
    "à :",
    "objet",
    "enviado",
    "fecha:",
    "para:",
    "asunto:",
    "inviato:",
    "data:",
    "a:",
    "oggetto:",
    "assunto:",
    "verzonden:",
    "aan:",
    "onderwerp:",
    "skickat:",
];
/// Words that introduce an original message between dashes.
const ORIGINAL: [&str; 9] = [
    "original message",
    "original-nachricht",
    "ursprüngliche nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "forwarded message",
];
/// Beginnings of the lines that telephones and mail programs add.
const DEVICE: [&str; 12] = [
    "sent from my",
    "sent from outlook",
    "sent from mail for",
    "get outlook for",
    "von meinem",
    "gesendet von",
    "envoyé de mon",
    "envoyé depuis",
    "enviado desde",
    "inviato da",
    "enviado do iphone",
    "verstuurd vanaf",
];

/// Returns what the writer of a mail wrote.
pub(super) fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let (mut own, mut at, mut has_quotation) = (Vec::new(), 0, false);
    while at < lines.len() {
        if is_quoted(lines[at]) {
            has_quotation = true;
            drop_introduction(&mut own);
            at += 1;
        } else if let Some(introduction) = introduction(&lines, at) {
            at += introduction;
        } else if is_end(&lines, at) {
            has_quotation = true;
            break;
        } else {
            own.push(lines[at]);
            at += 1;
        }
    }
    if has_quotation {
        drop_introduction(&mut own);
    }
    drop_signature(&mut own);
    own.join("\n").trim().to_owned()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Returns whether everything from line `at` on is the mail that is answered.
fn is_end(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    let lower = line.to_lowercase();
    let is_original = lower.starts_with("--") && ORIGINAL.iter().any(|words| lower.contains(words));
    let is_rule = line.len() >= RULE_CHARS && line.chars().all(|c| c == '_');
    line.contains(REPLY_LINE)
        || is_original
        || is_header(lines, at)
        || (is_rule && at + 1 < lines.len() && is_header(lines, at + 1))
        || introduction_at(lines, at).is_some_and(|count| lines[at..at + count].iter().any(|line| line.contains('@')))
}

/// Returns the number of lines of an introduction that begins at `at` and that quoted lines follow. The answer may be below
/// these.
fn introduction(lines: &[&str], at: usize) -> Option<usize> {
    let count = introduction_at(lines, at)?;
    let next = lines[at + count..].iter().find(|line| !line.is_empty())?;
    is_quoted(next).then_some(count)
}

/// Returns the number of lines of a text such as "On Monday, Ann wrote:" that begins at `at`. A line before it that
/// is a sentence of the writer, or that a line with its own date follows, is no part of it.
fn introduction_at(lines: &[&str], at: usize) -> Option<usize> {
    let mut joined = String::new();
    for (count, line) in (1..=INTRODUCTION_LINES).zip(&lines[at..]) {
        if line.is_empty() || is_quoted(line) || (count > 1 && (ends_a_sentence(lines[at]) || has_date(line))) {
            return None;
        }
        joined.push_str(line.trim());
        joined.push(' ');
        if joined.chars().count() > INTRODUCTION_CHARS {
            return None;
        }
        let lower = joined.trim_end().to_lowercase();
        let has_who_or_when = lower.contains('@') || lower.chars().any(|c| c.is_ascii_digit());
        if lower.ends_with([':', '：']) && has_who_or_when && WROTE.iter().any(|word| lower.contains(word)) {
            return Some(count);
        }
    }
    None
}

fn ends_a_sentence(line: &str) -> bool {
    line.trim_end().ends_with(['.', '!', '?', '。', '！', '？'])
}

fn has_date(line: &str) -> bool {
    line.chars().filter(char::is_ascii_digit).count() >= DATE_DIGITS
}

/// Returns whether the headers of a quoted mail begin at `at`.
fn is_header(lines: &[&str], at: usize) -> bool {
    let normal = |line: &str| line.trim_start_matches(['>', ' ', '*']).to_lowercase().replace('*', "");
    if !FROM.iter().any(|name| normal(lines[at]).starts_with(name)) {
        return false;
    }
    let below = lines[at + 1..].iter().take(HEADER_LINES).map(|line| normal(line));
    below.filter(|line| BELOW.iter().any(|name| line.starts_with(name))).count() >= 2
}

/// Removes the line above a quotation in a language that is not known: it ends with a colon and contains an address
/// or a date.
fn drop_introduction(own: &mut Vec<&str>) {
    let last = own.iter().rposition(|line| !line.is_empty());
    let is_one = |line: &str| line.ends_with([':', '：']) && (line.contains('@') || has_date(line));
    if let Some(last) = last.filter(|last| is_one(own[*last])) {
        own.truncate(last);
    }
}

/// Removes the signature: from the line `-- ` on, and the line that a device adds at the end.
fn drop_signature(own: &mut Vec<&str>) {
    if let Some(at) = own.iter().rposition(|line| *line == "--") {
        own.truncate(at);
    }
    trim_end(own);
    let is_device = |line: &&str| DEVICE.iter().any(|words| line.trim().to_lowercase().starts_with(words));
    while own.last().is_some_and(is_device) {
        own.pop();
        trim_end(own);
    }
}

fn trim_end(own: &mut Vec<&str>) {
    while own.last().is_some_and(|line| line.trim().is_empty()) {
        own.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_directly_above_the_introduction_stays() {
        for own in ["Yes, please.", "My order is 1234", "Thanks"] {
            let introduction = "On Mon, 30 Nov 2026 at 10:00, Shop <help@shop.example> wrote:";

            assert_eq!(cut(&format!("{own}\n{introduction}\n> Hello")), own);
            assert_eq!(cut(&format!("{own}\n{introduction}\n\nHello")), own);
        }
    }

    #[test]
    fn what_mail_programs_quote_is_cut() {
        for quotation in [
            "On Mon, 30 Nov 2026 at 10:00, Shop <help@shop.example> wrote:\n> Hello\n> there",
            "On Mon, 30 Nov 2026 at 10:00, A Shop With A Long Name\n<help@shop.example> wrote:\n\n> Hello",
            "Am 30.11.2026 um 10:00 schrieb Shop <help@shop.example>:\n> Hallo",
            "Le lun. 30 nov. 2026 à 10:00, Shop <help@shop.example> a écrit :\n> Bonjour",
            "El lun, 30 nov 2026 a las 10:00, Shop (<help@shop.example>) escribió:\n> Hola",
            "-----Original Message-----\nFrom: Shop\nSent: Monday\n\nHello",
            "-----Ursprüngliche Nachricht-----\nVon: Shop\n\nHallo",
            "________________________________\nFrom: Shop <help@shop.example>\nSent: Monday, 30 November 2026\nTo: Ann\nSubject: Hi\n\nHello",
            "Von: Shop\nGesendet: Montag\nAn: Ann\nBetreff: Hallo\n\nHallo",
            "*From:* Shop\n*Date:* Monday\n*To:* Ann\n\nHello",
            "> Hello\n> there",
            "Shop <help@shop.example> 2026-11-30 10:00 qeshtu:\n> Hello",
            "help@shop.example unbekanntes Verb:\n\nWrite your answer above this line.\n\nHello",
        ] {
            let mail = format!("Yes, please.\n\nOn Tuesday at 9?\n\n{quotation}\n");
            assert_eq!(cut(&mail), "Yes, please.\n\nOn Tuesday at 9?", "{quotation}");
        }
    }

    #[test]
    fn signatures_are_cut() {
        for signature in [
            "-- \nAnn Example\nExample Ltd.",
            "--\nAnn",
            "Sent from my iPhone",
            "Von meinem iPhone gesendet",
            "Get Outlook for iOS",
        ] {
            assert_eq!(cut(&format!("Yes, please.\n\n{signature}\n")), "Yes, please.", "{signature}");
        }
        assert_eq!(cut("Yes.\n\nSent from my iPhone\n\nOn 1 May 2026, Shop wrote:\n> Hi"), "Yes.");
    }

    #[test]
    fn own_words_stay() {
        for own in [
            "I wrote to you on Monday:\nnobody answered.",
            "From: where do you deliver?\nI live in Rome.",
            "The price is > 100 €.",
            "Choose:\n- one\n- two",
            "My order is 12345678:\nwhere is it?",
            "I have sent from my side two letters.\nPlease answer.",
        ] {
            assert_eq!(cut(own), own);
        }
    }

    #[test]
    fn answers_below_and_between_quoted_lines_stay() {
        let above = "On Mon, 30 Nov 2026 at 10:00, Shop <help@shop.example> wrote:";

        assert_eq!(cut(&format!("{above}\n> Do you want it?\n\nYes, please.")), "Yes, please.");
        assert_eq!(cut(&format!("{above}\n> Do you want it?\nYes.\n> When?\nToday.")), "Yes.\nToday.");
        // Nobody quotes like this without an address, so the words below are the visitor's own.
        assert_eq!(
            cut("You wrote 2 days ago:\nWe deliver.\nBut you did not."),
            "You wrote 2 days ago:\nWe deliver.\nBut you did not."
        );
    }
}
