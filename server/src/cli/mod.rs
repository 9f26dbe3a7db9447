//! The command line. `main` parses the arguments and runs one command; `helpbot` without a command is
//! `helpbot serve`.
//!
//! Every command works on the same database as a running server and acts as the operator, because anyone who
//! can read the database has all rights. Commands print results to stdout (one JSON document with `--json`)
//! and write logs and progress to stderr. The exit code is 0 on success, 1 on failure and 2 for wrong usage.
//! Commands parse, call a use case and print; they contain no rules and no SQL.

mod arguments;
mod ask;
mod backups;
mod context;
mod doctor;
mod entries;
mod evaluate;
mod extract;
mod failure;
mod import;
mod keys;
mod logging;
mod mails;
mod output;
mod progress;
mod serve;
mod sites;
mod sources;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use helpbot_ingest::pdf;

use arguments::{GlobalArgs, ServeArgs};
use context::CommandContext;
use failure::CommandFailure;

/// Answers the questions of a web site's visitors from its FAQ pages.
#[derive(Debug, Parser)]
#[command(name = "helpbot", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "Settings are read from helpbot.toml, HELPBOT_* environment variables and flags; later ones take \
     precedence. `helpbot doctor` lists all settings with their values and reports problems.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server. This is the default command.
    Serve(ServeArgs),
    /// Create, list, update and delete sites.
    #[command(subcommand)]
    Site(sites::SiteCommand),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// List mail that waits to be sent.
    #[command(subcommand)]
    Mail(mails::MailCommand),
    /// Add, list, sync, cancel and delete the sources of answers.
    #[command(subcommand)]
    Source(sources::SourceCommand),
    /// Import and export FAQ entries.
    #[command(subcommand)]
    Entries(entries::EntryCommand),
    /// Ask a question as a visitor would.
    Ask(ask::AskArgs),
    /// Run a site's test questions, or measure answering on a labeled data set.
    Eval(evaluate::EvalArgs),
    /// Show the questions and answers that are extracted from a file.
    Extract(extract::ExtractArgs),
    /// Import an account from another HelpBot service.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Print the GraphQL schema.
    Schema(SchemaArgs),
    /// Print the OpenAPI document of the REST API.
    Openapi,
    /// Show the effective settings and report problems of the installation.
    Doctor,
    /// Apply the pending database migrations.
    Migrate,
    /// Write a backup of the installation to a file. The server may go on running.
    Backup(backups::BackupArgs),
    /// Restore a backup into an empty database.
    Restore(backups::RestoreArgs),
    /// Move the installation to another database. The server must be stopped.
    Move(backups::MoveArgs),
}

#[derive(Debug, clap::Args)]
struct SchemaArgs {
    /// Print the definition of a subgraph of Apollo Federation 2.
    #[arg(long)]
    federation: bool,
}

/// Runs the program. The first argument is the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == pdf::CHILD_ARGUMENT) {
        let rest: Vec<String> = arguments[2..].iter().map(|text| text.to_string_lossy().into_owned()).collect();
        return pdf::serve(&rest);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Clap's own codes are 0 for help and version, and 2 for arguments that it does not accept.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The definition of the command line, from which manual pages and completions are made.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

fn run(cli: Cli) -> Result<(), CommandFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandFailure::failed(format!("cannot start the async runtime: {error}")))?;
    let ended = runtime.block_on(dispatch(cli));
    // Blocking work that nobody waits for must not keep the process alive.
    runtime.shutdown_background();
    ended
}

async fn dispatch(cli: Cli) -> Result<(), CommandFailure> {
    let Cli { global, serve, command } = cli;
    let context = |global: &GlobalArgs| CommandContext::new(global, &ServeArgs::default());
    match command {
        None => serve::run(&CommandContext::new(&global, &serve)?).await,
        Some(Command::Serve(args)) => serve::run(&CommandContext::new(&global, &args.or(serve))?).await,
        Some(Command::Site(command)) => sites::run(&context(&global)?, command).await,
        Some(Command::Key(command)) => keys::run(&context(&global)?, command).await,
        Some(Command::Mail(command)) => mails::run(&context(&global)?, command).await,
        Some(Command::Source(command)) => sources::run(&context(&global)?, command).await,
        Some(Command::Entries(command)) => entries::run(&context(&global)?, command).await,
        Some(Command::Ask(args)) => ask::run(&context(&global)?, args).await,
        Some(Command::Eval(args)) => match args.labeled_set() {
            Some((corpus, run)) => evaluate::measure(&context(&global)?, corpus, run).await,
            None => evaluate::test(&context(&global)?, &args).await,
        },
        Some(Command::Extract(args)) => extract::run(global.json, &args),
        Some(Command::Import(command)) => import::run(&context(&global)?, command).await,
        Some(Command::Schema(SchemaArgs { federation: false })) => output::text(&helpbot_api::schema::sdl()),
        Some(Command::Schema(SchemaArgs { federation: true })) => output::text(&helpbot_api::schema::federated_sdl()),
        Some(Command::Openapi) => output::text(&format!("{}\n", helpbot_rest_compat::openapi_json().trim_end())),
        Some(Command::Doctor) => doctor::run(&context(&global)?).await,
        Some(Command::Migrate) => doctor::migrate(&context(&global)?).await,
        Some(Command::Backup(args)) => backups::backup(&context(&global)?, &args).await,
        Some(Command::Restore(args)) => backups::restore(&context(&global)?, &args).await,
        Some(Command::Move(backups::MoveArgs { to })) => {
            let target = GlobalArgs { database: Some(to), ..global.clone() };
            backups::move_to(&context(&global)?, &context(&target)?).await
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
