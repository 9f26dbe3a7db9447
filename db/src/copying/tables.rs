//! The tables that are copied with an installation, as the catalog of the database describes them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, sql_query};

use crate::connection::conn::{Backend, Conn, on};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};

/// Tables that belong to one database and are not copied. The names of the tables of the search index begin with
/// `conversation_search`.
pub const NOT_COPIED: [&str; 3] = ["installation", "__diesel_schema_migrations", "crawl_turns"];

/// Columns that are null in every copy: the leases of nodes that do not know the new database.
pub const RESET: [(&str, &str); 4] = [
    ("deliveries", "lease_owner"),
    ("deliveries", "lease_until_ms"),
    ("jobs", "lease_owner"),
    ("jobs", "lease_until_ms"),
];

const SQLITE_COLUMNS: &str = "SELECT t.name AS table_name, c.name AS column_name, lower(c.type) AS type_name, \
     (SELECT k.seqno FROM pragma_index_list(t.name) i JOIN pragma_index_info(i.name) k \
      WHERE i.origin IN ('pk', 'u') AND k.name = c.name LIMIT 1) AS key_place \
     FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND t.name NOT LIKE 'conversation\\_search%' ESCAPE '\\' AND (t.name, c.name) <> ('conversations', 'number') \
     ORDER BY t.name, c.name";

const POSTGRES_COLUMNS: &str = "SELECT t.relname::text AS table_name, a.attname::text AS column_name, \
     format_type(a.atttypid, NULL) AS type_name, \
     (SELECT k.place FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (n, place) WHERE k.n = a.attnum) AS key_place \
     FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
     LEFT JOIN pg_index x ON x.indrelid = t.oid AND x.indisprimary \
     WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') \
     ORDER BY t.relname COLLATE \"C\", a.attname COLLATE \"C\"";

const SQLITE_REFERENCES: &str = "SELECT DISTINCT t.name AS referring, f.\"table\" AS referred \
     FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";

const POSTGRES_REFERENCES: &str = "SELECT DISTINCT t.relname::text AS referring, r.relname::text AS referred \
     FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid \
     WHERE f.contype = 'f' AND t.relnamespace = current_schema()::regnamespace";

/// What a column contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// A 64-bit number.
    BigInt,
    /// A 32-bit number. Only PostgreSQL tells it from `BigInt`.
    Integer,
    /// A truth value. SQLite stores it as 0 or 1.
    Bool,
    /// A floating-point number.
    Double,
    /// Bytes.
    Binary,
}

impl ColumnKind {
    fn parse(type_name: &str) -> Result<Self> {
        Ok(match type_name {
            "text" => ColumnKind::Text,
            "bigint" => ColumnKind::BigInt,
            "integer" => ColumnKind::Integer,
            "boolean" => ColumnKind::Bool,
            "real" | "double precision" => ColumnKind::Double,
            "blob" | "bytea" => ColumnKind::Binary,
            other => return Err(Error::Corrupt { what: "type of a column", value: other.to_owned() }),
        })
    }

    /// The name of the type in PostgreSQL.
    pub(super) const fn postgres_name(self) -> &'static str {
        match self {
            ColumnKind::Text => "text",
            ColumnKind::BigInt => "bigint",
            ColumnKind::Integer => "integer",
            ColumnKind::Bool => "boolean",
            ColumnKind::Double => "double precision",
            ColumnKind::Binary => "bytea",
        }
    }
}

/// A column that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedColumn {
    /// The name.
    pub name: String,
    /// What the column contains, as far as this database tells.
    pub kind: ColumnKind,
    /// Whether the column is null in every copy.
    pub is_reset: bool,
}

/// A table that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// The name.
    pub name: String,
    /// The columns, sorted by name, so that both databases have the same order.
    pub columns: Vec<CopiedColumn>,
    /// The places in `columns` of the columns of the primary key, in the order of the key.
    pub key: Vec<usize>,
}

impl CopiedTable {
    /// The names of the columns.
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    key_place: Option<i64>,
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    referring: String,
    #[diesel(sql_type = Text)]
    referred: String,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Returns the tables that are copied, each after the tables that it refers to.
///
/// # Errors
/// `Corrupt` when a table has no primary key or a column has a type that no migration uses.
pub async fn list(c: &mut Conn) -> Result<Vec<CopiedTable>> {
    let (columns, references) = match &c.backend {
        Backend::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Backend::Pg(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let columns: Vec<ColumnRow> = on!(c, |c| sql_query(columns).load(c).await)?;
    let references: Vec<Reference> = on!(c, |c| sql_query(references).load(c).await)?;
    let mut rows: BTreeMap<String, Vec<ColumnRow>> = BTreeMap::new();
    for row in columns.into_iter().filter(|row| !NOT_COPIED.contains(&row.table_name.as_str())) {
        rows.entry(row.table_name.clone()).or_default().push(row);
    }
    let tables = rows.into_iter().map(|(name, rows)| described(name, &rows)).collect::<Result<Vec<_>>>()?;
    in_order(tables, &references)
}

/// Returns the versions of the applied migrations, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn applied_migrations(c: &mut Conn) -> Result<Vec<String>> {
    let query = "SELECT version AS version FROM __diesel_schema_migrations ORDER BY version";
    let query = match &c.backend {
        Backend::Sqlite(_) => query.to_owned(),
        Backend::Pg(_) => query.replace("version AS", "version::text AS"),
    };
    let rows: Vec<Version> = on!(c, |c| sql_query(query).load(c).await)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn described(name: String, rows: &[ColumnRow]) -> Result<CopiedTable> {
    let column = |row: &ColumnRow| {
        let is_reset = RESET.contains(&(name.as_str(), row.column_name.as_str()));
        Ok(CopiedColumn { name: row.column_name.clone(), kind: ColumnKind::parse(&row.type_name)?, is_reset })
    };
    let columns = rows.iter().map(column).collect::<Result<Vec<_>>>()?;
    let mut key: Vec<(i64, usize)> =
        rows.iter().enumerate().filter_map(|(at, row)| Some((row.key_place?, at))).collect();
    key.sort_unstable();
    if key.is_empty() {
        return Err(Error::Corrupt { what: "key of a table", value: name });
    }
    Ok(CopiedTable { name, columns, key: key.into_iter().map(|(_, at)| at).collect() })
}

/// Sorts the tables so that each follows those that it refers to.
fn in_order(mut waiting: Vec<CopiedTable>, references: &[Reference]) -> Result<Vec<CopiedTable>> {
    let mut sorted: Vec<CopiedTable> = Vec::new();
    while !waiting.is_empty() {
        let missing: BTreeSet<&str> = waiting.iter().map(|table| table.name.as_str()).collect();
        let is_ready = |table: &CopiedTable| {
            let mut of_table = references.iter().filter(|of| of.referring == table.name && of.referred != table.name);
            of_table.all(|of| !missing.contains(of.referred.as_str()))
        };
        let ready: BTreeSet<String> = waiting.iter().filter(|table| is_ready(table)).map(|t| t.name.clone()).collect();
        if ready.is_empty() {
            let names: Vec<&str> = missing.into_iter().collect();
            return Err(Error::Corrupt { what: "order of tables that refer to each other", value: names.join(", ") });
        }
        let (next, rest) = waiting.into_iter().partition(|table| ready.contains(&table.name));
        sorted.extend::<Vec<CopiedTable>>(next);
        waiting = rest;
    }
    Ok(sorted)
}
