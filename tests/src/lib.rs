//! The test harness: everything that tests need to use the product as its users do.
//!
//! [`TestApp`] is a complete server on a free port with its own database and a clock that the test moves.
//! [`on_both_backends!`] runs a test on SQLite and on PostgreSQL. [`Client`] speaks HTTP to the server, and [`Socket`]
//! GraphQL over WebSocket. [`Pages`] is a web site to add as a source, [`prose`] and [`pdf`] generate its content, and
//! [`Receiver`] is a webhook endpoint. Everything listens on loopback and stops when it is dropped. Nothing here sleeps for a
//! fixed time: it waits for a condition, and fails with the name of the condition.

mod app;
mod client;
mod documented_codes;
mod pages;
mod receiver;
mod site;
mod socket;
mod wait;

pub use helpbot_test_support::{cluster, database, identity, pdf, prose, proxy};

pub use app::{Offline, TestApp, helpbot_binary, offline, on_postgres, on_sqlite};
pub use client::{Client, GraphqlReply, Part, Reply};
pub use documented_codes::DOCUMENTED_CODES;
pub use pages::{Page, Pages};
pub use receiver::{Delivery, Receiver};
pub use site::{KeyBuilder, SiteBuilder, TestSite};
pub use socket::{Closed, Socket};
pub use wait::{DEADLINE, in_time, wait_for};

/// Makes two tests of each function: `name::sqlite` and `name::postgres`. The functions are
/// `async fn name(app: &TestApp)`.
#[macro_export]
macro_rules! on_both_backends {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::on_sqlite(super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::on_postgres(super::$name).await;
            }
        }
    )+};
}
