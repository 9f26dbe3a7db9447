//! The cells of the tables of a Word document that span others: cells over several columns say how many, cells over
//! several rows are followed by cells that go on with them.
//!
//! Called by the writer. The number of rows is known only at the end of the span, so room for it is left in the HTML.

/// The widest row whose cells are tracked.
const COLUMN_LIMIT: usize = 64;

/// Room for the number of rows that a cell spans.
const ROWS: &str = "0001";

/// The most rows of a cell.
const ROWS_MAX: usize = 999;

/// The most tables within one another whose cells are tracked.
const DEPTH_LIMIT: usize = 32;

/// How far behind the start of a cell, in bytes of HTML, its properties may say what it spans.
const PROPERTIES_BYTES: usize = 200;

/// The tables that are open.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Outermost first.
    open: Vec<OpenTable>,
    /// The number of deeper tables, which are not tracked.
    deeper: usize,
}

#[derive(Debug, Default)]
struct OpenTable {
    /// The column of the open cell.
    column: usize,
    /// Where the open cell begins in the HTML, and how many columns it spans.
    start: usize,
    columns: usize,
    is_continued: bool,
    /// For each column the place of the number of rows that its cell may span, and that number.
    spans: Vec<Option<(usize, usize)>>,
}

impl Cells {
    pub(super) fn begin_table(&mut self) {
        if self.open.len() < DEPTH_LIMIT {
            self.open.push(OpenTable::default());
        } else {
            self.deeper += 1;
        }
    }

    pub(super) fn end_table(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.open.pop();
        }
    }

    fn table(&mut self) -> Option<&mut OpenTable> {
        self.open.last_mut().filter(|_| self.deeper == 0)
    }

    pub(super) fn begin_row(&mut self) {
        if let Some(table) = self.table() {
            table.column = 0;
        }
    }

    /// Writes the start of a cell.
    pub(super) fn begin(&mut self, tag: &str, html: &mut String) {
        if let Some(table) = self.table() {
            (table.start, table.columns, table.is_continued) = (html.len(), 1, false);
        }
        html.push_str(&format!("<{tag}>"));
    }

    /// Reads that the open cell spans columns.
    pub(super) fn span_columns(&mut self, columns: usize, html: &mut String) {
        if let Some(table) = self.table() {
            table.columns = columns.clamp(1, COLUMN_LIMIT);
            insert(html, table.start, &format!(" colspan=\"{}\"", table.columns));
        }
    }

    /// Reads that the open cell spans rows: it is the first of them, or goes on with the one above.
    pub(super) fn span_rows(&mut self, is_first: bool, html: &mut String) {
        let Some(table) = self.table() else { return };
        if table.column >= COLUMN_LIMIT {
            return;
        }
        table.spans.resize(table.spans.len().max(table.column + 1), None);
        let span = &mut table.spans[table.column];
        if is_first {
            let at = insert(html, table.start, &format!(" rowspan=\"{ROWS}\""));
            *span = at.map(|at| (at - ROWS.len() - 1, 1));
        } else if let Some((at, rows)) = span {
            *rows = (*rows + 1).min(ROWS_MAX);
            let number = format!("{rows:04}");
            if html.get(*at..*at + ROWS.len()).is_some_and(|room| room.bytes().all(|byte| byte.is_ascii_digit())) {
                html.replace_range(*at..*at + ROWS.len(), &number);
                table.is_continued = true;
            }
        }
    }

    /// Writes the end of a cell, or takes back one that goes on with the cell above it.
    pub(super) fn end(&mut self, tag: &str, html: &mut String) {
        let table = self.table();
        let is_continued = table.as_ref().is_some_and(|table| table.is_continued && html.is_char_boundary(table.start));
        if let Some(table) = table {
            if is_continued {
                html.truncate(table.start);
            }
            table.column += table.columns;
        }
        if !is_continued {
            html.push_str(&format!("</{tag}>"));
        }
    }
}

/// Adds attributes to the tag that begins at a place and is short. Returns where they end.
fn insert(html: &mut String, tag: usize, attributes: &str) -> Option<usize> {
    let at = html.get(tag..).filter(|cell| cell.len() <= PROPERTIES_BYTES)?.find('>')? + tag;
    html.insert_str(at, attributes);
    Some(at + attributes.len())
}
