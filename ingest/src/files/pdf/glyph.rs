//! A character of a page with its place, the input of the layout.

/// A character, or several that are drawn as one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    /// Where it begins, from the left of the page, in points.
    pub x: f32,
    /// Where its line is, from the bottom of the page, in points.
    pub y: f32,
    /// Where it ends.
    pub end: f32,
    /// The size of its font, in points.
    pub size: f32,
    pub text: String,
    pub is_bold: bool,
    /// Drawn along the side of the page, as watermarks and labels of tables are.
    pub is_turned: bool,
}
