//! Questions in a column of a table, answers in the next.
//!
//! Tables that put the answer into the row below are recognized by the style of the question's cell
//! (`bold`, `headings`), or by the row that has a question and nothing else.

use html5ever::local_name;

use super::candidate::{Candidate, Group, Source, is_bare_number};
use super::dom::{Descend, NodeId};
use super::flow::{Blocks, Flow};
use super::question;

/// Tables contain prices and dates more often than questions, so most of a column must be questions.
const THRESHOLD: f32 = 0.6;

/// For each table a group of its rows with question and answer, and one of rows that are a
/// question alone.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let mut found = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if !flow.dom.is_element(id) || *flow.dom.name(id) != local_name!("table") {
            continue;
        }
        let rows = rows(flow, id);
        let across = rows.iter().filter_map(|row| across(flow, row)).collect::<Vec<_>>();
        // A single row is a layout table.
        if across.len() > 1 {
            found.push(Group::new(Source::Table, THRESHOLD, across));
        }
        let alone = rows.iter().filter_map(|row| alone(flow, row)).collect::<Vec<_>>();
        if alone.len() > 1 {
            found.push(Group::new(Source::Table, THRESHOLD, alone));
        }
    }
    found
}

/// Returns the cells of each row, without those of nested tables.
fn rows(flow: &Flow, table: NodeId) -> Vec<Vec<Blocks>> {
    let mut rows = Vec::new();
    let mut at = flow.dom.following(table, table, Descend::Into);
    while let Some(node) = at {
        let mut descend = Descend::Into;
        match *flow.dom.name(node) {
            local_name!("table") => descend = Descend::Over,
            // The header of a table is not a row.
            local_name!("thead") => descend = Descend::Over,
            local_name!("tr") if is_head(flow, node) => descend = Descend::Over,
            local_name!("tr") => rows.push(Vec::new()),
            local_name!("td") | local_name!("th") => {
                descend = Descend::Over;
                if let Some(row) = rows.last_mut() {
                    row.push(flow.range(node));
                }
            }
            _ => {}
        }
        at = flow.dom.following(node, table, descend);
    }
    rows
}

/// Whether all cells of a row are headers, and there are several.
fn is_head(flow: &Flow, row: NodeId) -> bool {
    let cells = || flow.dom.children(row).filter(|&id| flow.dom.is_element(id));
    cells().count() > 1 && cells().all(|id| *flow.dom.name(id) == local_name!("th"))
}

/// Whether a cell holds a number, a label or nothing.
fn is_number(flow: &Flow, cell: &Blocks) -> bool {
    cell.is_empty() || cell.len() == 1 && is_bare_number(flow.text(cell.start))
}

fn across(flow: &Flow, row: &[Blocks]) -> Option<Candidate> {
    let first = row.iter().position(|cell| !is_number(flow, cell))?;
    let (question, answers) = (row[first].clone(), &row[first + 1..]);
    let last = answers.iter().rev().find(|cell| !cell.is_empty())?;
    Candidate::new(flow, question.clone(), Some(question.end..last.end))
}

fn alone(flow: &Flow, row: &[Blocks]) -> Option<Candidate> {
    let mut cells = row.iter().filter(|cell| !is_number(flow, cell));
    let cell = cells.next()?;
    let is_alone = cells.next().is_none() && cell.len() == 1;
    (is_alone && question::is_marked(flow.text(cell.start))).then(|| Candidate::new(flow, cell.clone(), None)).flatten()
}
