//! A connection that was taken from the pool. [`super::pool`] creates it, and it returns there when it is dropped.

use std::ops::{Deref, DerefMut};

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

/// A connection of the pool. Behind a pooler in transaction mode, a connection for reading is in a
/// transaction, which ends when the handle is dropped.
pub(crate) struct PgHandle {
    pub(super) object: Option<Object<AsyncPgConnection>>,
    pub(super) has_transaction: bool,
}

impl PgHandle {
    /// Closes the connection, instead of returning it to the pool.
    pub(crate) fn discard(mut self) {
        self.object.take().map(Object::take).map(drop).unwrap_or_default();
    }
}

impl Deref for PgHandle {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        self.object.as_ref().expect("taken only when the handle ends")
    }
}

impl DerefMut for PgHandle {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.object.as_mut().expect("taken only when the handle ends")
    }
}

impl Drop for PgHandle {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take().filter(|_| self.has_transaction) else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                if object.batch_execute("COMMIT").await.is_err() {
                    drop(Object::take(object));
                }
            })),
            Err(_) => drop(Object::take(object)),
        }
    }
}
