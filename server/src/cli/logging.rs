//! Starts logging to stderr, as text or as JSON lines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use super::failure::CommandFailure;
use crate::settings::{LogFormat, Settings};

/// Starts logging with a filter in the syntax of `EnvFilter`. A second call, as in tests, changes nothing.
///
/// # Errors
/// A filter that is not valid.
pub(super) fn start(settings: &Settings, filter: &str) -> Result<(), CommandFailure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        CommandFailure::usage(format!("invalid setting: log: {filter:?} is not a log filter ({error})"))
    })?;
    let is_json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = match is_json {
        true => lines.json().flatten_event(true).with_current_span(false).finish().try_init(),
        false => lines.with_ansi(io::stderr().is_terminal()).finish().try_init(),
    };
    Ok(())
}
