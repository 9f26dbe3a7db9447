//! Fonts of a PDF: the bytes of a text to characters and their widths.
//!
//! Called by `content`, once for each font of the file.

use lopdf::{Dictionary, Document, Object};

use super::cmap::{CharacterMap, Codes, predefined};

/// A font as far as reading needs it.
pub(super) struct Font {
    codes: Codes,
    to_unicode: Option<CharacterMap>,
    /// The text of each code of one byte.
    simple: Vec<String>,
    /// Widths by code, in thousandths of the size of the font.
    widths: std::collections::HashMap<u32, f32>,
    default_width: f32,
    is_standard: bool,
    pub is_bold: bool,
}

/// A character of a text.
pub(super) struct Character {
    pub text: String,
    /// In thousandths of the size of the font.
    pub width: f32,
    /// Whether word spacing applies: a space that is one byte.
    pub is_word_space: bool,
}

impl Font {
    pub(super) fn read(document: &Document, font: &Dictionary) -> Self {
        let name = name(font, b"BaseFont").to_lowercase();
        // "CMBX" and "-Medi" are how the fonts of TeX call it.
        let is_bold =
            ["bold", "black", "heavy", "demi", "cmbx", "cmssbx", "sfbx"].iter().any(|word| name.contains(word))
                || name.ends_with("-medi")
                || weight(document, font) >= BOLD_WEIGHT;
        let to_unicode = stream(document, font, b"ToUnicode").map(|map| CharacterMap::read(&map));
        let is_composite = font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Type0");
        let mut read = Self {
            codes: Codes::Single,
            to_unicode,
            simple: Vec::new(),
            widths: std::collections::HashMap::new(),
            default_width: 0.0,
            is_standard: false,
            is_bold,
        };
        if is_composite {
            read.composite(document, font)
        } else {
            read.simple(document, font)
        }
        read
    }

    fn composite(&mut self, document: &Document, font: &Dictionary) {
        let encoding = name(font, b"Encoding");
        self.codes = match stream(document, font, b"Encoding") {
            Some(map) => Codes::Ranges(CharacterMap::read(&map).ranges),
            None => predefined(&encoding).unwrap_or(Codes::Double),
        };
        self.default_width = 1000.0;
        let descendants = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array);
        let Some(Ok((_, Object::Dictionary(child)))) =
            descendants.ok().and_then(|fonts| fonts.first()).map(|child| document.dereference(child))
        else {
            return;
        };
        self.default_width = number(document, child.get(b"DW").ok()).unwrap_or(1000.0);
        // Widths are listed by glyph, which only these maps give without a table.
        if matches!(self.codes, Codes::Double | Codes::Ranges(_))
            && let Ok(Ok(list)) = child.get_deref(b"W", document).map(Object::as_array)
        {
            self.glyph_widths(document, list);
        }
    }

    /// `W` lists `first [w1 w2 …]` and `first last w`.
    fn glyph_widths(&mut self, document: &Document, list: &[Object]) {
        let mut at = 0;
        while let Some(first) = number(document, list.get(at)) {
            let first = first as u32;
            match list.get(at + 1).map(|next| document.dereference(next)) {
                Some(Ok((_, Object::Array(widths)))) => {
                    for (step, width) in widths.iter().enumerate() {
                        let width = number(document, Some(width)).unwrap_or(self.default_width);
                        self.widths.insert(first.saturating_add(step as u32), width);
                    }
                    at += 2;
                }
                Some(_) => {
                    let last = number(document, list.get(at + 1)).unwrap_or(0.0) as u32;
                    let width = number(document, list.get(at + 2)).unwrap_or(self.default_width);
                    for code in first..=last.min(first.saturating_add(u32::from(u16::MAX))) {
                        self.widths.insert(code, width);
                    }
                    at += 3;
                }
                None => return,
            }
        }
    }

    fn simple(&mut self, document: &Document, font: &Dictionary) {
        let encoding = font.get_font_encoding(document).ok();
        let text = |code: u8| encoding.as_ref().and_then(|encoding| encoding.bytes_to_string(&[code]).ok());
        self.simple = (0..=255).map(|code| text(code).unwrap_or_default()).collect();
        let first = number(document, font.get(b"FirstChar").ok()).unwrap_or(0.0) as u32;
        if let Ok(Ok(widths)) = font.get_deref(b"Widths", document).map(Object::as_array) {
            for (step, width) in widths.iter().enumerate().take(256) {
                self.widths.insert(first + step as u32, number(document, Some(width)).unwrap_or(0.0));
            }
        }
        let descriptor = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict).ok();
        let missing = descriptor.and_then(|descriptor| number(document, descriptor.get(b"MissingWidth").ok()));
        self.default_width = missing.unwrap_or(if self.widths.is_empty() { 0.0 } else { 500.0 });
        // The fonts that every reader has come without widths.
        self.is_standard = self.widths.is_empty();
        // A font of drawings has its own size of a unit, by its matrix.
        if font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Type3") {
            let matrix = font.get_deref(b"FontMatrix", document).and_then(Object::as_array).ok();
            let scale = matrix.and_then(|matrix| number(document, matrix.first())).unwrap_or(0.001) * 1000.0;
            self.widths.values_mut().for_each(|width| *width *= scale);
        }
    }

    /// The characters of a text.
    pub(super) fn characters(&self, bytes: &[u8]) -> Vec<Character> {
        let mut characters = Vec::new();
        let mut rest = bytes;
        while let Some((code, length)) = self.codes.next(rest) {
            let text = self.text(code, &rest[..length]);
            let width = self.widths.get(&code).copied().unwrap_or(match self.is_standard {
                true => standard_width(text.chars().next().unwrap_or(' ')),
                false => self.default_width,
            });
            characters.push(Character { text, width, is_word_space: length == 1 && code == 32 });
            rest = &rest[length..];
        }
        characters
    }

    fn text(&self, code: u32, bytes: &[u8]) -> String {
        if let Some(text) = self.to_unicode.as_ref().and_then(|map| map.text(code)) {
            return ligatures_apart(text);
        }
        if let Some(text) = self.codes.text(bytes) {
            return text;
        }
        let simple = usize::try_from(code).ok().and_then(|code| self.simple.get(code));
        simple.map(|text| ligatures_apart(text)).unwrap_or_default()
    }
}

/// The weight from which a font is bold, as its descriptor gives it.
const BOLD_WEIGHT: f32 = 600.0;

/// The weight of a simple font; 0 when the file does not say it.
fn weight(document: &Document, font: &Dictionary) -> f32 {
    let descriptor = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict).ok();
    descriptor.and_then(|descriptor| number(document, descriptor.get(b"FontWeight").ok())).unwrap_or(0.0)
}

/// Letters that are printed as one sign, as people type them.
fn ligatures_apart(text: &str) -> String {
    text.replace('ﬀ', "ff").replace('ﬁ', "fi").replace('ﬂ', "fl").replace('ﬃ', "ffi").replace('ﬄ', "ffl")
}

/// The widths of Helvetica for the characters from space to tilde, in thousandths. Other fonts that
/// come without widths are near enough to tell words and columns apart.
const STANDARD_WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

fn standard_width(c: char) -> f32 {
    let at = (c as usize).checked_sub(32);
    at.and_then(|at| STANDARD_WIDTHS.get(at)).map_or(556.0, |&width| f32::from(width))
}

/// A name in a dictionary; empty when there is none.
fn name(dictionary: &Dictionary, key: &[u8]) -> String {
    dictionary
        .get(key)
        .and_then(Object::as_name)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .unwrap_or_default()
}

/// A number, followed through references.
pub(super) fn number(document: &Document, object: Option<&Object>) -> Option<f32> {
    let (_, object) = document.dereference(object?).ok()?;
    object.as_float().ok().filter(|number| number.is_finite())
}

fn stream(document: &Document, dictionary: &Dictionary, key: &[u8]) -> Option<Vec<u8>> {
    let stream = dictionary.get_deref(key, document).and_then(Object::as_stream).ok()?;
    Some(stream.decompressed_content().unwrap_or_else(|_| stream.content.clone()))
}
