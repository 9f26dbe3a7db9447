//! What a command works with: the effective settings and, when it needs them, the opened installation and
//! the site. Commands call this file; it must not know any of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_services::accounts::sites;

use super::arguments::{GlobalArgs, ServeArgs};
use super::failure::CommandFailure;
use super::logging;
use crate::installation::Migrations;
use crate::settings::{SettingOrigin, SettingProblem, Settings, SettingsLayers};
use crate::{Installation, Parts};

const FILE: &str = "helpbot.toml";
/// Default log filter of all commands other than `serve`, whose output is their result.
const QUIET: &str = "warn";

/// The settings of a command and how it prints its result.
pub(super) struct CommandContext {
    pub layers: SettingsLayers,
    pub settings: Result<Settings, Vec<SettingProblem>>,
    /// The settings file that was read, if any.
    pub file: Option<PathBuf>,
    pub is_json: bool,
}

impl CommandContext {
    /// Reads the settings from the file, the environment and the flags.
    pub(super) fn new(global: &GlobalArgs, serve: &ServeArgs) -> Result<Self, CommandFailure> {
        let mut flags: BTreeMap<&'static str, String> = serve.layer();
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        flags.extend(global.data.as_ref().map(|data| ("data", text(data))));
        flags.extend(global.database.as_ref().map(|database| ("database", database.clone())));
        let file = match &global.config {
            Some(path) => Some(path.clone()),
            None => Some(PathBuf::from(FILE)).filter(|path| path.is_file()),
        };
        let read = file.as_ref().map(|path| read(path).map(|text| (path.as_path(), text))).transpose()?;
        let read = read.as_ref().map(|(path, text)| (*path, text.as_str()));
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let layers =
            SettingsLayers::new(read, environment, flags).map_err(|error| CommandFailure::usage(error.to_string()))?;
        let settings = Settings::resolve(&layers);
        Ok(Self { layers, settings, file, is_json: global.json })
    }

    /// The effective settings.
    ///
    /// # Errors
    /// All settings that are not valid.
    pub(super) fn settings(&self) -> Result<&Settings, CommandFailure> {
        self.settings.as_ref().map_err(|problems| CommandFailure::settings(problems))
    }

    /// Starts logging for a command other than `serve`.
    ///
    /// # Errors
    /// A setting that is not valid.
    pub(super) fn start_logging(&self) -> Result<(), CommandFailure> {
        let settings = self.settings()?;
        let is_quiet = self.layers.get("log").is_none_or(|given| given.origin == SettingOrigin::Default);
        logging::start(settings, if is_quiet { QUIET } else { &settings.log })
    }

    /// Opens the installation for a command other than `serve`. Creates an SQLite database that does not
    /// exist. Refuses an existing database with pending migrations, since a server may be using it.
    pub(super) async fn open(&self) -> Result<Installation, CommandFailure> {
        self.start_logging()?;
        let settings = self.settings()?;
        let is_new = settings.database.sqlite_path().is_some_and(|path| !path.exists());
        let migrations = if is_new { Migrations::Apply } else { Migrations::Require };
        let installation = Installation::open(settings.clone(), Parts::default(), migrations).await?;
        if is_new {
            installation.adopt_key().await?;
        }
        Ok(installation)
    }
}

fn read(path: &Path) -> Result<String, CommandFailure> {
    std::fs::read_to_string(path)
        .map_err(|error| CommandFailure::failed(format!("cannot read {}: {error}", path.display())))
}

/// The site with the given ID, or the only site of the installation.
///
/// # Errors
/// When no ID is given and there are no sites or several.
pub(super) async fn site(installation: &Installation, named: Option<SiteId>) -> Result<Site, CommandFailure> {
    let (services, operator) = (&installation.services, installation.operator());
    if named.is_some() {
        return Ok(sites::get(services, &operator, named).await?);
    }
    let mut some = sites::list(services, &operator, PageRequest::first(2)).await?;
    match (some.pop(), some.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(CommandFailure::failed("there is no site yet; create one with `helpbot site create`")),
        (Some(_), false) => Err(CommandFailure::usage(
            "there are several sites; choose one with --site (`helpbot site list` shows them)",
        )),
    }
}
