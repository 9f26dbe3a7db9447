//! The `helpbot` program. What it does stands in the library, so that tests can do it too.

use std::process::ExitCode;

/// A request makes some hundred small allocations, on all threads: an allocator made for that
/// (docs/decisions/0008).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    helpbot_server::cli::main(std::env::args_os())
}
