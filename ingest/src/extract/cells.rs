//! Gives each place of a table its cell, before the page is flattened, so that a row can be read by itself.
//!
//! A cell that spans rows or columns is copied into the other places that it covers, and an empty cell gets a dash,
//! both only in columns in which other rows have text: a table that lays a page out has none of these. Called by
//! `flatten` only. Linear in the size of the page.

use html5ever::local_name;

use super::dom::{Descend, Dom, NodeId, NodeKind};

/// The widest table whose cells are completed.
const COLUMN_LIMIT: usize = 64;

/// The most rows that one cell is copied into.
const ROW_SPAN_LIMIT: usize = 200;

/// The longest text that is copied, in bytes.
const COPY_BYTES: usize = 120;

/// The most cells of one page that are copied or get a dash.
const COPY_LIMIT: usize = 20_000;

/// The most nodes of a cell that are looked at.
const CELL_NODES: usize = 40;

/// What stands for an empty cell.
const DASH: &str = "–";

/// Completes the cells of all tables.
pub(crate) fn complete(dom: &mut Dom) {
    let is_table = |dom: &Dom, id: NodeId| dom.is_element(id) && *dom.name(id) == local_name!("table");
    let tables: Vec<NodeId> = (0..dom.nodes.len() as NodeId).filter(|&id| is_table(dom, id)).collect();
    let mut room = COPY_LIMIT;
    for table in tables {
        let rows = rows(dom, table);
        let occupied = occupied(&rows);
        for row in &rows {
            complete_row(dom, row, &occupied, &mut room);
        }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellContent {
    Text,
    Nothing,
    /// An image or a field, which may say something without text.
    Other,
}

/// One column of a row.
#[derive(Debug, Clone, Copy)]
struct CellPlace {
    cell: NodeId,
    content: CellContent,
    /// The cell begins here.
    is_own: bool,
    /// The cell covers one column only.
    is_narrow: bool,
}

struct Row {
    node: NodeId,
    places: Vec<CellPlace>,
}

/// The rows of a table with the cells that cover their places, without those of nested tables.
fn rows(dom: &Dom, table: NodeId) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut carried: Vec<Option<(CellPlace, usize)>> = Vec::new();
    let mut at = dom.following(table, table, Descend::Into);
    while let Some(node) = at {
        let name = dom.name(node);
        let is_row = *name == local_name!("tr");
        if is_row {
            rows.push(Row { node, places: places(dom, node, &mut carried) });
        }
        let is_closed = is_row || *name == local_name!("table") || *name == local_name!("caption");
        at = dom.following(node, table, if is_closed { Descend::Over } else { Descend::Into });
    }
    rows
}

/// The places of a row; `carried` has for each column the cell that goes on from the rows above.
fn places(dom: &Dom, row: NodeId, carried: &mut Vec<Option<(CellPlace, usize)>>) -> Vec<CellPlace> {
    let mut places = Vec::new();
    for cell in dom.children(row).filter(|&id| is_cell(dom, id)) {
        take_carried(&mut places, carried);
        let (columns, rows) = (span(dom, cell, "colspan"), span(dom, cell, "rowspan"));
        let place = CellPlace { cell, content: content(dom, cell), is_own: true, is_narrow: columns == 1 };
        for column in 0..columns {
            if places.len() >= COLUMN_LIMIT {
                break;
            }
            let place = CellPlace { is_own: column == 0, ..place };
            if rows > 1 {
                carried.resize(carried.len().max(places.len() + 1), None);
                carried[places.len()] = Some((CellPlace { is_own: false, ..place }, rows.min(ROW_SPAN_LIMIT) - 1));
            }
            places.push(place);
        }
    }
    take_carried(&mut places, carried);
    // Behind a gap at the end of the row, a cell is carried on unseen.
    for column in carried.iter_mut().skip(places.len()) {
        *column = column.filter(|(_, left)| *left > 1).map(|(place, left)| (place, left - 1));
    }
    places
}

/// Adds the cells from the rows above that cover the next places.
fn take_carried(places: &mut Vec<CellPlace>, carried: &mut [Option<(CellPlace, usize)>]) {
    while let Some((place, left)) = carried.get(places.len()).copied().flatten() {
        carried[places.len()] = (left > 1).then_some((place, left - 1));
        places.push(place);
    }
}

fn is_cell(dom: &Dom, id: NodeId) -> bool {
    matches!(*dom.name(id), local_name!("td") | local_name!("th"))
}

fn span(dom: &Dom, cell: NodeId, name: &str) -> usize {
    let value = dom.attribute_named(cell, name).and_then(|value| value.trim().parse().ok());
    value.unwrap_or(1).clamp(1, 1000)
}

fn content(dom: &Dom, cell: NodeId) -> CellContent {
    let mut content = CellContent::Nothing;
    for (count, id) in dom.descendants(cell).enumerate() {
        let is_text = !dom.text_of(id).trim().is_empty();
        if is_text || count >= CELL_NODES {
            return CellContent::Text;
        }
        let is_plain = matches!(
            *dom.name(id),
            local_name!("p") | local_name!("div") | local_name!("br") | local_name!("b") | local_name!("strong")
        );
        if dom.node(id).kind != NodeKind::Text && !dom.name(id).is_empty() && !is_plain {
            content = CellContent::Other;
        }
    }
    content
}

/// For each column whether a cell of its own has text in it.
fn occupied(rows: &[Row]) -> Vec<bool> {
    let mut occupied = vec![false; COLUMN_LIMIT];
    for (column, place) in rows.iter().flat_map(|row| row.places.iter().enumerate()) {
        // Places behind the widest row are never taken.
        if let Some(is_occupied) = occupied.get_mut(column) {
            *is_occupied |= place.is_own && place.is_narrow && place.content == CellContent::Text;
        }
    }
    occupied
}

/// Writes the cells that a row lacks, up to its last text.
fn complete_row(dom: &mut Dom, row: &Row, occupied: &[bool], room: &mut usize) {
    let is_filled = |place: &CellPlace| place.content != CellContent::Nothing;
    let Some(last) = row.places.iter().rposition(is_filled) else { return };
    let own = row.places.iter().filter(|place| place.is_own && is_filled(place)).count();
    let cells = row.places.iter().filter(|place| place.is_own).count();
    // A single cell is a title of the rows below it.
    if own == 0 || cells == 1 && row.places.iter().all(|place| place.cell == row.places[0].cell) {
        return;
    }
    let mut order: Vec<NodeId> = Vec::new();
    for (place, &is_occupied) in row.places[..=last].iter().zip(occupied) {
        let is_needed = is_occupied && *room > 0;
        match (place.is_own, place.content) {
            (true, CellContent::Nothing) if is_needed => {
                *room -= 1;
                let text = dom.push_text(DASH);
                dom.move_to_back(text, place.cell);
                order.push(place.cell);
            }
            (false, CellContent::Text) if is_needed => {
                *room -= 1;
                order.extend(copy(dom, place.cell));
            }
            (true, _) => order.push(place.cell),
            (false, _) => {}
        }
    }
    let rest = row.places[last + 1..].iter().filter(|place| place.is_own);
    order.extend(rest.map(|place| place.cell));
    for cell in order {
        dom.move_to_back(cell, row.node);
    }
}

/// A new cell with the text of another one; `None` where that is long.
fn copy(dom: &mut Dom, cell: NodeId) -> Option<NodeId> {
    let text = dom.raw_text(cell, COPY_BYTES);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() > COPY_BYTES {
        return None;
    }
    let text = dom.push_text(&text);
    let name = dom.name(cell).clone();
    let copy = dom.push_element(name);
    dom.move_to_back(text, copy);
    Some(copy)
}

#[cfg(test)]
mod tests {
    fn rows(table: &str) -> String {
        super::super::fragment::markdown(&format!("<table>{table}</table>"), None).replace("\n\n", "\n")
    }

    #[test]
    fn empty_cells_keep_their_place() {
        let table = "<tr><th></th><th>Mon</th><th>Tue</th><tr><td>Early</td><td></td><td>9-12</td>\
            <tr><td>Late</td><td>14-18</td><td><p></p></td>";

        assert_eq!(rows(table), "**–** | **Mon** | **Tue**\nEarly | – | 9-12\nLate | 14-18");
        assert_eq!(rows("<tr><td>a</td><td></td><td>b</td><tr><td>c</td><td></td><td>d</td>"), "a | b\nc | d");
    }

    #[test]
    fn cells_that_span_places_are_in_each_of_them() {
        let rows_and_columns = "<tr><th colspan=2>Size</th><th>Price</th><tr><td>10</td><td>20</td>\
            <td rowspan=2>5 €</td>\
            <tr><td>30</td><td>40</td>";
        let first = "<tr><td rowspan=2>EU</td><td>Cable</td><td>12</td><tr><td>Hub</td><td>7</td><tr><td>US</td>\
            <td>Hub</td><td>8</td>";

        assert_eq!(rows(rows_and_columns), "**Size** | **Size** | **Price**\n10 | 20 | 5 €\n30 | 40 | 5 €");
        assert_eq!(rows(first), "EU | Cable | 12\nEU | Hub | 7\nUS | Hub | 8");
    }

    #[test]
    fn a_title_over_all_columns_is_written_once() {
        assert_eq!(rows("<tr><td colspan=2>Fruit</td><tr><td>Fig</td><td>2</td>"), "Fruit\nFig | 2");
    }

    #[test]
    fn large_spans_cost_little() {
        let table = "<tr><td rowspan=1000 colspan=1000>x</td><td>y</td></tr>".repeat(2_000);

        assert!(rows(&table).len() < 10_000_000);
    }
}
