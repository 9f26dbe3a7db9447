//! The command line: `helpbot`, which is `helpbot serve`, and the commands beside it.
//!
//! Every command works on the same database as a running server and acts as the operator:
//! whoever can read the database may do anything. Results go to stdout (`--json`: one JSON
//! document), logs and progress to stderr. Exit codes: 0 done, 1 failed, 2 called wrongly.

mod ask;
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
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use helpbot_ingest::pdf;

use context::Context;
use failure::Failure;

/// Answers visitors' questions from a site's own pages.
#[derive(Debug, Parser)]
#[command(name = "helpbot", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    serve: serve::ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "Settings come from helpbot.toml, then HELPBOT_* variables, then flags; `helpbot doctor` shows \
     all of them, what is in force, and what is wrong with it.";

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Directory of the database file and the secret key [default: ./helpbot-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// sqlite:PATH or postgres://USER@HOST/NAME [default: helpbot.db in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Settings file [default: ./helpbot.toml where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "HELPBOT_CONFIG")]
    config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve; what happens without a command too
    Serve(serve::ServeArgs),
    /// Sites: create, list, change, delete
    #[command(subcommand)]
    Site(sites::SiteCommand),
    /// API keys: create, list, revoke
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Mail: list what waits for the mail server
    #[command(subcommand)]
    Mail(mails::MailCommand),
    /// Sources that answers come from: add, list, read again, cancel, delete
    #[command(subcommand)]
    Source(sources::SourceCommand),
    /// Entries, questions with their answers: import, export
    #[command(subcommand)]
    Entries(entries::EntryCommand),
    /// Ask a question as a visitor would
    Ask(ask::AskArgs),
    /// Run a site's test questions, or measure answering on a labelled set
    Eval(evaluate::EvalArgs),
    /// Show the questions and answers that are read from an HTML page
    Extract(extract::ExtractArgs),
    /// Bring an account here from elsewhere
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Print the GraphQL schema
    Schema,
    /// Print the OpenAPI document of the REST interface
    Openapi,
    /// Show the settings in force and what is wrong with the installation
    Doctor,
    /// Bring the database up to date
    Migrate,
}

/// Runs the program with these arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == pdf::CHILD_ARGUMENT) {
        let rest: Vec<String> = arguments[2..].iter().map(|text| text.to_string_lossy().into_owned()).collect();
        return pdf::serve(&rest);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Clap's own codes: 0 for help and version, 2 for what it does not understand.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(dispatch(cli));
    // Work that nobody waits for any more must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { global, serve, command } = cli;
    let context = |global: &Global| Context::new(global, &serve::ServeArgs::default());
    match command {
        None => serve::run(&Context::new(&global, &serve)?).await,
        Some(Command::Serve(args)) => serve::run(&Context::new(&global, &args.over(serve))?).await,
        Some(Command::Site(command)) => sites::run(&context(&global)?, command).await,
        Some(Command::Key(command)) => keys::run(&context(&global)?, command).await,
        Some(Command::Mail(command)) => mails::run(&context(&global)?, command).await,
        Some(Command::Source(command)) => sources::run(&context(&global)?, command).await,
        Some(Command::Entries(command)) => entries::run(&context(&global)?, command).await,
        Some(Command::Ask(args)) => ask::run(&context(&global)?, args).await,
        Some(Command::Eval(args)) => match args.labelled_set() {
            Some((corpus, run)) => evaluate::measure(&context(&global)?, corpus, run).await,
            None => evaluate::test(&context(&global)?, &args).await,
        },
        Some(Command::Extract(args)) => extract::run(global.json, &args),
        Some(Command::Import(command)) => import::run(&context(&global)?, command).await,
        Some(Command::Schema) => output::text(&helpbot_api::schema::sdl()),
        Some(Command::Openapi) => output::text(&format!("{}\n", helpbot_rest_compat::openapi_json().trim_end())),
        Some(Command::Doctor) => doctor::run(&context(&global)?).await,
        Some(Command::Migrate) => doctor::migrate(&context(&global)?).await,
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
