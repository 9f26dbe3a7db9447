//! Rows of any table in a form that both databases share.

use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteType};

use super::tables::{ColumnKind, CopiedTable};
use crate::connection::conn::{Backend, Conn, on};
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};

/// A value as SQLite stores it, which has fewer types than PostgreSQL: a truth value is 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValue {
    /// No value.
    Null,
    /// A number or a truth value.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl ColumnValue {
    /// The approximate size in memory, by which batches are bounded.
    pub fn size_bytes(&self) -> usize {
        let inside = match self {
            ColumnValue::Text(text) => text.len(),
            ColumnValue::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        inside + size_of::<Self>()
    }
}

/// A row of any table.
struct AnyRow(Vec<ColumnValue>);

/// Numbers of the types in the protocol of PostgreSQL (`pg_type.dat`).
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const FLOAT8: u32 = 701;
}

impl QueryableByName<Pg> for AnyRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let value = |at: usize| {
            let field = Row::get(row, at).ok_or("a column is missing")?;
            let Some(value) = field.value() else { return Ok(ColumnValue::Null) };
            Ok(match value.get_oid().get() {
                oid::TEXT => ColumnValue::Text(FromSql::<Text, Pg>::from_sql(value)?),
                oid::INT8 => ColumnValue::Integer(FromSql::<BigInt, Pg>::from_sql(value)?),
                oid::INT4 => ColumnValue::Integer(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
                oid::BOOL => ColumnValue::Integer(<bool as FromSql<Bool, Pg>>::from_sql(value)?.into()),
                oid::FLOAT8 => ColumnValue::Real(FromSql::<Double, Pg>::from_sql(value)?),
                oid::BYTEA => ColumnValue::Bytes(FromSql::<Binary, Pg>::from_sql(value)?),
                other => return Err(format!("a column has the unknown type {other}").into()),
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<_>>().map(AnyRow)
    }
}

impl QueryableByName<Sqlite> for AnyRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let value = |at: usize| {
            let field = Row::get(row, at).ok_or("a column is missing")?;
            let Some(mut value) = field.value() else { return Ok(ColumnValue::Null) };
            Ok(match value.value_type() {
                None => ColumnValue::Null,
                Some(SqliteType::Text) => ColumnValue::Text(FromSql::<Text, Sqlite>::from_sql(value)?),
                Some(SqliteType::Binary) => ColumnValue::Bytes(FromSql::<Binary, Sqlite>::from_sql(value)?),
                Some(SqliteType::Float | SqliteType::Double) => ColumnValue::Real(value.read_double()),
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    ColumnValue::Integer(value.read_long())
                }
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<_>>().map(AnyRow)
    }
}

/// Returns the number of rows of a table.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, table: &CopiedTable) -> Result<i64> {
    let counted: AnyRow =
        on!(c, |c| sql_query(format!("SELECT count(*) AS n FROM {}", quoted(&table.name))).get_result(c).await)?;
    match counted.0.as_slice() {
        [ColumnValue::Integer(count)] => Ok(*count),
        other => Err(Error::Corrupt { what: "count", value: format!("{other:?}") }),
    }
}

/// Returns up to `limit` rows that follow the row `after`, in the order of their keys. Each row has a value for
/// each column of the table.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn read(
    c: &mut Conn,
    table: &CopiedTable,
    after: Option<&[ColumnValue]>,
    limit: usize,
) -> Result<Vec<Vec<ColumnValue>>> {
    let sql = select(table, after.is_some(), limit);
    let rows: Vec<AnyRow> = on!(c, <B> |c| {
        let mut query: BoxedSqlQuery<'_, B, SqlQuery> = sql_query(sql.as_str()).into_boxed();
        for at in after.iter().flat_map(|_| &table.key) {
            query = match after.and_then(|row| row.get(*at)) {
                Some(ColumnValue::Integer(number)) => query.bind::<BigInt, _>(*number),
                Some(ColumnValue::Text(text)) => query.bind::<Text, _>(text.as_str()),
                other => {
                    return Err(Error::Corrupt { what: "key of a row", value: format!("{other:?}") });
                }
            };
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(|AnyRow(values)| values).collect())
}

fn select(table: &CopiedTable, has_start: bool, limit: usize) -> String {
    let column = |column: &super::CopiedColumn| match column.is_reset {
        true => format!("NULL AS {}", quoted(&column.name)),
        false => quoted(&column.name),
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let key: Vec<String> = table.key.iter().map(|at| quoted(&table.columns[*at].name)).collect();
    let key = key.join(", ");
    let start = match has_start {
        true => format!(" WHERE ({key}) > ({})", places(table.key.len())),
        false => String::new(),
    };
    format!("SELECT {} FROM {}{start} ORDER BY {key} LIMIT {limit}", columns.join(", "), quoted(&table.name))
}

/// Inserts rows that [`read`] returned.
///
/// # Errors
/// `Corrupt` when a value does not fit its column; `Conflict` when a row exists.
pub async fn insert(c: &mut Conn, table: &CopiedTable, rows: &[Vec<ColumnValue>]) -> Result<()> {
    if let Some(row) = rows.iter().find(|row| row.len() != table.columns.len()) {
        return Err(Error::Corrupt { what: "row", value: format!("{} values for {}", row.len(), table.name) });
    }
    c.statements.add_one();
    let columns = table.column_names().into_iter().map(quoted).collect::<Vec<_>>().join(", ");
    let into = format!("INSERT INTO {} ({columns})", quoted(&table.name));
    match &mut c.backend {
        Backend::Sqlite(handle) => {
            let c: &mut diesel::SqliteConnection = &mut *handle;
            let sql = format!("{into} VALUES ({})", places(table.columns.len()));
            for row in rows {
                let query = row.iter().fold(sql_query(sql.as_str()).into_boxed::<Sqlite>(), bound);
                Fixed(query).execute(c).await?;
            }
        }
        Backend::Pg(handle) => {
            let c: &mut diesel_async::AsyncPgConnection = &mut *handle;
            let array =
                |(at, column): (usize, &super::CopiedColumn)| format!("${}::{}[]", at + 1, column.kind.postgres_name());
            let arrays: Vec<String> = table.columns.iter().enumerate().map(array).collect();
            let mut query = sql_query(format!("{into} SELECT * FROM unnest({})", arrays.join(", "))).into_boxed::<Pg>();
            for (at, column) in table.columns.iter().enumerate() {
                query = bound_array(query, column.kind, rows, at)?;
            }
            Fixed(query).execute(c).await?;
        }
    }
    Ok(())
}

/// Adds a value to a statement of SQLite.
fn bound<'a>(
    query: BoxedSqlQuery<'a, Sqlite, SqlQuery>,
    value: &'a ColumnValue,
) -> BoxedSqlQuery<'a, Sqlite, SqlQuery> {
    match value {
        ColumnValue::Null => query.bind::<Nullable<Text>, _>(None::<String>),
        ColumnValue::Integer(number) => query.bind::<BigInt, _>(*number),
        ColumnValue::Real(number) => query.bind::<Double, _>(*number),
        ColumnValue::Text(text) => query.bind::<Text, _>(text.as_str()),
        ColumnValue::Bytes(bytes) => query.bind::<Binary, _>(bytes.as_slice()),
    }
}

/// Adds the values of a column to a statement of PostgreSQL.
fn bound_array<'a>(
    query: BoxedSqlQuery<'a, Pg, SqlQuery>,
    kind: ColumnKind,
    rows: &'a [Vec<ColumnValue>],
    at: usize,
) -> Result<BoxedSqlQuery<'a, Pg, SqlQuery>> {
    Ok(match kind {
        ColumnKind::Text => query.bind::<Array<Nullable<Text>>, _>(values(rows, at, |value| match value {
            ColumnValue::Text(text) => Some(text.as_str()),
            _ => None,
        })?),
        ColumnKind::Binary => query.bind::<Array<Nullable<Binary>>, _>(values(rows, at, |value| match value {
            ColumnValue::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })?),
        ColumnKind::Double => query.bind::<Array<Nullable<Double>>, _>(values(rows, at, |value| match value {
            ColumnValue::Real(number) => Some(*number),
            _ => None,
        })?),
        ColumnKind::BigInt => query.bind::<Array<Nullable<BigInt>>, _>(values(rows, at, integer::<i64>)?),
        ColumnKind::Integer => query.bind::<Array<Nullable<Integer>>, _>(values(rows, at, integer::<i32>)?),
        ColumnKind::Bool => query.bind::<Array<Nullable<Bool>>, _>(values(rows, at, |value| match value {
            ColumnValue::Integer(number @ (0 | 1)) => Some(*number == 1),
            _ => None,
        })?),
    })
}

fn integer<T: TryFrom<i64>>(value: &ColumnValue) -> Option<T> {
    match value {
        ColumnValue::Integer(number) => T::try_from(*number).ok(),
        _ => None,
    }
}

/// The values of one column of all rows, in the type that `convert` returns.
fn values<'a, T>(
    rows: &'a [Vec<ColumnValue>],
    at: usize,
    convert: impl Fn(&'a ColumnValue) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let value = |row: &'a Vec<ColumnValue>| match &row[at] {
        ColumnValue::Null => Ok(None),
        value => match convert(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::Corrupt {
                what: "value of a column",
                value: format!("{value:?}").chars().take(80).collect(),
            }),
        },
    };
    rows.iter().map(value).collect()
}

/// Places for values: `$1, $2` and so on.
fn places(count: usize) -> String {
    (1..=count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
