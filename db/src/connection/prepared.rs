//! Statements that are prepared once a connection though Diesel would prepare them each time.
//!
//! Diesel keeps no UPDATE and no `ON CONFLICT DO UPDATE` prepared, because a changeset may leave
//! columns out and so change the text. Ours never do, and they stand in the transaction of every
//! question; preparing them took a third of the writer's time. (docs/decisions/0017.)

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement whose text does not depend on its values: no `Option` of a column, no list whose
/// length varies.
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

/// Known by its text, whatever Diesel thinks of the inner statement's type.
impl<Q> QueryId for Fixed<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Fixed<Q> {
    type SqlType = Q::SqlType;
}
