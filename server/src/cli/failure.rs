//! How a command fails: one message on stderr and an exit code. Every command returns a
//! [`CommandFailure`], and `cli::main` reports it.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::StartError;
use crate::settings::SettingProblem;

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

/// Why a command failed, and its exit code.
#[derive(Debug)]
pub(super) struct CommandFailure {
    message: String,
    code: u8,
}

impl CommandFailure {
    /// The command was called correctly and failed (exit code 1).
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: FAILED }
    }

    /// The command was called with wrong arguments (exit code 2).
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: WRONG_USAGE }
    }

    /// Settings that are not valid (exit code 2).
    pub(super) fn settings(problems: &[SettingProblem]) -> Self {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::usage(format!("invalid setting: {}", lines.join("\n         invalid setting: ")))
    }

    /// The command has already printed what failed; only the exit code is missing.
    pub(super) fn silent() -> Self {
        Self::failed("")
    }

    /// Prints the message and returns the exit code.
    pub(super) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            let _ = writeln!(io::stderr(), "helpbot: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl From<StartError> for CommandFailure {
    fn from(error: StartError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<helpbot_services::backups::BackupError> for CommandFailure {
    fn from(error: helpbot_services::backups::BackupError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<helpbot_services::Error> for CommandFailure {
    fn from(error: helpbot_services::Error) -> Self {
        use helpbot_services::Error;
        match error {
            Error::Unavailable { cause, .. } => Self::failed(format!("the database is unavailable: {cause}")),
            // The operator may see the cause, which API clients may not.
            internal @ Error::Internal(_) => Self::failed(format!("internal error: {}", internal.detail())),
            Error::Invalid(invalid) => Self::usage(invalid.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}
