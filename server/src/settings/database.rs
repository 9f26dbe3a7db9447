//! The settings of the database: its URL, and how PostgreSQL is used.

use std::path::Path;
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Pooler, PostgresOptions};
use helpbot_outbound::CertificateDer;

use super::SettingsReader;

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
