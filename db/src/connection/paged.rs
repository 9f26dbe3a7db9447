//! A statement with a limit that SQLite keeps prepared.
//!
//! SQLite looks at the value of a variable that is the whole limit while it plans a statement, and
//! therefore prepares the statement again whenever a value is bound to that variable. It does not look
//! into `? + 0`.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};

/// A statement without a limit, and the part of its rows to return.
pub(crate) struct Paged<Q> {
    /// Statement that returns all rows in order.
    pub rows: Q,
    /// Maximum number of rows to return.
    pub limit: i64,
    /// Number of rows to skip.
    pub offset: i64,
}

impl<Q, DB> QueryFragment<DB> for Paged<Q>
where
    DB: Backend + HasSqlType<BigInt>,
    Q: QueryFragment<DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.rows.walk_ast(pass.reborrow())?;
        pass.push_sql(" LIMIT ");
        pass.push_bind_param::<BigInt, _>(&self.limit)?;
        pass.push_sql(" + 0 OFFSET ");
        pass.push_bind_param::<BigInt, _>(&self.offset)?;
        pass.push_sql(" + 0");
        Ok(())
    }
}

/// The cache of prepared statements finds the statement by its text.
impl<Q> QueryId for Paged<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Paged<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> diesel::RunQueryDsl<C> for Paged<Q> {}
