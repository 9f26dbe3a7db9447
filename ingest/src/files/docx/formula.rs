//! Formulas of a Word document as text on one line: raised and lowered parts, fractions with a slash,
//! brackets and roots.
//!
//! Called by the writer for the elements of a formula; the text within them is that of the paragraph.

/// The most brackets and fractions within one another. Deeper ones are written without their signs.
const DEPTH_LIMIT: usize = 64;

/// The parts of formulas that are open.
#[derive(Debug, Default)]
pub(super) struct Formula {
    /// Where the numerators and denominators that are open begin in the paragraph.
    parts: Vec<usize>,
    brackets: Vec<Bracket>,
    /// The sign of a sum or integral whose properties are open.
    sign: Option<String>,
}

/// A pair of brackets, which is written once its properties are known.
#[derive(Debug)]
struct Bracket {
    start: String,
    end: String,
    is_open: bool,
}

impl Formula {
    /// Begins a part; `value` is its attribute.
    pub(super) fn open(&mut self, name: &str, value: impl Fn() -> Option<String>, html: &mut String) {
        match name {
            "sup" => html.push_str("<sup>"),
            "sub" | "lim" => html.push_str("<sub>"),
            "num" | "den" if self.parts.len() < DEPTH_LIMIT => self.parts.push(html.len()),
            "d" if self.brackets.len() < DEPTH_LIMIT => {
                self.brackets.push(Bracket { start: "(".to_owned(), end: ")".to_owned(), is_open: false });
            }
            "begChr" | "endChr" => {
                if let Some(bracket) = self.brackets.last_mut() {
                    let sign = super::super::xml::escaped(&value().unwrap_or_default());
                    if name == "begChr" { bracket.start = sign } else { bracket.end = sign }
                }
            }
            "nary" => self.sign = Some("∫".to_owned()),
            "chr" if self.sign.is_some() => self.sign = value().map(|sign| super::super::xml::escaped(&sign)),
            "rad" => html.push('√'),
            "deg" => html.push_str("<sup>"),
            "e" => {
                if let Some(bracket) = self.brackets.last_mut().filter(|bracket| !bracket.is_open) {
                    bracket.is_open = true;
                    html.push_str(&bracket.start);
                }
            }
            _ => {}
        }
    }

    /// Ends a part.
    pub(super) fn close(&mut self, name: &str, html: &mut String) {
        match name {
            "sup" | "deg" => html.push_str("</sup>"),
            "sub" | "lim" => html.push_str("</sub>"),
            "num" | "den" => {
                let Some(start) = self.parts.pop().filter(|&start| start <= html.len()) else { return };
                // A sum above or below the line needs brackets on one line.
                if html[start..].contains(['+', '-', '−', '·', '×', ' ']) {
                    html.insert(start, '(');
                    html.push(')');
                }
                if name == "num" {
                    html.push('/');
                }
            }
            "d" => {
                if let Some(bracket) = self.brackets.pop().filter(|bracket| bracket.is_open) {
                    html.push_str(&bracket.end);
                }
            }
            "naryPr" => html.push_str(&self.sign.take().unwrap_or_default()),
            _ => {}
        }
    }
}
