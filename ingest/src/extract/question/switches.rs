//! The signs and words behind a question that open and close its answer: "Can I pay? Show".

/// Signs apart from the words before them that show whether an answer is open.
const SIGNS: [&str; 8] = [" ×", " ✕", " ✖", " −", " –", " ›", " ❯", " >"];

/// A line without such a sign at its end.
pub(super) fn without_sign(line: &str) -> &str {
    let sign = SIGNS.into_iter().find(|sign| line.ends_with(sign));
    sign.map_or(line, |sign| line[..line.len() - sign.len()].trim_end())
}

/// A question without the words behind it that open and close its answer: "Can I pay? Show".
pub(super) fn without_switch(line: &str) -> &str {
    let Some(at) = line.rfind(['?', '？', '؟']) else { return line };
    let end = at + line[at..].chars().next().map_or(0, char::len_utf8);
    if line.len() - end > LONGEST_SWITCH_BYTES {
        return line;
    }
    // "ShowHide" are two words, of which the style shows one.
    let mut rest = line[end..].chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
    let mut is_switch = false;
    while let Some(word) = SWITCHES.iter().filter(|word| rest.starts_with(**word)).max_by_key(|word| word.len()) {
        rest.drain(..word.len());
        is_switch = rest.is_empty();
    }
    if is_switch { &line[..end] } else { line }
}

/// The longest words that open and close an answer, in bytes.
const LONGEST_SWITCH_BYTES: usize = 40;

/// Words that open and close an answer.
const SWITCHES: [&str; 24] = [
    "show",
    "hide",
    "open",
    "close",
    "toggle",
    "expand",
    "collapse",
    "answer",
    "anzeigen",
    "ausblenden",
    "öffnen",
    "schließen",
    "aufklappen",
    "zuklappen",
    "afficher",
    "masquer",
    "ouvrir",
    "fermer",
    "mostrar",
    "ocultar",
    "abrir",
    "cerrar",
    "mostra",
    "nascondi",
];
