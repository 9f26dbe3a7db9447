//! The columns of a table: which cell of a row is below which cell of the widest row, so that an empty cell keeps
//! its place.
//!
//! Called by `paragraphs` for the rows of each table.

use super::lines::{Line, Piece};

/// How far a cell may be from its column, as a multiple of the size of the font.
const REACH: f32 = 1.5;

/// The widest table whose cells are placed.
const COLUMN_LIMIT: usize = 64;

/// The cells of a row with a gap for each column that it leaves empty. A row that does not fit below the widest one
/// is as it was.
pub(super) fn placed<'a>(row: &'a Line, widest: &Line) -> Vec<Option<&'a Piece>> {
    let as_is = || row.cells.iter().map(Some).collect();
    if row.cells.len() >= widest.cells.len() || widest.cells.len() > COLUMN_LIMIT {
        return as_is();
    }
    let mut places: Vec<Option<&Piece>> = Vec::new();
    for cell in &row.cells {
        let rest = widest.cells.iter().skip(places.len());
        let distances = rest.map(|column| distance(cell, column)).enumerate();
        let nearest = distances.min_by(|one, other| one.1.total_cmp(&other.1));
        let Some((gap, _)) = nearest.filter(|(_, distance)| *distance <= REACH * row.size) else { return as_is() };
        places.extend(std::iter::repeat_n(None, gap));
        places.push(Some(cell));
    }
    places
}

/// How far a cell is from a column by its left end, its right end or its middle, whichever is nearest.
fn distance(cell: &Piece, column: &Piece) -> f32 {
    let middle = |piece: &Piece| (piece.x + piece.end) / 2.0;
    let ends = (cell.x - column.x).abs().min((cell.end - column.end).abs());
    ends.min((middle(cell) - middle(column)).abs())
}
