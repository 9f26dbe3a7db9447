//! Finds out whether a pooler in transaction mode is between this program and the server, which
//! works only when the settings say so.

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::address::Pooler;
use super::connect::{SessionLimits, connect};
use super::parameters::Parameters;
use crate::connection::store::unavailable;
use crate::error::{Error, Result};

/// Number of attempts to see the session of one connection through another. A pooler assigns the
/// connection that was used last, unless another client is faster.
const ATTEMPTS: u32 = 3;

#[derive(QueryableByName)]
struct ClientPort {
    #[diesel(sql_type = Nullable<Integer>)]
    port: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    mark: Option<String>,
}

/// Refuses a pooler in transaction mode.
///
/// # Errors
/// `Schema` with the setting that is missing; `Unavailable`.
pub(super) async fn refuse_transaction_mode(parameters: &Parameters, limits: SessionLimits) -> Result<()> {
    let mut first = connect(parameters, limits, Pooler::None).await.map_err(unavailable)?;
    // A server that sees another port than the one of this connection has something in between.
    let seen = ask(&mut first.conn).await?;
    if first.local_port.is_some() && seen.port == first.local_port.map(i32::from) {
        return Ok(());
    }
    let mut second = connect(parameters, limits, Pooler::None).await.map_err(unavailable)?.conn;
    for attempt in 0..ATTEMPTS {
        let mark = format!("{}-{attempt}", std::process::id());
        first.conn.batch_execute(&format!("SET helpbot.mark = '{mark}'")).await?;
        if ask(&mut second).await?.mark.is_some_and(|found| found == mark) {
            return Err(Error::Schema(
                "the database URL leads to a pooler in transaction mode, such as PgBouncer with pool_mode = \
                 transaction; set database_pooler to transaction, or use session mode"
                    .into(),
            ));
        }
    }
    Ok(())
}

/// Asks in a transaction, which a pooler carries out on one connection of the server.
async fn ask(conn: &mut AsyncPgConnection) -> Result<ClientPort> {
    conn.batch_execute("BEGIN READ ONLY").await?;
    let query = "SELECT inet_client_port() AS port, current_setting('helpbot.mark', true) AS mark";
    let found = diesel::sql_query(query).get_result(conn).await;
    conn.batch_execute("COMMIT").await?;
    Ok(found?)
}
