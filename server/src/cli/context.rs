//! What a command works with: the settings in force and, when it needs it, the installation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use helpbot_db::DatabaseUrl;
use helpbot_domain::ids::SiteId;
use helpbot_services::accounts::sites;
use helpbot_services::{Part, Site};

use super::failure::Failure;
use super::serve::ServeArgs;
use super::{Global, logging};
use crate::installation::Migrations;
use crate::settings::{Layers, Origin, Problem, Settings};
use crate::{Installation, Parts};

const FILE: &str = "helpbot.toml";
/// Of commands beside `serve`, whose result is what people look at.
const QUIET: &str = "warn";

/// The circumstances of a command.
pub(super) struct Context {
    pub layers: Layers,
    pub settings: Result<Settings, Vec<Problem>>,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    pub is_json: bool,
}

impl Context {
    /// Reads all settings.
    pub(super) fn new(global: &Global, serve: &ServeArgs) -> Result<Self, Failure> {
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
        let layers = Layers::new(read, environment, flags).map_err(|error| Failure::usage(error.to_string()))?;
        let settings = Settings::resolve(&layers);
        Ok(Self { layers, settings, file, is_json: global.json })
    }

    /// The settings.
    ///
    /// # Errors
    /// Those that cannot be used, all of them.
    pub(super) fn settings(&self) -> Result<&Settings, Failure> {
        self.settings.as_ref().map_err(|problems| Failure::settings(problems))
    }

    /// The installation, for a command beside `serve`. A database that is not there yet is made;
    /// one that is there is never migrated in passing, since a server may be running on it.
    pub(super) async fn open(&self) -> Result<Installation, Failure> {
        let settings = self.settings()?;
        let is_quiet = self.layers.get("log").is_none_or(|given| given.origin == Origin::Default);
        logging::start(settings, if is_quiet { QUIET } else { &settings.log })?;
        let migrations = match &settings.database {
            DatabaseUrl::Sqlite(path) if !path.exists() => Migrations::Apply,
            _ => Migrations::Require,
        };
        Ok(Installation::open(settings.clone(), Parts::default(), migrations).await?)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))
}

/// The site that a command names, or the only one there is.
pub(super) async fn site(installation: &Installation, named: Option<SiteId>) -> Result<Site, Failure> {
    let (services, operator) = (&installation.services, installation.operator());
    if named.is_some() {
        return Ok(sites::get(services, &operator, named).await?);
    }
    let mut some = sites::list(services, &operator, Part::first(2)).await?;
    match (some.pop(), some.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::failed("there is no site yet: make one with `helpbot site create`")),
        (Some(_), false) => {
            Err(Failure::usage("there are several sites: name one with --site (`helpbot site list` shows them)"))
        }
    }
}
