//! The way to a PostgreSQL server: TLS, timeouts, a server that falls silent, a pooler in between,
//! and roles with few rights. Each test needs a real server.

mod limits;
mod pooler;
mod role;
mod silence;
mod tls;

use helpbot_db::{DatabaseUrl, PostgresOptions, PostgresUrl};

/// A URL of a PostgreSQL database with changed options.
fn url_with(text: &str, change: impl FnOnce(&mut PostgresOptions)) -> DatabaseUrl {
    let mut url = PostgresUrl::from(text.to_owned());
    change(&mut url.options);
    DatabaseUrl::Postgres(url)
}

/// Returns the URL of a test database as text.
fn text_of(url: &DatabaseUrl) -> &str {
    match url {
        DatabaseUrl::Postgres(url) => url.as_str(),
        DatabaseUrl::Sqlite(path) => panic!("{} is not a server", path.display()),
    }
}
