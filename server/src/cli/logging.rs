//! Log lines on stderr: text for people, JSON for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use super::failure::Failure;
use crate::settings::{LogFormat, Settings};

/// Begins to log. A second call, by a test, changes nothing.
///
/// # Errors
/// A filter that is none.
pub(super) fn start(settings: &Settings, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("bad setting: log: {filter:?} is no filter ({error})")))?;
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
