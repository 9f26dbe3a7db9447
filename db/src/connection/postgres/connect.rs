//! Connecting to PostgreSQL: hosts and addresses in order, TLS as the mode asks, and the settings
//! of the session.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::CacheSize;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::mpsc;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, SimpleQueryMessage};

use super::address::Pooler;
use super::parameters::{Endpoint, Host, Parameters, Target, TlsMode};
use super::stall::StallGuard;
use super::tls::Encryption;

/// Limits of the statements on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionLimits {
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
    /// Time after which a connection is given up whose server does not respond.
    pub stall: Option<Duration>,
}

impl SessionLimits {
    /// For migrations, which may take any time.
    pub(super) const NONE: Self = Self { statement_timeout: Duration::ZERO, lock_timeout: Duration::ZERO, stall: None };

    /// Returns the statement that sets the limits for the session, or with `LOCAL` for a transaction.
    /// An open transaction of a client that is gone ends after the same time as a statement.
    pub(super) fn as_sql(&self, local: &str) -> String {
        let (statement, lock) = (self.statement_timeout.as_millis(), self.lock_timeout.as_millis());
        format!(
            "SET {local} statement_timeout = {statement}; SET {local} lock_timeout = {lock}; \
             SET {local} idle_in_transaction_session_timeout = {statement}"
        )
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct ConnectError {
    reason: String,
    /// Whether it may work in a moment: the server is down, starting, or has too many clients.
    pub is_temporary: bool,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ConnectError {}

impl ConnectError {
    fn io(error: &io::Error) -> Self {
        Self { reason: error.to_string(), is_temporary: true }
    }

    fn of(error: &tokio_postgres::Error) -> Self {
        // States of a server that is starting, stopping or full. Everything else, such as a wrong
        // password or certificate, needs the operator.
        let is_full = [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN, SqlState::TOO_MANY_CONNECTIONS];
        let is_temporary = match error.code() {
            Some(code) => is_full.contains(code),
            None => has_io_cause(error),
        };
        Self { reason: with_causes(error), is_temporary }
    }
}

/// Whether the connection broke. A failed TLS handshake is an `io::Error` too, of the kind
/// `InvalidData`.
fn has_io_cause(error: &tokio_postgres::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return cause.kind() != io::ErrorKind::InvalidData;
        }
        next = cause.source();
    }
    error.is_closed()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// An open connection and the port of this machine that it uses.
pub(super) struct Connected {
    pub conn: AsyncPgConnection,
    /// `None` for a Unix socket.
    pub local_port: Option<u16>,
}

/// Receives the notifications that arrive on a connection.
pub(super) type Notices = mpsc::UnboundedSender<String>;

/// Connects like [`connect`], for a connection on which notifications arrive.
///
/// # Errors
/// Same as [`connect`].
pub(super) fn connect_for_notices(
    parameters: &Parameters,
    notices: Notices,
) -> BoxFuture<'_, Result<Client, ConnectError>> {
    async move { Ok(connect_to_one(parameters, None, Some(notices)).await?.0) }.boxed()
}

/// Connects to the first endpoint that accepts a connection of the wanted kind.
///
/// # Errors
/// The reasons of all endpoints. The error is temporary if that of one of them is.
pub(super) fn connect(
    parameters: &Parameters,
    limits: SessionLimits,
    pooler: Pooler,
) -> BoxFuture<'_, Result<Connected, ConnectError>> {
    async move {
        let (client, local_port) = connect_to_one(parameters, limits.stall, None).await?;
        set_up(client, limits, pooler).await.map(|conn| Connected { conn, local_port })
    }
    .boxed()
}

async fn connect_to_one(
    parameters: &Parameters,
    stall: Option<Duration>,
    notices: Option<Notices>,
) -> Result<(Client, Option<u16>), ConnectError> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let count = parameters.endpoints.len();
    let first = if parameters.is_balanced { NEXT.fetch_add(1, Ordering::Relaxed) % count } else { 0 };
    let mut failures: Vec<ConnectError> = Vec::new();
    for place in 0..count {
        let endpoint = &parameters.endpoints[(first + place) % count];
        match connect_to(parameters, endpoint, stall, notices.as_ref()).await {
            Ok(connected) => return Ok(connected),
            Err(error) => failures.push(ConnectError { reason: describe(parameters, endpoint, &error), ..error }),
        }
    }
    let is_temporary = failures.iter().any(|failure| failure.is_temporary);
    let reasons: Vec<String> = failures.into_iter().map(|failure| failure.reason).collect();
    Err(ConnectError { reason: reasons.join("; "), is_temporary })
}

fn describe(parameters: &Parameters, endpoint: &Endpoint, error: &ConnectError) -> String {
    let host = match &endpoint.host {
        Host::Tcp { name, .. } => format!("{name}:{}", endpoint.port),
        Host::Unix(directory) => format!("{} (port {})", directory.display(), endpoint.port),
    };
    format!("cannot connect to {host} with sslmode={}: {error}", parameters.tls_mode.name())
}

/// Tries each address of an endpoint.
async fn connect_to(
    parameters: &Parameters,
    endpoint: &Endpoint,
    stall: Option<Duration>,
    notices: Option<&Notices>,
) -> Result<(Client, Option<u16>), ConnectError> {
    let addresses: Vec<Option<SocketAddr>> = match &endpoint.host {
        Host::Unix(_) => vec![None],
        Host::Tcp { address: Some(address), .. } => vec![Some(SocketAddr::new(*address, endpoint.port))],
        Host::Tcp { name, address: None } => {
            let found =
                tokio::time::timeout(parameters.connect_timeout, lookup_host((name.clone(), endpoint.port)).boxed());
            let found = found.await.map_err(|_| timed_out(parameters))?.map_err(|error| ConnectError::io(&error))?;
            found.map(Some).collect()
        }
    };
    let mut last = ConnectError { reason: "the host has no address".into(), is_temporary: true };
    for address in addresses {
        let attempt = log_in(parameters, endpoint, address, (stall, notices));
        match tokio::time::timeout(parameters.connect_timeout, attempt).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => last = error,
            Err(_) => last = timed_out(parameters),
        }
    }
    Err(last)
}

fn timed_out(parameters: &Parameters) -> ConnectError {
    let seconds = parameters.connect_timeout.as_secs();
    ConnectError { reason: format!("no connection within {seconds} seconds"), is_temporary: true }
}

/// Logs in at one address, with and without TLS in the order of the mode.
async fn log_in(
    parameters: &Parameters,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
    (stall, notices): (Option<Duration>, Option<&Notices>),
) -> Result<(Client, Option<u16>), ConnectError> {
    let orders: &[SslMode] = match (parameters.tls_mode, address) {
        // Unix sockets are never encrypted, like in libpq.
        (TlsMode::Disable, _) | (_, None) => &[SslMode::Disable],
        (TlsMode::Allow, _) => &[SslMode::Disable, SslMode::Require],
        (TlsMode::Prefer, _) => &[SslMode::Prefer, SslMode::Disable],
        (TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull, _) => &[SslMode::Require],
    };
    let mut last = None;
    for mode in orders {
        match log_in_once(parameters, endpoint, address, *mode, (stall, notices)).await {
            Ok((client, port)) => {
                check_target(&client, parameters.target).await?;
                return Ok((client, port));
            }
            // The server that refused the login is asked once more the other way; one that cannot be
            // reached is not.
            Err(error) if error.is_temporary => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("there is at least one order"))
}

async fn log_in_once(
    parameters: &Parameters,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
    mode: SslMode,
    (stall, notices): (Option<Duration>, Option<&Notices>),
) -> Result<(Client, Option<u16>), ConnectError> {
    let (stream, local_port) = open(parameters, endpoint, address).await.map_err(|error| ConnectError::io(&error))?;
    let stream = StallGuard::new(stream, stall);
    let mut config = parameters.config.clone();
    config.ssl_mode(mode);
    if let Some(password) = &endpoint.password {
        config.password(password);
    }
    let failed = |error: tokio_postgres::Error| ConnectError::of(&error);
    let client = match (&parameters.tls, mode) {
        (None, _) | (_, SslMode::Disable) => {
            let (client, connection) = config.connect_raw(stream, NoTls).boxed().await.map_err(failed)?;
            tokio::spawn(drive(connection, notices.cloned()));
            client
        }
        (Some(tls), _) => {
            let Host::Tcp { name, .. } = &endpoint.host else { unreachable!("sockets are not encrypted") };
            let name = ServerName::try_from(name.clone()).map_err(|_| ConnectError {
                reason: format!("a certificate cannot be valid for the name {name:?}"),
                is_temporary: false,
            })?;
            let encryption = Encryption { config: tls.clone(), name };
            let (client, connection) = config.connect_raw(stream, encryption).boxed().await.map_err(failed)?;
            tokio::spawn(drive(connection, notices.cloned()));
            client
        }
    };
    Ok((client, local_port))
}

/// Carries the messages of a connection until it ends.
async fn drive<S, T>(mut connection: Connection<S, T>, notices: Option<Notices>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
        if let (AsyncMessage::Notification(notice), Some(notices)) = (message, &notices) {
            // Nobody receives any more when the connection is about to be closed.
            let _ = notices.send(notice.payload().to_owned());
        }
    }
}

/// A TCP connection or a Unix socket.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

async fn open(
    parameters: &Parameters,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
) -> io::Result<(Box<dyn Wire>, Option<u16>)> {
    let Some(address) = address else {
        let Host::Unix(directory) = &endpoint.host else { unreachable!("only a socket has no address") };
        let path = directory.join(format!(".s.PGSQL.{}", endpoint.port));
        return Ok((Box::new(UnixStream::connect(path).await?), None));
    };
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if let Some(keepalive) = parameters.keepalive {
        let options = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval)
            .with_retries(keepalive.retries);
        socket.set_tcp_keepalive(&options)?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(parameters.tcp_user_timeout).filter(|timeout| !timeout.is_zero()))?;
    let port = stream.local_addr()?.port();
    Ok((Box::new(stream), Some(port)))
}

/// Refuses a server that does not allow what `target_session_attrs` asks for.
async fn check_target(client: &Client, target: Target) -> Result<(), ConnectError> {
    if target == Target::Any {
        return Ok(());
    }
    let rows = client.simple_query("SHOW transaction_read_only").await.map_err(|error| ConnectError::of(&error))?;
    let is_read_only = rows.iter().any(|row| matches!(row, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")));
    if is_read_only == (target == Target::ReadOnly) {
        return Ok(());
    }
    let found = if is_read_only { "read-only" } else { "read-write" };
    Err(ConnectError { reason: format!("the server is {found}"), is_temporary: true })
}

/// Prepares the session of a connection.
async fn set_up(client: Client, limits: SessionLimits, pooler: Pooler) -> Result<AsyncPgConnection, ConnectError> {
    let failed = |error: tokio_postgres::Error| ConnectError::of(&error);
    // Diesel prepares statements to set up the session. Behind a pooler, they stay on one connection
    // of the server only within a transaction.
    client.batch_execute("BEGIN").await.map_err(failed)?;
    let conn = AsyncPgConnection::try_from(client).boxed().await;
    let mut conn = conn.map_err(|error| ConnectError { reason: error.to_string(), is_temporary: true })?;
    let end = match pooler {
        Pooler::None => format!("{}; COMMIT", limits.as_sql("")),
        Pooler::Transaction => {
            conn.set_prepared_statement_cache_size(CacheSize::Disabled);
            "COMMIT".to_owned()
        }
    };
    let ended = conn.batch_execute(&end).await;
    ended.map_err(|error| ConnectError { reason: error.to_string(), is_temporary: true })?;
    Ok(conn)
}
