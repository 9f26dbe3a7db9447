//! Where settings come from, and which one wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::table::{self, TABLE};

/// Where a value was set, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere.
    Default,
    /// In `helpbot.toml`.
    File,
    /// In the environment.
    Environment,
    /// On the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Default => "default",
            Origin::File => "helpbot.toml",
            Origin::Environment => "environment",
            Origin::Flag => "command line",
        })
    }
}

/// A value as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// As written; lists with commas.
    pub value: String,
    /// Where.
    pub origin: Origin,
}

/// The settings of one place, by name.
pub type Layer = BTreeMap<&'static str, String>;

/// A settings file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not TOML, or has what is no setting.
    #[error("{}: {reason}", path.display())]
    Bad {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line where TOML knows it.
        reason: String,
    },
}

/// All places, and what was found there but is no setting.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    file: Layer,
    environment: Layer,
    flags: Layer,
    /// `HELPBOT_*` variables that mean nothing: mistyped, most likely.
    pub unknown_variables: Vec<String>,
}

impl Layers {
    /// The layers of a process: `file` is its settings file's text with its path, if any.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn new(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Layer,
    ) -> Result<Self, FileError> {
        let file = file.map(|(path, text)| from_toml(path, text)).transpose()?.unwrap_or_default();
        let mut layers = Self { file, flags, ..Self::default() };
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix("HELPBOT_") else { continue };
            match table::row_of(&name.to_ascii_lowercase()) {
                // An empty variable is how shells and compose files say "not set".
                Some(_) if value.trim().is_empty() => {}
                Some(row) => drop(layers.environment.insert(row.name, value)),
                None if OUTSIDE.contains(&variable.as_str()) => {}
                None => layers.unknown_variables.push(variable),
            }
        }
        Ok(layers)
    }

    /// The winning text of a setting; its default when nobody set it.
    pub fn get(&self, name: &'static str) -> Option<Given> {
        let given = |layer: &Layer, origin| layer.get(name).map(|value| Given { value: value.clone(), origin });
        given(&self.flags, Origin::Flag)
            .or_else(|| given(&self.environment, Origin::Environment))
            .or_else(|| given(&self.file, Origin::File))
            .or_else(|| {
                let value = table::row_of(name)?.default?.to_owned();
                Some(Given { value, origin: Origin::Default })
            })
    }
}

/// Variables that other programs of the project read: the build and the tests.
const OUTSIDE: [&str; 4] = ["HELPBOT_CONFIG", "HELPBOT_NPM", "HELPBOT_SKIP_WEB", "HELPBOT_TEST_POSTGRES"];

fn from_toml(path: &Path, text: &str) -> Result<Layer, FileError> {
    let bad = |reason: String| FileError::Bad { path: path.to_owned(), reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    let mut layer = Layer::new();
    for (key, value) in table {
        let row = table::row_of(&key).ok_or_else(|| {
            let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            bad(format!("{key:?} is no setting; there are {}", names.join(", ")))
        })?;
        let text = text_of(&value).ok_or_else(|| bad(format!("{key} must be a text, a number or a list of texts")))?;
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
