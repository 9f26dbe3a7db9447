//! The `helpbot` program. What it does stands in the library, so that tests can do it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    helpbot_server::cli::main(std::env::args_os())
}
