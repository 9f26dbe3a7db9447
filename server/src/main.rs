//! The `helpbot` program. Its code is in the library, so that tests can call it too.

use std::process::ExitCode;

/// A request makes a few hundred small allocations on several threads, which mimalloc handles faster than the
/// system's allocator (docs/decisions/0011).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    helpbot_server::cli::main(std::env::args_os())
}
