//! Collects settings from the settings file, the environment and the command line, with their precedence.
//! Values are still text here; the parent module parses them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::definitions::{self, SETTINGS};

/// Where a value comes from, in ascending precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingOrigin {
    /// The value is the default.
    Default,
    /// The settings file.
    File,
    /// An environment variable.
    Environment,
    /// A flag on the command line.
    Flag,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SettingOrigin::Default => "default",
            SettingOrigin::File => "helpbot.toml",
            SettingOrigin::Environment => "environment",
            SettingOrigin::Flag => "command line",
        })
    }
}

/// The text of a setting and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue {
    /// The text as written. Lists are joined with commas.
    pub value: String,
    /// Where the value comes from.
    pub origin: SettingOrigin,
}

/// The settings of one origin, by name.
pub type SettingsLayer = BTreeMap<&'static str, String>;

/// Why a settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not valid TOML, or contains an unknown setting.
    #[error("{}: {reason}", path.display())]
    Bad {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong, with the line number if it is known.
        reason: String,
    },
}

/// The settings of all origins, and the environment variables that are not settings.
#[derive(Debug, Clone, Default)]
pub struct SettingsLayers {
    file: SettingsLayer,
    environment: SettingsLayer,
    flags: SettingsLayer,
    /// `HELPBOT_*` variables that are not settings, most likely because of a typing error.
    pub unknown_variables: Vec<String>,
}

impl SettingsLayers {
    /// Collects the settings. `file` is the path and the text of the settings file, if any.
    ///
    /// # Errors
    /// When the settings file is not valid.
    pub fn new(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: SettingsLayer,
    ) -> Result<Self, FileError> {
        let file = file.map(|(path, text)| from_toml(path, text)).transpose()?.unwrap_or_default();
        let mut layers = Self { file, flags, ..Self::default() };
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix("HELPBOT_") else { continue };
            match definitions::definition(&name.to_ascii_lowercase()) {
                // Shells and compose files set an empty variable to mean "not set".
                Some(_) if value.trim().is_empty() => {}
                Some(row) => drop(layers.environment.insert(row.name, value)),
                None if OTHER_VARIABLES.contains(&variable.as_str()) => {}
                None => layers.unknown_variables.push(variable),
            }
        }
        Ok(layers)
    }

    /// The value of a setting with the highest precedence, or its default. `None` when it has neither.
    pub fn get(&self, name: &'static str) -> Option<SettingValue> {
        let given =
            |layer: &SettingsLayer, origin| layer.get(name).map(|value| SettingValue { value: value.clone(), origin });
        given(&self.flags, SettingOrigin::Flag)
            .or_else(|| given(&self.environment, SettingOrigin::Environment))
            .or_else(|| given(&self.file, SettingOrigin::File))
            .or_else(|| {
                let value = definitions::definition(name)?.default?.to_owned();
                Some(SettingValue { value, origin: SettingOrigin::Default })
            })
    }
}

/// The variable with the passphrase of the secret key in a backup.
pub const PASSPHRASE_VARIABLE: &str = "HELPBOT_BACKUP_PASSPHRASE";

/// Variables that other parts of the project read: commands, the build and the tests.
const OTHER_VARIABLES: [&str; 5] =
    [PASSPHRASE_VARIABLE, "HELPBOT_CONFIG", "HELPBOT_NPM", "HELPBOT_SKIP_WEB", "HELPBOT_TEST_POSTGRES"];

fn from_toml(path: &Path, text: &str) -> Result<SettingsLayer, FileError> {
    let bad = |reason: String| FileError::Bad { path: path.to_owned(), reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    let mut layer = SettingsLayer::new();
    for (key, value) in table {
        let row = definitions::definition(&key).ok_or_else(|| {
            let names: Vec<&str> = SETTINGS.iter().map(|row| row.name).collect();
            bad(format!("{key:?} is not a setting; the settings are {}", names.join(", ")))
        })?;
        let text =
            text_of(&value).ok_or_else(|| bad(format!("{key} must be a string, a number or a list of strings")))?;
        layer.insert(row.name, text);
    }
    Ok(layer)
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(entries) => {
            let texts: Option<Vec<&str>> = entries.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}
