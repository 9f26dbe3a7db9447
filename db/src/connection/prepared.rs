//! Prepared statements that Diesel would not cache.
//!
//! Diesel does not cache UPDATE and `ON CONFLICT DO UPDATE` statements, because a changeset may
//! omit columns and thereby change the text. Ours never do. They are part of the transaction of
//! every question, and preparing them took a third of the writer's time (docs/decisions/0017).

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement whose text does not depend on its values: it has no `Option` of a column and no list
/// of variable length.
pub(crate) struct Fixed<Q>(pub Q);

impl<Q, DB> QueryFragment<DB> for Fixed<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// The cache finds the statement by its text, whatever the type of the inner statement.
impl<Q> QueryId for Fixed<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Fixed<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> diesel::RunQueryDsl<C> for Fixed<Q> {}
