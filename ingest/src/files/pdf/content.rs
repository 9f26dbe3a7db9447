//! The drawing operations of a page to characters with their places.
//!
//! Called by `serve`, in the child process. Knows the operations that show and place text, forms within
//! pages, and marked content: what a file marks as an artifact (running heads, page numbers) is left
//! out, and replacement text is taken in place of what is drawn.

use std::collections::HashMap;
use std::rc::Rc;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::font::{Font, number};
use super::glyph::Glyph;
use super::links;

/// How deep forms may be drawn within forms.
const FORM_DEPTH_LIMIT: usize = 12;

/// The most operations of one page, those of its forms included.
const OPERATION_LIMIT: usize = 2_000_000;

/// The most characters of one document: a book of 5,000 pages.
const GLYPH_LIMIT: usize = 12_000_000;

/// The least space behind each letter that would divide a word, and the widest space within one, as shares of the
/// size of the font.
const LEAST_SPACE: f32 = 0.12;
const WIDEST_SPACE: f32 = 0.5;

/// A transformation of the plane: x' = a x + c y + e, y' = b x + d y + f.
#[derive(Debug, Clone, Copy)]
struct Matrix([f32; 6]);

impl Matrix {
    const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// This transformation first, then `other`.
    fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [p, q, r, s, t, u]) = (self.0, other.0);
        Self([a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u])
    }

    fn apply(self, x: f32, y: f32) -> (f32, f32) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + c * y + e, b * x + d * y + f)
    }
}

/// What `q` saves and `Q` restores.
#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    character_space: f32,
    word_space: f32,
    scale: f32,
    leading: f32,
    rise: f32,
}

/// Marked content that is open.
struct OpenMark {
    is_artifact: bool,
    /// What is shown in place of the text within; taken when the first character is shown.
    replacement: Option<String>,
    is_replaced: bool,
}

/// Reads the pages of one document.
pub(super) struct PageReader<'a> {
    document: &'a Document,
    fonts: HashMap<ObjectId, Rc<Font>>,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    marks: Vec<OpenMark>,
    glyphs: Vec<Glyph>,
    operations: usize,
    total: usize,
}

impl<'a> PageReader<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let state = State {
            matrix: Matrix::IDENTITY,
            font: None,
            size: 0.0,
            character_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        Self {
            document,
            fonts: HashMap::new(),
            state,
            saved: Vec::new(),
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            marks: Vec::new(),
            glyphs: Vec::new(),
            operations: 0,
            total: 0,
        }
    }

    /// The characters of a page in the order in which they are drawn, upright for its reader.
    pub(super) fn page(&mut self, page: ObjectId) -> Vec<Glyph> {
        let (saved, marks) = (std::mem::take(&mut self.saved), std::mem::take(&mut self.marks));
        drop((saved, marks));
        self.operations = 0;
        self.state.matrix = self.rotation(page);
        self.state.font = None;
        let resources = self.resources(page);
        let content = self.document.get_page_content(page).unwrap_or_default();
        self.run(&content, &resources, 0);
        let glyphs = std::mem::take(&mut self.glyphs);
        let turn = self.rotation(page);
        links::with_addresses(self.document, page, glyphs, |x, y| turn.apply(x, y))
    }

    /// The turn by which the page is shown.
    fn rotation(&self, page: ObjectId) -> Matrix {
        let mut at = self.document.get_dictionary(page).ok();
        let mut turn = None;
        for _ in 0..FORM_DEPTH_LIMIT {
            let Some(node) = at else { break };
            turn = turn.or_else(|| number(self.document, node.get(b"Rotate").ok()));
            at = node.get_deref(b"Parent", self.document).and_then(Object::as_dict).ok();
        }
        match turn.unwrap_or(0.0).rem_euclid(360.0) as i32 {
            90 => Matrix([0.0, -1.0, 1.0, 0.0, 0.0, 0.0]),
            180 => Matrix([-1.0, 0.0, 0.0, -1.0, 0.0, 0.0]),
            270 => Matrix([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]),
            _ => Matrix::IDENTITY,
        }
    }

    /// The resources of a page, its own before those that it inherits.
    fn resources(&self, page: ObjectId) -> Vec<&'a Dictionary> {
        let Ok((own, inherited)) = self.document.get_page_resources(page) else { return Vec::new() };
        let inherited = inherited.into_iter().filter_map(|id| self.document.get_dictionary(id).ok());
        own.into_iter().chain(inherited).collect()
    }

    fn run(&mut self, content: &[u8], resources: &[&'a Dictionary], depth: usize) {
        let Ok(content) = Content::decode(content) else { return };
        for operation in content.operations {
            self.operations += 1;
            if self.operations > OPERATION_LIMIT || self.total > GLYPH_LIMIT {
                return;
            }
            let operands = &operation.operands;
            match operation.operator.as_str() {
                "Do" => self.form(operands, resources, depth),
                "Tf" => self.set_font(operands, resources),
                "BDC" | "BMC" => self.mark(operands, resources),
                operator => self.operate(operator, operands),
            }
        }
    }

    fn operate(&mut self, operator: &str, operands: &[Object]) {
        let value = |at: usize| number(self.document, operands.get(at)).unwrap_or(0.0);
        let matrix = || Matrix([value(0), value(1), value(2), value(3), value(4), value(5)]);
        match operator {
            "q" if self.saved.len() < 1000 => self.saved.push(self.state.clone()),
            "Q" => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            "cm" => self.state.matrix = matrix().then(self.state.matrix),
            "BT" => (self.text, self.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            "Tc" => self.state.character_space = value(0),
            "Tw" => self.state.word_space = value(0),
            "Tz" => self.state.scale = value(0) / 100.0,
            "TL" => self.state.leading = value(0),
            "Ts" => self.state.rise = value(0),
            "Td" => self.next_line(value(0), value(1)),
            "TD" => {
                self.state.leading = -value(1);
                self.next_line(value(0), value(1));
            }
            "Tm" => (self.text, self.line) = (matrix(), matrix()),
            "T*" => self.next_line(0.0, -self.state.leading),
            "Tj" => self.show(operands.first()),
            "'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first());
            }
            "\"" => {
                (self.state.word_space, self.state.character_space) = (value(0), value(1));
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2));
            }
            "TJ" => {
                for part in operands.first().and_then(|parts| parts.as_array().ok()).into_iter().flatten() {
                    match number(self.document, Some(part)) {
                        Some(back) => self.advance(-back / 1000.0 * self.state.size * self.state.scale),
                        None => self.show(Some(part)),
                    }
                }
            }
            "EMC" => {
                self.marks.pop();
            }
            _ => {}
        }
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = Matrix([1.0, 0.0, 0.0, 1.0, x, y]).then(self.line);
        self.text = self.line;
    }

    fn advance(&mut self, x: f32) {
        self.text = Matrix([1.0, 0.0, 0.0, 1.0, x, 0.0]).then(self.text);
    }

    fn set_font(&mut self, operands: &[Object], resources: &[&'a Dictionary]) {
        self.state.size = number(self.document, operands.get(1)).unwrap_or(0.0);
        let Some(Ok(name)) = operands.first().map(Object::as_name) else { return };
        let font = resources.iter().find_map(|resources| {
            let fonts = resources.get_deref(b"Font", self.document).and_then(Object::as_dict).ok()?;
            let font = fonts.get(name).ok()?;
            let (id, object) = self.document.dereference(font).ok()?;
            Some((id, object.as_dict().ok()?))
        });
        self.state.font = font.map(|(id, dictionary)| match id.and_then(|id| self.fonts.get(&id)) {
            Some(known) => known.clone(),
            None => {
                let font = Rc::new(Font::read(self.document, dictionary));
                if let Some(id) = id {
                    self.fonts.insert(id, font.clone());
                }
                font
            }
        });
    }

    fn form(&mut self, operands: &[Object], resources: &[&'a Dictionary], depth: usize) {
        let Some(Ok(name)) = operands.first().map(Object::as_name) else { return };
        let form = resources.iter().find_map(|resources| {
            let objects = resources.get_deref(b"XObject", self.document).and_then(Object::as_dict).ok()?;
            objects.get_deref(name, self.document).and_then(Object::as_stream).ok()
        });
        let is_form =
            |kind: &Dictionary| kind.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Form");
        let Some(form) = form.filter(|form| depth < FORM_DEPTH_LIMIT && is_form(&form.dict)) else { return };
        let own = form.dict.get_deref(b"Resources", self.document).and_then(Object::as_dict).ok();
        let resources: Vec<&Dictionary> = own.into_iter().chain(resources.iter().copied()).take(32).collect();
        let saved = (self.state.clone(), self.text, self.line, self.saved.len());
        if let Ok(Ok(matrix)) = form.dict.get_deref(b"Matrix", self.document).map(Object::as_array) {
            let value = |at: usize| number(self.document, matrix.get(at)).unwrap_or(0.0);
            let matrix = Matrix([value(0), value(1), value(2), value(3), value(4), value(5)]);
            self.state.matrix = matrix.then(self.state.matrix);
        }
        let content = form.decompressed_content().unwrap_or_else(|_| form.content.clone());
        self.run(&content, &resources, depth + 1);
        (self.state, self.text, self.line) = (saved.0, saved.1, saved.2);
        self.saved.truncate(saved.3);
    }

    fn mark(&mut self, operands: &[Object], resources: &[&'a Dictionary]) {
        let is_artifact = operands.first().and_then(|tag| tag.as_name().ok()) == Some(b"Artifact");
        let properties = match operands.get(1) {
            Some(Object::Dictionary(properties)) => Some(properties),
            Some(Object::Name(name)) => resources.iter().find_map(|resources| {
                let known = resources.get_deref(b"Properties", self.document).and_then(Object::as_dict).ok()?;
                known.get_deref(name, self.document).and_then(Object::as_dict).ok()
            }),
            _ => None,
        };
        let replacement = properties.and_then(|properties| properties.get(b"ActualText").ok());
        let replacement = replacement.and_then(|text| lopdf::decode_text_string(text).ok());
        if self.marks.len() < 1000 {
            let is_replaced = replacement.is_some();
            self.marks.push(OpenMark { is_artifact, replacement, is_replaced });
        }
    }

    fn show(&mut self, text: Option<&Object>) {
        let (Some(Ok(bytes)), Some(font)) = (text.map(Object::as_str), self.state.font.clone()) else { return };
        let State { size, scale, rise, character_space, word_space, matrix, .. } = self.state;
        for character in font.characters(bytes) {
            let width = character.width / 1000.0 * size * scale;
            let placed = self.text.then(matrix);
            // Space that is put behind each letter belongs to the letter: a heading that is set wide is still a word.
            let is_wide_set = (size * LEAST_SPACE..=size * WIDEST_SPACE).contains(&character_space);
            let end = width + if is_wide_set { character_space * scale } else { 0.0 };
            let (from, to) = (placed.apply(0.0, rise), placed.apply(end, rise));
            let [a, b, c, d, ..] = placed.0;
            self.push(&character.text, from, to, (size * c.hypot(d), a.abs() * 2.0 < b.abs()), font.is_bold);
            let space = if character.is_word_space { word_space } else { 0.0 };
            self.advance(width + (character_space + space) * scale);
        }
    }

    fn push(&mut self, text: &str, from: (f32, f32), to: (f32, f32), (size, is_turned): (f32, bool), is_bold: bool) {
        if self.marks.iter().any(|mark| mark.is_artifact) {
            return;
        }
        let text = match self.marks.iter_mut().find(|mark| mark.is_replaced) {
            Some(mark) => mark.replacement.take().unwrap_or_default(),
            None => text.to_owned(),
        };
        let is_placed = [from.0, from.1, to.0, to.1, size].iter().all(|value| value.is_finite());
        if text.is_empty() || !is_placed {
            return;
        }
        self.total += 1;
        self.glyphs.push(Glyph { x: from.0, y: from.1, end: to.0, size: size.abs(), text, is_bold, is_turned });
    }
}
