//! A boxed statement whose rows are grouped.
//!
//! Diesel cannot group a boxed statement, and the conditions of a list need one.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement without groups that selects the columns of its groups first.
pub(crate) struct Grouped<Q> {
    /// Statement that returns the columns, and one aggregate after them.
    pub rows: Q,
    /// Numbers of the columns that form the groups, for example `1, 2`.
    pub columns: &'static str,
}

impl<Q, DB> QueryFragment<DB> for Grouped<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.rows.walk_ast(pass.reborrow())?;
        pass.push_sql(" GROUP BY ");
        pass.push_sql(self.columns);
        Ok(())
    }
}

/// The cache of prepared statements finds the statement by its text.
impl<Q> QueryId for Grouped<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Grouped<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> diesel::RunQueryDsl<C> for Grouped<Q> {}
