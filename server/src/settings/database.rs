//! The settings of the database: its URL, and how PostgreSQL is used.

use std::path::Path;
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Pooler, PostgresOptions};
use helpbot_outbound::CertificateDer;

use super::SettingsReader;

/// What a server does with pending migrations at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartMigrations {
    /// Applies them.
    Apply,
    /// Applies them to a database without tables, and does not start on another one.
    OnlyNew,
    /// Does not start.
    Refuse,
}

/// Time in which common proxies notice that a node is not ready: two checks, one each second, and some to spare.
const DRAIN_OF_A_NODE: Duration = Duration::from_secs(5);
/// Fewest connections to PostgreSQL: one that reads and one that writes.
const CONNECTIONS_MIN: usize = 2;

impl SettingsReader<'_> {
    /// The URL of the database with the options for PostgreSQL.
    pub(super) fn database(&mut self, data: &Path, authorities: &[CertificateDer<'static>]) -> DatabaseUrl {
        let options = PostgresOptions {
            connections: self.connections(),
            pooler: self.pooler(),
            statement_timeout: self.milliseconds("database_statement_timeout_ms"),
            lock_timeout: self.milliseconds("database_lock_timeout_ms"),
            authorities: authorities.to_vec(),
            ..PostgresOptions::default()
        };
        let default = || DatabaseUrl::Sqlite(data.join("helpbot.db"));
        let Some(given) = self.optional("database") else { return default() };
        let url = self.value("database", &given, |text| {
            let mut url: DatabaseUrl = text.parse().map_err(|error: helpbot_db::Error| error.to_string())?;
            if let DatabaseUrl::Postgres(postgres) = &mut url {
                postgres.options = options.clone();
                postgres.check()?;
            }
            Ok(url)
        });
        url.unwrap_or_else(default)
    }

    /// What a server does with pending migrations. An SQLite database has one server, which is stopped for an upgrade anyway. On
    /// PostgreSQL, other nodes are running, so somebody decides when their database changes.
    pub(super) fn migrate(&mut self, database: &DatabaseUrl) -> StartMigrations {
        let by_default = match database {
            DatabaseUrl::Sqlite(_) => StartMigrations::Apply,
            DatabaseUrl::Postgres(_) => StartMigrations::OnlyNew,
        };
        let given = self.optional("migrate").and_then(|given| {
            self.value("migrate", &given, |text| match text {
                "on" => Ok(StartMigrations::Apply),
                "off" => Ok(StartMigrations::Refuse),
                "auto" => Ok(by_default),
                other => Err(format!("{other:?} is not auto, on or off")),
            })
        });
        given.unwrap_or(by_default)
    }

    /// How long a server that was asked to stop still serves requests. Without other nodes, waiting would only make the
    /// interruption longer.
    pub(super) fn drain(&mut self, database: &DatabaseUrl) -> Duration {
        match (self.optional("drain_s"), database) {
            (Some(_), _) => self.seconds("drain_s"),
            (None, DatabaseUrl::Postgres(_)) => DRAIN_OF_A_NODE,
            (None, DatabaseUrl::Sqlite(_)) => Duration::ZERO,
        }
    }

    fn connections(&mut self) -> usize {
        let given = self.optional("database_connections").and_then(|given| {
            self.value("database_connections", &given, |text| match text.trim().parse() {
                Ok(count) if count >= CONNECTIONS_MIN => Ok(count),
                _ => Err(format!("{text:?} is not a number of at least {CONNECTIONS_MIN}")),
            })
        });
        given.unwrap_or(CONNECTIONS_MIN)
    }

    fn pooler(&mut self) -> Pooler {
        let given = self.optional("database_pooler").and_then(|given| {
            self.value("database_pooler", &given, |text| match text {
                "none" => Ok(Pooler::None),
                "transaction" => Ok(Pooler::Transaction),
                other => Err(format!("{other:?} is not none or transaction")),
            })
        });
        given.unwrap_or(Pooler::None)
    }

    fn milliseconds(&mut self, name: &'static str) -> Duration {
        Duration::from_millis(self.parsed(name, "a number of milliseconds").unwrap_or_default())
    }

    pub(super) fn seconds(&mut self, name: &'static str) -> Duration {
        Duration::from_secs(self.parsed(name, "a number of seconds").unwrap_or_default())
    }
}
