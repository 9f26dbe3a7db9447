//! SQL that the two databases write differently.
//!
//! Row locks exist only on PostgreSQL: SQLite has one writer, so inside a writing transaction
//! nothing else can change a row, and it has no syntax for locks. [`insert_rows!`] inserts many
//! rows in the way that is fastest on each database, and [`insert_columns!`] does so with one prepared
//! statement for any number of rows. [`among`] compares a column with a list in a
//! statement that stays prepared.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Text};
use diesel::sqlite::Sqlite;

use crate::columns;

/// Rows per INSERT statement on PostgreSQL, which accepts 65,535 values; our widest row has 15.
pub(crate) const ROWS_PER_INSERT: usize = 500;

/// A lock that a SELECT places on its rows until the transaction ends.
pub(crate) trait RowLock {
    /// Clause at the end of the SELECT statement.
    const CLAUSE: &'static str;
}

/// Lock against every other change of the row.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct ForUpdate;
/// Lock against other changes that still allows inserting rows that reference this one.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct ForNoKeyUpdate;
/// Lock against every other change; rows that somebody else has locked are left out.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct SkipLocked;

impl RowLock for ForUpdate {
    const CLAUSE: &'static str = " FOR UPDATE";
}
impl RowLock for ForNoKeyUpdate {
    const CLAUSE: &'static str = " FOR NO KEY UPDATE";
}
impl RowLock for SkipLocked {
    const CLAUSE: &'static str = " FOR UPDATE SKIP LOCKED";
}

/// A SELECT that locks the rows it returns.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Locked<Q, L> {
    query: Q,
    _lock: L,
}

/// Adds a row lock to a SELECT statement.
pub(crate) fn locked<Q, L: RowLock>(lock: L, query: Q) -> Locked<Q, L> {
    Locked { query, _lock: lock }
}

impl<Q: QueryFragment<Pg>, L: RowLock> QueryFragment<Pg> for Locked<Q, L> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        pass.push_sql(L::CLAUSE);
        Ok(())
    }
}

impl<Q: QueryFragment<Sqlite>, L: RowLock> QueryFragment<Sqlite> for Locked<Q, L> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }
}

impl<Q: Query, L> Query for Locked<Q, L> {
    type SqlType = Q::SqlType;
}

impl<Q, L, C> diesel::RunQueryDsl<C> for Locked<Q, L> {}

/// Whether a column has one of several values. Unlike Diesel's `eq_any`, the text of the statement does
/// not depend on the number of values, so that it stays prepared on SQLite too.
pub(crate) struct Among<E> {
    column: E,
    values: Vec<String>,
    json: String,
}

/// Compares a text column with a list of values.
pub(crate) fn among<E>(column: E, values: &[impl ToString]) -> Among<E> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    Among { column, json: columns::to_json(&values), values }
}

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for Among<E> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" = ANY(");
        pass.push_bind_param::<Array<Text>, _>(&self.values)?;
        pass.push_sql(")");
        Ok(())
    }
}

impl<E: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Among<E> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (SELECT value FROM json_each(");
        pass.push_bind_param::<Text, _>(&self.json)?;
        pass.push_sql("))");
        Ok(())
    }
}

impl<E: Expression> Expression for Among<E> {
    type SqlType = Bool;
}

impl<E: AppearsOnTable<S>, S> AppearsOnTable<S> for Among<E> {}

impl<E: SelectableExpression<S>, S> SelectableExpression<S> for Among<E> {}

impl<E: ValidGrouping<G>, G> ValidGrouping<G> for Among<E> {
    type IsAggregate = E::IsAggregate;
}

/// The cache of prepared statements finds the statement by its text.
impl<E> QueryId for Among<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Inserts rows in the way that is fastest on each database: on SQLite with one prepared statement per row, because
/// preparing costs more than executing, and on PostgreSQL with the code that is given.
macro_rules! insert_each {
    ($conn:expr, $rows:expr, |$row:ident| $insert:expr, |$pg:ident| $on_postgres:block) => {{
        let conn: &mut $crate::connection::conn::Conn = $conn;
        conn.statements.add_one();
        match &mut conn.backend {
            $crate::connection::conn::Backend::Sqlite(handle) => {
                let c: &mut diesel::SqliteConnection = &mut *handle;
                for $row in $rows {
                    $insert.execute(c).await?;
                }
            }
            $crate::connection::conn::Backend::Pg(handle) => {
                let $pg: &mut diesel_async::AsyncPgConnection = &mut *handle;
                $on_postgres
            }
        }
    }};
}
pub(crate) use insert_each;

/// Inserts rows with multi-row statements on PostgreSQL, where each statement costs a round trip.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr, |$row:ident| $values:expr) => {
        $crate::connection::dialect::insert_each!(
            $conn,
            $rows,
            |$row| diesel::insert_into($table).values($values),
            |c| {
                for rows in $rows.chunks($crate::connection::dialect::ROWS_PER_INSERT) {
                    let values: Vec<_> = rows.iter().map(|$row| $values).collect();
                    diesel::insert_into($table).values(values).execute(c).await?;
                }
            }
        )
    };
}
pub(crate) use insert_rows;

/// Inserts rows whose columns are listed with their types. PostgreSQL receives each column as an array, so that the
/// text of the statement does not depend on the number of rows and the statement stays prepared.
macro_rules! insert_columns {
    ($conn:expr, $table:ident, $rows:expr, |$row:ident| { $($column:ident: $type:ty = $value:expr),+ $(,)? }) => {
        $crate::connection::dialect::insert_each!(
            $conn,
            $rows,
            |$row| diesel::insert_into($table::table).values(($($table::$column.eq($value)),+)),
            |c| {
                let columns = [$(stringify!($column)),+];
                let insert = diesel::sql_query($crate::connection::dialect::insert_of_arrays(stringify!($table), &columns))
                    $(.bind::<diesel::sql_types::Array<$type>, _>($rows.iter().map(|$row| $value).collect::<Vec<_>>()))+;
                $crate::connection::prepared::Fixed(insert).execute(c).await?;
            }
        )
    };
}
pub(crate) use insert_columns;

/// Returns the statement of [`insert_columns!`] for PostgreSQL.
pub(crate) fn insert_of_arrays(table: &str, columns: &[&str]) -> String {
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM unnest({})", columns.join(", "), places.join(", "))
}

diesel::define_sql_function! {
    /// Lower case of all letters on PostgreSQL, and of ASCII letters on SQLite, which is sufficient for searching one's
    /// own entries and for addresses. In an index of a column with the collation "C", both fold only ASCII letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
