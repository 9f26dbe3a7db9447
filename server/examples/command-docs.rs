//! Writes the manual pages and the completions of the command line into a directory, for packages:
//! `cargo run -p helpbot-server --example command-docs -- target/command-docs`. It is an example and not a command, so that the
//! program does not contain the crates that it needs.

use std::path::PathBuf;
use std::{env, fs, io};

use clap_complete::Shell;

fn main() -> io::Result<()> {
    let directory = env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("usage: command-docs DIRECTORY"))?;
    let (man, completions) = (directory.join("man"), directory.join("completions"));
    for folder in [&man, &completions] {
        fs::create_dir_all(folder)?;
    }
    // One page for the program and one for each command, such as helpbot-serve(1).
    clap_mangen::generate_to(helpbot_server::cli::command(), &man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut helpbot_server::cli::command(), "helpbot", &completions)?;
    }
    Ok(())
}
