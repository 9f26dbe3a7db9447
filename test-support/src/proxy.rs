//! A way to the test server on which packets can be dropped, as in a fail-over that nobody notices:
//! connections stay open and nothing arrives.

use std::net::SocketAddr;

use helpbot_db::DatabaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;

use crate::database::TestDatabase;

/// Forwards connections to the server.
pub struct Proxy {
    address: SocketAddr,
    /// Connections from before this generation carry nothing anymore, and those of an odd one never do.
    generation: watch::Sender<u64>,
}

impl Proxy {
    /// Address of the server of a test database.
    pub async fn server_of(database: &TestDatabase) -> SocketAddr {
        let host = host(text_of(database.url())).to_owned();
        lookup_host(host).await.expect("the host is known").next().expect("an address")
    }

    /// URL of the database by way of `address`.
    pub fn url_at(database: &TestDatabase, address: SocketAddr) -> String {
        let text = text_of(database.url());
        text.replacen(host(text), &address.to_string(), 1)
    }

    /// Starts a proxy before a test database.
    pub async fn before(database: &TestDatabase) -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address"), Self::server_of(database).await).await
    }

    /// Starts a proxy at an address.
    pub async fn at(address: SocketAddr, server: SocketAddr) -> Self {
        Self::listening(address, server).await.0
    }

    /// Starts a proxy, and returns the address where it listens.
    pub async fn listening(address: SocketAddr, server: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (generation, state) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, state.clone()));
            }
        });
        (Self { address, generation }, address)
    }

    /// URL of the database by way of this proxy.
    pub fn url(&self, database: &TestDatabase) -> String {
        Self::url_at(database, self.address)
    }

    /// Drops everything on the connections that are open now. New ones work.
    pub fn fall_silent(&self) {
        self.generation.send_modify(|generation| *generation += 2);
    }

    /// Begins or ends to drop everything, also on connections that are opened meanwhile.
    pub fn drop_all(&self, begins: bool) {
        self.generation.send_modify(|generation| {
            debug_assert_eq!(generation.is_multiple_of(2), begins);
            *generation += 1;
        });
    }
}

/// The part `host:port` of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once('@').expect("a user").1;
    rest.split('/').next().expect("a host")
}

async fn pass(client: TcpStream, server: SocketAddr, state: watch::Receiver<u64>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(carry(from_client, to_server, state.clone()));
    tokio::spawn(carry(from_server, to_client, state));
}

/// Carries bytes one way until an end closes. In silence it reads on and drops what it read.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: watch::Receiver<u64>) {
    let begun = *state.borrow();
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if begun.is_multiple_of(2) && *state.borrow() == begun && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    // The other end does not learn that this one is gone either.
    if !begun.is_multiple_of(2) || *state.borrow() != begun {
        std::future::pending::<()>().await;
    }
}

/// Returns the URL of a test database as text.
fn text_of(url: &DatabaseUrl) -> &str {
    match url {
        DatabaseUrl::Postgres(url) => url.as_str(),
        DatabaseUrl::Sqlite(path) => panic!("{} is not a server", path.display()),
    }
}
