//! Suggests a name that is spelled similarly, for the error messages of validation.

use super::model::SchemaModel;

/// Names that differ by more letters are not suggested.
const DISTANCE_MAX: usize = 2;

/// `. Did you mean "…"?` for the most similar name, or an empty text when there is none or when the
/// schema is hidden.
pub(super) fn of<'a>(model: &SchemaModel, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    if !model.has_suggestions {
        return String::new();
    }
    let similar = known.map(|known| (distance(name, known), known));
    match similar.filter(|(distance, _)| *distance <= DISTANCE_MAX.min(name.len() / 2)).min() {
        Some((_, known)) => format!(". Did you mean \"{known}\"?"),
        None => String::new(),
    }
}

/// Number of letters to insert, remove or replace (Levenshtein distance), ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
