//! How a command fails: one sentence on stderr, and a code.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::StartError;
use crate::settings::Problem;

const FAILED: u8 = 1;
const CALLED_WRONGLY: u8 = 2;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// It was asked rightly and did not work.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: FAILED }
    }

    /// It was asked wrongly.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: CALLED_WRONGLY }
    }

    /// Settings that cannot be used.
    pub(super) fn settings(problems: &[Problem]) -> Self {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::usage(format!("bad setting: {}", lines.join("\n       bad setting: ")))
    }

    /// Everything was told already; only the code is left.
    pub(super) fn silent() -> Self {
        Self::failed("")
    }

    /// Tells it, and gives the code.
    pub(super) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            let _ = writeln!(io::stderr(), "helpbot: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<helpbot_services::Error> for Failure {
    fn from(error: helpbot_services::Error) -> Self {
        use helpbot_services::Error;
        match error {
            Error::Unavailable { cause, .. } => Self::failed(format!("the database is unavailable: {cause}")),
            // Who runs the program may know what its visitors may not.
            Error::Internal(cause) => Self::failed(format!("internal error: {}", chain(&*cause))),
            Error::Invalid(invalid) => Self::usage(invalid.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
