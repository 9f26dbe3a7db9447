//! The channel between the nodes of an installation: LISTEN and NOTIFY on one connection of its own.
//!
//! A notification is a hint that may be lost, so nothing depends on its arrival. It is never part of a
//! transaction with data, because PostgreSQL lets transactions that notify commit one after another.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::connect::connect_for_notices;
use super::parameters::Parameters;
use super::snapshot::TAKE_NODE_LOCK;
use crate::connection::channel::Channel;
use crate::connection::store::unavailable;
use crate::error::{Error, Result};

/// Time that the server has for a notification before the connection counts as lost.
const TIMEOUT: Duration = Duration::from_secs(3);

/// An open channel.
pub(super) struct PostgresChannel {
    client: Client,
    name: String,
    arrived: mpsc::UnboundedReceiver<String>,
}

impl PostgresChannel {
    /// Opens a connection and listens on the channel of its schema.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(super) async fn open(parameters: &Parameters) -> Result<Self> {
        let (notices, arrived) = mpsc::unbounded_channel();
        let client = connect_for_notices(parameters, notices).await.map_err(unavailable)?;
        // Channels belong to the database, and a database may contain several installations.
        let query = "SELECT 'helpbot ' || current_schema()";
        let name: String = client.query_one(query, &[]).await.map_err(unavailable)?.get(0);
        // The connection ends with the node, and so does the lock.
        if !client.query_one(TAKE_NODE_LOCK, &[]).await.map_err(unavailable)?.get::<_, bool>(0) {
            return Err(Error::Unavailable("another program needs the database for itself".into()));
        }
        let quoted = name.replace('"', "\"\"");
        client.batch_execute(&format!("LISTEN \"{quoted}\"")).await.map_err(unavailable)?;
        Ok(Self { client, name, arrived })
    }

    async fn notify(&self, text: &str) -> Result<()> {
        let values: [&(dyn ToSql + Sync); 2] = [&self.name, &text];
        let notify = self.client.execute("SELECT pg_notify($1, $2)", &values);
        match tokio::time::timeout(TIMEOUT, notify).await {
            Ok(sent) => sent.map(drop).map_err(unavailable),
            Err(_) => Err(Error::Unavailable("the channel between nodes does not respond".into())),
        }
    }
}

impl Channel for PostgresChannel {
    fn send<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<()>> {
        self.notify(text).boxed()
    }

    fn receive(&mut self) -> BoxFuture<'_, Option<String>> {
        self.arrived.recv().boxed()
    }
}
