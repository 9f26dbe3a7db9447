//! Character maps of PDF fonts: which bytes are a character, and which text it stands for.
//!
//! Called by `font`. Reads the maps that a file carries (`ToUnicode`, embedded encodings) and knows
//! the predefined ones for Chinese, Japanese and Korean whose codes are Unicode or a national
//! encoding.

use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_16BE};

/// The most characters that one map may name.
const ENTRY_LIMIT: usize = 200_000;

/// Which bytes are one character.
#[derive(Debug, Clone)]
pub(super) enum Codes {
    /// One byte each.
    Single,
    /// Two bytes each.
    Double,
    /// As a map of the file says: the lowest and highest code for each length in bytes.
    Ranges(Vec<(usize, u32, u32)>),
    /// As a national encoding or UTF-16 has it.
    National(&'static Encoding),
}

/// The predefined map of a name, for maps whose codes can be decoded without their tables.
pub(super) fn predefined(name: &str) -> Option<Codes> {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if name.starts_with("Uni") && (name.contains("UCS2") || name.contains("UTF16")) {
        return Some(Codes::National(UTF_16BE));
    }
    Some(match () {
        () if starts(&["Identity"]) => Codes::Double,
        () if starts(&["GBK", "GB-EUC", "GBpc", "GBKp", "GBK2K"]) => Codes::National(GBK),
        () if starts(&["90ms-RKSJ", "90msp-RKSJ", "83pv-RKSJ", "90pv-RKSJ", "Add-RKSJ", "Ext-RKSJ"]) => {
            Codes::National(SHIFT_JIS)
        }
        () if starts(&["EUC-H", "EUC-V"]) => Codes::National(EUC_JP),
        () if starts(&["B5", "ETen", "ETenms", "HKscs", "CNS-EUC"]) => Codes::National(BIG5),
        () if starts(&["KSC", "KSCms"]) => Codes::National(EUC_KR),
        () => return None,
    })
}

impl Codes {
    /// The next code of a text and its length in bytes.
    pub(super) fn next(&self, bytes: &[u8]) -> Option<(u32, usize)> {
        let first = *bytes.first()?;
        let length = match self {
            Self::Single => 1,
            Self::Double => 2,
            Self::National(encoding) => national_length(encoding, first),
            Self::Ranges(ranges) => {
                let fits = |length: usize| {
                    let code = code(bytes, length)?;
                    let is_in =
                        |&(bytes, low, high): &(usize, u32, u32)| bytes == length && (low..=high).contains(&code);
                    ranges.iter().any(is_in).then_some(length)
                };
                (1..=4).find_map(fits).unwrap_or_else(|| ranges.first().map_or(1, |range| range.0))
            }
        };
        let length = length.min(bytes.len());
        Some((code(bytes, length)?, length))
    }

    /// The text that a code stands for by itself, without a map of the file.
    pub(super) fn text(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::National(encoding) => {
                let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
                (!has_errors).then(|| text.into_owned())
            }
            _ => None,
        }
    }
}

fn code(bytes: &[u8], length: usize) -> Option<u32> {
    Some(bytes.get(..length)?.iter().fold(0, |code, &byte| code << 8 | u32::from(byte)))
}

fn national_length(encoding: &'static Encoding, first: u8) -> usize {
    let is_single = if encoding == UTF_16BE {
        false
    } else if encoding == SHIFT_JIS {
        first < 0x81 || (0xa0..=0xdf).contains(&first)
    } else {
        first < 0x81
    };
    if is_single { 1 } else { 2 }
}

/// A map that a file carries.
#[derive(Debug, Default)]
pub(super) struct CharacterMap {
    texts: HashMap<u32, String>,
    pub ranges: Vec<(usize, u32, u32)>,
}

impl CharacterMap {
    pub(super) fn text(&self, code: u32) -> Option<&str> {
        self.texts.get(&code).map(String::as_str)
    }

    /// Reads the sections of a map that name characters and the lengths of codes.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let tokens = tokens(bytes);
        let mut at = 0;
        while at < tokens.len() {
            let section = match &tokens[at] {
                CMapToken::Word(word) => word.as_str(),
                _ => "",
            };
            at += 1;
            match section {
                "begincodespacerange" => {
                    while let [CMapToken::Bytes(low), CMapToken::Bytes(high), ..] = &tokens[at..] {
                        let bounds = code(low, low.len()).zip(code(high, high.len()));
                        map.ranges.extend(bounds.map(|(from, to)| (low.len(), from, to)));
                        at += 2;
                    }
                }
                "beginbfchar" => {
                    while let [CMapToken::Bytes(from), CMapToken::Bytes(text), ..] = &tokens[at..] {
                        map.add(code(from, from.len()).unwrap_or(0), utf16(text));
                        at += 2;
                    }
                }
                "beginbfrange" => at = map.ranges_of_text(&tokens, at),
                _ => {}
            }
        }
        map
    }

    fn ranges_of_text(&mut self, tokens: &[CMapToken], mut at: usize) -> usize {
        while let [CMapToken::Bytes(low), CMapToken::Bytes(high), ..] = &tokens[at..] {
            let (low, high) = (code(low, low.len()).unwrap_or(0), code(high, high.len()).unwrap_or(0));
            match tokens.get(at + 2) {
                Some(CMapToken::Bytes(text)) => {
                    let first = utf16(text);
                    for (step, code) in (low..=high).enumerate().take(ENTRY_LIMIT) {
                        self.add(code, stepped(&first, step as u32));
                    }
                    at += 3;
                }
                Some(CMapToken::Open) => {
                    at += 3;
                    let mut code = low;
                    while let Some(CMapToken::Bytes(text)) = tokens.get(at) {
                        self.add(code, utf16(text));
                        code = code.saturating_add(1);
                        at += 1;
                    }
                    at += usize::from(matches!(tokens.get(at), Some(CMapToken::Close)));
                }
                _ => return at + 2,
            }
        }
        at
    }

    fn add(&mut self, code: u32, text: String) {
        if self.texts.len() < ENTRY_LIMIT && !text.is_empty() {
            self.texts.insert(code, text);
        }
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| pair.iter().fold(0_u16, |unit, &byte| unit << 8 | u16::from(byte)));
    char::decode_utf16(units).flatten().filter(|&c| c != '\0').collect()
}

/// The text with its last character moved `step` code points further.
fn stepped(text: &str, step: u32) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if let Some(last) = chars.last_mut() {
        *last = char::from_u32((*last as u32).saturating_add(step)).unwrap_or('\u{fffd}');
    }
    chars.into_iter().collect()
}

#[derive(Debug)]
enum CMapToken {
    Bytes(Vec<u8>),
    Word(String),
    Open,
    Close,
}

/// The parts of a map that matter: hexadecimal strings, brackets and words.
fn tokens(bytes: &[u8]) -> Vec<CMapToken> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() && tokens.len() < ENTRY_LIMIT * 4 {
        match bytes[at] {
            b'%' => at += bytes[at..].iter().take_while(|&&byte| byte != b'\n' && byte != b'\r').count(),
            b'<' if bytes.get(at + 1) == Some(&b'<') => at += 2,
            b'<' => {
                let end = bytes[at..].iter().position(|&byte| byte == b'>').map_or(bytes.len(), |end| at + end);
                tokens.push(CMapToken::Bytes(hexadecimal(&bytes[at + 1..end])));
                at = end + 1;
            }
            b'[' => {
                tokens.push(CMapToken::Open);
                at += 1;
            }
            b']' => {
                tokens.push(CMapToken::Close);
                at += 1;
            }
            byte if byte.is_ascii_alphabetic() => {
                let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                tokens.push(CMapToken::Word(String::from_utf8_lossy(&bytes[at..at + length]).into_owned()));
                at += length;
            }
            _ => at += 1,
        }
    }
    tokens
}

fn hexadecimal(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> =
        text.iter().filter_map(|&byte| (byte as char).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_files_name_characters() {
        let map = CharacterMap::read(
            b"1 begincodespacerange <00> <80> <8140> <9ffc> endcodespacerange 1 beginbfchar <01> <00660069> endbfchar \
              2 beginbfrange <10> <12> <0041> <20> <21> [<0391> <0392>] endbfrange",
        );

        assert_eq!([1, 0x11, 0x21].map(|code| map.text(code).unwrap_or_default()), ["fi", "B", "Β"]);
        let codes = Codes::Ranges(map.ranges);
        assert_eq!((codes.next(b"\x01\x02"), codes.next(b"\x81\x45")), (Some((1, 1)), Some((0x8145, 2))));
    }

    #[test]
    fn national_codes_are_decoded() {
        let codes = predefined("GBK-EUC-H").expect("a predefined map");

        assert_eq!(codes.next(b"\xc8\xe7a"), Some((0xc8e7, 2)));
        assert_eq!(codes.text(b"\xc8\xe7").as_deref(), Some("如"));
        assert_eq!(predefined("UniJIS-UCS2-H").and_then(|codes| codes.text(b"\x30\x42")).as_deref(), Some("あ"));
    }
}
