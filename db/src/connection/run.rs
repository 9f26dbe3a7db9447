//! Running a statement on either connection.
//!
//! This trait takes the place of Diesel's two traits of the same name, one for SQLite and one for PostgreSQL. Its
//! futures do not name the type of the statement: SQLite's are ready at once, PostgreSQL's are boxed. A caller that
//! awaits ten statements would otherwise carry ten types as deep as the statements in its own future, and half the time
//! of compiling this crate would go into them (decision 0033).

use std::future::{Ready, ready};

use diesel::connection::SimpleConnection;
use diesel::dsl::Limit;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::query_dsl::methods::{ExecuteDsl, LimitDsl, LoadQuery};
use diesel::{QueryResult, SqliteConnection};
use diesel_async::methods::LoadQuery as AsyncLoadQuery;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A connection that statements run on.
pub(crate) trait Runner: Sized {
    /// The future of a result of type `T`.
    type Output<'c, T: Send + 'c>: Future<Output = QueryResult<T>> + Send
    where
        Self: 'c;

    /// Runs statements that take no arguments and return no rows.
    fn run_all<'c>(&'c mut self, sql: &'c str) -> Self::Output<'c, ()>;
}

/// Statements run on the calling thread. One takes ten to a few hundred microseconds, which is less than a hop to
/// another thread costs: 8 to 11 hops per transaction made writes eight times slower when measured.
impl Runner for SqliteConnection {
    type Output<'c, T: Send + 'c> = Ready<QueryResult<T>>;

    fn run_all(&mut self, sql: &str) -> Ready<QueryResult<()>> {
        ready(SimpleConnection::batch_execute(self, sql))
    }
}

impl Runner for AsyncPgConnection {
    type Output<'c, T: Send + 'c> = BoxFuture<'c, QueryResult<T>>;

    fn run_all<'c>(&'c mut self, sql: &'c str) -> BoxFuture<'c, QueryResult<()>> {
        SimpleAsyncConnection::batch_execute(self, sql).boxed()
    }
}

/// A connection that can run the statement `Q` and read its rows as `U`.
pub(crate) trait Loads<'q, Q, U: Send>: Runner {
    fn load_rows<'c>(&'c mut self, statement: Q) -> Self::Output<'c, Vec<U>>
    where
        'q: 'c,
        U: 'c;

    fn load_row<'c>(&'c mut self, statement: Q) -> Self::Output<'c, U>
    where
        'q: 'c,
        U: 'c;
}

impl<'q, Q, U> Loads<'q, Q, U> for SqliteConnection
where
    Q: LoadQuery<'q, SqliteConnection, U>,
    U: Send,
{
    fn load_rows<'c>(&'c mut self, statement: Q) -> Ready<QueryResult<Vec<U>>>
    where
        'q: 'c,
        U: 'c,
    {
        ready(diesel::RunQueryDsl::load(statement, self))
    }

    fn load_row<'c>(&'c mut self, statement: Q) -> Ready<QueryResult<U>>
    where
        'q: 'c,
        U: 'c,
    {
        ready(diesel::RunQueryDsl::get_result(statement, self))
    }
}

impl<'q, Q, U> Loads<'q, Q, U> for AsyncPgConnection
where
    Q: AsyncLoadQuery<'q, AsyncPgConnection, U> + 'q,
    U: Send,
{
    fn load_rows<'c>(&'c mut self, statement: Q) -> BoxFuture<'c, QueryResult<Vec<U>>>
    where
        'q: 'c,
        U: 'c,
    {
        diesel_async::RunQueryDsl::load(statement, self).boxed()
    }

    fn load_row<'c>(&'c mut self, statement: Q) -> BoxFuture<'c, QueryResult<U>>
    where
        'q: 'c,
        U: 'c,
    {
        diesel_async::RunQueryDsl::get_result(statement, self).boxed()
    }
}

/// A connection that can run the statement `Q` and count the rows it changed.
pub(crate) trait Executes<Q>: Runner {
    fn count_changed<'c>(&'c mut self, statement: Q) -> Self::Output<'c, usize>
    where
        Q: 'c;
}

impl<Q> Executes<Q> for SqliteConnection
where
    Q: ExecuteDsl<SqliteConnection>,
{
    fn count_changed<'c>(&'c mut self, statement: Q) -> Ready<QueryResult<usize>>
    where
        Q: 'c,
    {
        ready(ExecuteDsl::execute(statement, self))
    }
}

impl<Q> Executes<Q> for AsyncPgConnection
where
    Q: QueryFragment<diesel::pg::Pg> + QueryId + Send,
{
    fn count_changed<'c>(&'c mut self, statement: Q) -> BoxFuture<'c, QueryResult<usize>>
    where
        Q: 'c,
    {
        diesel_async::RunQueryDsl::execute(statement, self)
    }
}

/// The methods that run a statement.
pub(crate) trait RunQueryDsl: Sized {
    /// Returns all rows.
    fn load<'q: 'c, 'c, C, U>(self, conn: &'c mut C) -> C::Output<'c, Vec<U>>
    where
        C: Loads<'q, Self, U>,
        U: Send + 'c,
    {
        conn.load_rows(self)
    }

    /// Returns the first row of a statement that returns one row.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn get_result<'q: 'c, 'c, C, U>(self, conn: &'c mut C) -> C::Output<'c, U>
    where
        C: Loads<'q, Self, U>,
        U: Send + 'c,
    {
        conn.load_row(self)
    }

    /// Returns the first row, and reads no other.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn first<'q: 'c, 'c, C, U>(self, conn: &'c mut C) -> C::Output<'c, U>
    where
        Self: LimitDsl,
        C: Loads<'q, Limit<Self>, U>,
        U: Send + 'c,
    {
        conn.load_row(self.limit(1))
    }

    /// Runs the statement. Returns the number of rows that it inserted, changed or deleted.
    fn execute<'c, C>(self, conn: &'c mut C) -> C::Output<'c, usize>
    where
        C: Executes<Self>,
        Self: 'c,
    {
        conn.count_changed(self)
    }
}

impl<Q> RunQueryDsl for Q {}
