//! `helpbot import legacy`: moves an account from a HelpBot service or server to a site of this
//! installation, through the REST API that both have.
//!
//! Each step may be repeated: what is here already stays as it is. How far the conversations have
//! come is kept beside the database, so that an import that broke off goes on where it was. What
//! the API does not show (files, secrets, messages after a handoff) is told in the report.

mod account;
mod legacy;
mod progress;
mod report;

use clap::{Args, Subcommand};
use helpbot_domain::ids::SiteId;
use url::Url;

use super::context::{self, Context};
use super::failure::Failure;
use account::Account;
use legacy::Legacy;
use progress::Progress;
use report::Report;

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Move an account from a HelpBot service or server: configuration, sources, webhooks and all
    /// conversations. May be repeated; goes on where it broke off
    Legacy(LegacyArgs),
}

#[derive(Debug, Args)]
pub(super) struct LegacyArgs {
    /// Address of the service, for example https://helpbot.example
    #[arg(long, value_name = "URL")]
    url: Url,
    /// A key of the account that may read everything
    #[arg(long, value_name = "KEY", env = "HELPBOT_LEGACY_KEY", hide_env_values = true)]
    key: String,
    /// The site to move it to [default: the only one]
    #[arg(long)]
    site: Option<SiteId>,
    /// Look at all conversations again, also those that an earlier import has passed
    #[arg(long)]
    from_start: bool,
}

pub(super) async fn run(context: &Context, command: ImportCommand) -> Result<(), Failure> {
    let ImportCommand::Legacy(args) = command;
    let installation = context.open().await?;
    let site = context::site(&installation, args.site).await?;
    let legacy = Legacy::new(installation.client_of(&args.url)?, &args.url, &args.key)?;
    let mut progress = Progress::load(&installation.settings.data, site.id, legacy.base())?;
    if args.from_start {
        progress.restart();
    }
    let account = Account { services: &installation.services, operator: installation.operator(), site };
    let mut report = Report::default();
    account.configuration(&legacy, &mut report).await?;
    account.sources(&legacy, &mut report).await?;
    account.webhooks(&legacy, &mut report).await?;
    account.conversations(&legacy, &mut progress, &mut report).await?;
    report.print(context.is_json, &args.url, account.site.id)
}
