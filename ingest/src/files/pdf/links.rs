//! The addresses of links in a page, written behind the text that they lie upon.
//!
//! Called by `content` with the characters of a page. A link is a rectangle above the text, which shows its address
//! only on a screen, so a reader of the text alone would lose it.

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::font::number;
use super::glyph::Glyph;

/// The most links of one page.
const LINK_LIMIT: usize = 200;

/// The most comparisons of characters and links on one page.
const WORK_LIMIT: usize = 20_000_000;

/// The longest address, in bytes.
const ADDRESS_BYTES: usize = 500;

/// The most characters of a word behind the end of a rectangle, and the widest gap within it as a share of its size.
const WORD_CHARS: usize = 30;
const WORD_GAP: f32 = 0.18;

/// A rectangle that leads to an address.
struct Link {
    address: String,
    left: f32,
    right: f32,
    lower: f32,
    upper: f32,
}

impl Link {
    /// Whether another rectangle is the same link on the line below.
    fn goes_on(&self, next: &Self) -> bool {
        let height = self.upper - self.lower;
        self.address == next.address && (self.lower - next.upper).abs() <= height * 0.5
    }
}

/// The characters of a page with the address of each link behind its text. `turned` is the turn of the page.
pub(super) fn with_addresses(
    document: &Document,
    page: ObjectId,
    mut glyphs: Vec<Glyph>,
    turned: impl Fn(f32, f32) -> (f32, f32),
) -> Vec<Glyph> {
    let links = links(document, page, turned);
    if links.len().saturating_mul(glyphs.len()) > WORK_LIMIT {
        return glyphs;
    }
    // A link over two lines has a rectangle for each of them; the last one gets the address.
    let is_last = |at: usize| links.get(at + 1).is_none_or(|next| !links[at].goes_on(next));
    let mut places: Vec<(usize, String)> =
        (0..links.len()).filter(|&at| is_last(at)).filter_map(|at| place(&glyphs, &links[at])).collect();
    places.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, address) in places {
        let last = &glyphs[at];
        let shown = Glyph { x: last.end, text: format!(" ({address})"), ..last.clone() };
        glyphs.insert(at + 1, shown);
    }
    glyphs
}

/// The last character under a link and the address, unless the text itself shows it.
fn place(glyphs: &[Glyph], link: &Link) -> Option<(usize, String)> {
    let is_under = |glyph: &Glyph| {
        let middle = ((glyph.x + glyph.end) / 2.0, glyph.y + glyph.size * 0.3);
        (link.left..=link.right).contains(&middle.0) && (link.lower..=link.upper).contains(&middle.1)
    };
    let under = || glyphs.iter().enumerate().filter(|(_, glyph)| is_under(glyph) && !glyph.text.trim().is_empty());
    let text: String = under().map(|(_, glyph)| glyph.text.as_str()).collect();
    let address = link.address.strip_prefix("mailto:").or(link.address.strip_prefix("tel:")).unwrap_or(&link.address);
    let bare = address.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    let bare = bare.trim_end_matches('/');
    let is_shown = text.contains(bare) || text.contains("://") || text.contains('@');
    let (last, _) = under().next_back().filter(|_| !is_shown)?;
    // A rectangle may end within the last word.
    let is_word = |glyph: &Glyph| glyph.text.chars().all(char::is_alphanumeric);
    let rest = glyphs[last..].windows(2).take(WORD_CHARS).take_while(|pair| {
        pair.iter().all(is_word) && pair[0].y == pair[1].y && pair[1].x - pair[0].end < pair[0].size * WORD_GAP
    });
    Some((last + rest.count(), address.to_owned()))
}

fn links(document: &Document, page: ObjectId, turned: impl Fn(f32, f32) -> (f32, f32)) -> Vec<Link> {
    let Ok(page) = document.get_dictionary(page) else { return Vec::new() };
    let Ok(annotations) = page.get_deref(b"Annots", document).and_then(Object::as_array) else { return Vec::new() };
    let dictionary = |object| document.dereference(object).ok().and_then(|(_, object)| object.as_dict().ok());
    let annotations = annotations.iter().take(LINK_LIMIT).filter_map(dictionary);
    annotations.filter_map(|annotation| link(document, annotation, &turned)).collect()
}

fn link(document: &Document, annotation: &Dictionary, turned: &impl Fn(f32, f32) -> (f32, f32)) -> Option<Link> {
    let action = annotation.get_deref(b"A", document).and_then(Object::as_dict).ok()?;
    let address = action.get_deref(b"URI", document).and_then(Object::as_str).ok()?;
    let address = String::from_utf8(address.to_vec()).ok()?;
    let is_followed = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| address.starts_with(scheme));
    if !is_followed || address.len() > ADDRESS_BYTES || address.contains(char::is_whitespace) {
        return None;
    }
    let corners = annotation.get_deref(b"Rect", document).and_then(Object::as_array).ok()?;
    let value = |at: usize| number(document, corners.get(at));
    let (one, other) = (turned(value(0)?, value(1)?), turned(value(2)?, value(3)?));
    Some(Link {
        address,
        left: one.0.min(other.0),
        right: one.0.max(other.0),
        lower: one.1.min(other.1),
        upper: one.1.max(other.1),
    })
}
