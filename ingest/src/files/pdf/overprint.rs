//! Characters that are painted twice, a little apart, to make them look bold.
//!
//! Called by `lines` with the characters of one page. Linear in their number.

use std::collections::HashMap;

use super::glyph::Glyph;

/// How far apart two paintings of one character may be, as a share of the size of its font. Two characters of a
/// word are further apart.
const OFFSET: f32 = 0.1;

/// The most different characters at one place.
const PLACE_LIMIT: usize = 8;

/// The characters of a page, each once. One that is painted at two places is bold.
pub(super) fn without_copies(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut places: HashMap<(i32, i32), Vec<usize>> = HashMap::new();
    for glyph in glyphs {
        // Squares of a point are looked up, so that each character meets only those beside it.
        let (column, row) = (glyph.x.floor() as i32, glyph.y.floor() as i32);
        let near = (-1..=1).flat_map(|x| (-1..=1).map(move |y| (column.saturating_add(x), row.saturating_add(y))));
        let copy =
            near.filter_map(|place| places.get(&place)).flatten().copied().find(|&at| is_copy(&kept[at], &glyph));
        match copy {
            Some(at) => kept[at].is_bold |= kept[at].x != glyph.x || kept[at].y != glyph.y,
            None => {
                let here = places.entry((column, row)).or_default();
                if here.len() < PLACE_LIMIT {
                    here.push(kept.len());
                }
                kept.push(glyph);
            }
        }
    }
    kept
}

fn is_copy(one: &Glyph, other: &Glyph) -> bool {
    // Within a point, which is as far as the squares reach.
    let reach = (one.size * OFFSET).min(1.0);
    let is_near = (one.x - other.x).abs() <= reach && (one.y - other.y).abs() <= reach;
    is_near && one.text == other.text && one.is_turned == other.is_turned
}
