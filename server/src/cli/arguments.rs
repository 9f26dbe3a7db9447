//! Arguments that several commands share. `cli` parses them, and `context` turns them into settings. This
//! file must not know any command, so that commands can use it without an import cycle.

use std::path::PathBuf;

use clap::Args;

use crate::settings::SettingsLayer;

/// Arguments that every command accepts.
#[derive(Debug, Clone, Args)]
pub(super) struct GlobalArgs {
    /// Directory for the database file and the secret key. Defaults to ./helpbot-data.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Database, as sqlite:PATH or postgres://USER@HOST/NAME. Defaults to helpbot.db in the data directory.
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Settings file. Defaults to ./helpbot.toml if that file exists.
    #[arg(long, global = true, value_name = "FILE", env = "HELPBOT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print the result as one JSON document.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Arguments of `helpbot serve`, which may also be given without the command's name.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct ServeArgs {
    /// Address and port to listen on. Defaults to 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Apply pending database migrations at the start. Defaults to the setting migrate.
    #[arg(long)]
    migrate: bool,
}

impl ServeArgs {
    /// These arguments, completed by those that were given before the command's name.
    pub(super) fn or(self, before: Self) -> Self {
        Self { listen: self.listen.or(before.listen), migrate: self.migrate || before.migrate }
    }

    /// The arguments as a layer of settings.
    pub(super) fn layer(&self) -> SettingsLayer {
        let listen = self.listen.iter().map(|listen| ("listen", listen.clone()));
        listen.chain(self.migrate.then(|| ("migrate", "on".to_owned()))).collect()
    }
}
