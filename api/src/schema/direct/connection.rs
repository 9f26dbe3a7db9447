//! Writes connections: the lists of the schema with their cursors and page information.

use super::writer::JsonWriter;
use crate::gateway::guard::plan::{PlannedField, TYPE_NAME};
use crate::schema::page::{self, PageRows};

/// The names of the types of a connection.
pub(super) struct ConnectionTypes {
    pub connection: &'static str,
    pub edge: &'static str,
}

/// A page of a list and what the list says about itself.
pub(super) struct ConnectionPage<'a, N> {
    pub types: &'static ConnectionTypes,
    pub rows: &'a PageRows<N>,
    /// Number of items of the whole list. Needed only when it is selected.
    pub total: Option<i32>,
}

impl<N> ConnectionPage<'_, N> {
    /// Writes the selected fields. `node` writes the selected fields of an item, and `position` returns the
    /// position that the cursor of an item encodes.
    pub fn write(
        &self,
        json: &mut JsonWriter,
        fields: &[PlannedField],
        mut node: impl FnMut(&mut JsonWriter, &N, &[PlannedField]) -> Option<()>,
        position: impl Fn(&N) -> String,
    ) -> Option<()> {
        let cursor = |item: &N| page::encode(&position(item));
        json.object(fields, |json, field| match field.name.as_str() {
            "nodes" => json.list(&self.rows.rows, |json, item| node(json, item, &field.fields)),
            "edges" => json.list(&self.rows.rows, |json, item| {
                json.object(&field.fields, |json, edge| match edge.name.as_str() {
                    "node" => node(json, item, &edge.fields),
                    "cursor" => json.word(cursor(item)),
                    TYPE_NAME => json.word(self.types.edge),
                    _ => None,
                })
            }),
            "pageInfo" => json.object(&field.fields, |json, info| {
                let end = match info.name.as_str() {
                    "hasNextPage" => return json.boolean(self.rows.has_next),
                    "hasPreviousPage" => return json.boolean(self.rows.has_previous),
                    TYPE_NAME => return json.word("PageInfo"),
                    "startCursor" => self.rows.rows.first(),
                    "endCursor" => self.rows.rows.last(),
                    _ => return None,
                };
                match end {
                    Some(item) => json.word(cursor(item)),
                    None => json.null(),
                }
            }),
            "totalCount" => json.integer(self.total?),
            TYPE_NAME => json.word(self.types.connection),
            _ => None,
        })
    }
}

/// Whether a cursor is selected.
pub(super) fn has_cursor(fields: &[PlannedField]) -> bool {
    let selects = |field: &PlannedField, names: &[&str]| field.fields.iter().any(|one| names.contains(&&*one.name));
    fields.iter().any(|field| match field.name.as_str() {
        "edges" => selects(field, &["cursor"]),
        "pageInfo" => selects(field, &["startCursor", "endCursor"]),
        _ => false,
    })
}

/// The selections of the items of a connection.
pub(super) fn node_selections(fields: &[PlannedField]) -> impl Iterator<Item = &[PlannedField]> {
    fields.iter().flat_map(|field| match field.name.as_str() {
        "nodes" => vec![field.fields.as_slice()],
        "edges" => {
            let nodes = field.fields.iter().filter(|edge| edge.name == "node");
            nodes.map(|node| node.fields.as_slice()).collect()
        }
        _ => Vec::new(),
    })
}
