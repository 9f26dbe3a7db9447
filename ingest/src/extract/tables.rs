//! Questions in a column of a table, answers in the next.
//!
//! Tables that put the answer into the row below are recognized by the style of the question's cell
//! (`bold`, `headings`), or by the row that has a question and nothing else.

use helpbot_domain::table::Column;
use html5ever::local_name;

use super::candidate::{FaqCandidate, Group, Source, is_bare_number};
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
        let mut rows = rows(flow, id);
        let named = rows.first().and_then(|row| NamedColumns::of(flow, &row.cells));
        if let Some(named) = named {
            let pairs = rows[1..].iter().filter_map(|row| named.pair(flow, &row.cells)).collect::<Vec<_>>();
            found.push(Group::new(Source::Table, 0.0, pairs));
            continue;
        }
        rows.retain(|row| !row.is_head);
        let across = rows.iter().filter_map(|row| across(flow, &row.cells)).collect::<Vec<_>>();
        // A single row is a layout table.
        if across.len() > 1 {
            found.push(Group::new(Source::Table, THRESHOLD, across));
        }
        let alone = rows.iter().filter_map(|row| alone(flow, &row.cells)).collect::<Vec<_>>();
        if alone.len() > 1 {
            found.push(Group::new(Source::Table, THRESHOLD, alone));
        }
    }
    found
}

/// A row of a table.
struct Row {
    cells: Vec<Blocks>,
    /// The row names the columns.
    is_head: bool,
}

/// The columns that the first row of a table names "Question" and "Answer", in any known language.
#[derive(Debug, Clone, Copy)]
struct NamedColumns {
    question: usize,
    answer: usize,
}

impl NamedColumns {
    fn of(flow: &Flow, head: &[Blocks]) -> Option<Self> {
        let names: Vec<String> = head.iter().map(|cell| name(flow, cell)).collect();
        let place = |column: Column| names.iter().position(|name| column.names().contains(&name.as_str()));
        let (question, answer) = (place(Column::Question)?, place(Column::Answer)?);
        (question < answer).then_some(Self { question, answer })
    }

    fn pair(self, flow: &Flow, row: &[Blocks]) -> Option<FaqCandidate> {
        let (question, answer) = (row.get(self.question)?, row.get(self.answer)?);
        let is_filled = !question.is_empty() && !answer.is_empty();
        is_filled.then(|| FaqCandidate::new(flow, question.clone(), Some(answer.clone()))).flatten()
    }
}

/// The name in a cell of a head, in lower case; empty for a cell with more than a name.
fn name(flow: &Flow, cell: &Blocks) -> String {
    if flow.size(cell.clone()) > NAME_BYTES {
        return String::new();
    }
    flow.line(cell.clone()).trim().trim_end_matches(':').to_lowercase()
}

/// The longest name of a column, in bytes.
const NAME_BYTES: usize = 60;

/// Marks the names of the columns of questions and answers, which are no text of the page.
pub(crate) fn mark_names(flow: &mut Flow) {
    let mut names = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if !flow.dom.is_element(id) || *flow.dom.name(id) != local_name!("table") {
            continue;
        }
        let head = rows(flow, id).into_iter().next();
        names.extend(
            head.filter(|row| NamedColumns::of(flow, &row.cells).is_some()).into_iter().flat_map(|row| row.cells),
        );
    }
    for id in names.into_iter().flatten() {
        flow.blocks[id as usize].is_control = true;
    }
}

/// Returns the rows of a table, without those of nested tables.
fn rows(flow: &Flow, table: NodeId) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut at = flow.dom.following(table, table, Descend::Into);
    while let Some(node) = at {
        let mut descend = Descend::Into;
        match *flow.dom.name(node) {
            local_name!("table") => descend = Descend::Over,
            local_name!("tr") => rows.push(Row { cells: Vec::new(), is_head: is_head(flow, node) }),
            local_name!("td") | local_name!("th") => {
                descend = Descend::Over;
                if let Some(row) = rows.last_mut() {
                    row.cells.push(flow.range(node));
                }
            }
            _ => {}
        }
        at = flow.dom.following(node, table, descend);
    }
    rows
}

/// Whether a row is in the head of its table, or all of its cells are headers, and there are several.
fn is_head(flow: &Flow, row: NodeId) -> bool {
    if *flow.dom.name(flow.dom.node(row).parent) == local_name!("thead") {
        return true;
    }
    let cells = || flow.dom.children(row).filter(|&id| flow.dom.is_element(id));
    cells().count() > 1 && cells().all(|id| *flow.dom.name(id) == local_name!("th"))
}

/// Whether a cell holds a number, a label or nothing.
fn is_number(flow: &Flow, cell: &Blocks) -> bool {
    cell.is_empty() || cell.len() == 1 && is_bare_number(flow.text(cell.start))
}

fn across(flow: &Flow, row: &[Blocks]) -> Option<FaqCandidate> {
    let first = row.iter().position(|cell| !is_number(flow, cell))?;
    let (question, answers) = (row[first].clone(), &row[first + 1..]);
    let last = answers.iter().rev().find(|cell| !cell.is_empty())?;
    FaqCandidate::new(flow, question.clone(), Some(question.end..last.end))
}

fn alone(flow: &Flow, row: &[Blocks]) -> Option<FaqCandidate> {
    let mut cells = row.iter().filter(|cell| !is_number(flow, cell));
    let cell = cells.next()?;
    let is_alone = cells.next().is_none() && cell.len() == 1;
    (is_alone && question::is_marked(flow.text(cell.start)))
        .then(|| FaqCandidate::new(flow, cell.clone(), None))
        .flatten()
}
