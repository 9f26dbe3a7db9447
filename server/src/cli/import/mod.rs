//! `helpbot import legacy`: imports an account of another HelpBot service into a site of this installation,
//! through the REST API of that service.
//!
//! An import may be repeated: items that are already here stay unchanged. The progress of conversations is
//! saved in the data directory, so that an interrupted import continues where it stopped. The report lists
//! what the API does not return: files, secrets and messages after a handoff.

mod account;
mod legacy;
mod progress;
mod report;

use clap::{Args, Subcommand};
use helpbot_domain::ids::SiteId;
use url::Url;

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use account::AccountImport;
use legacy::LegacyClient;
use progress::ImportProgress;
use report::ImportReport;

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Import the configuration, sources, webhooks and conversations of an account through its REST API. The
    /// command may be repeated and continues an interrupted import.
    Legacy(LegacyArgs),
}

#[derive(Debug, Args)]
pub(super) struct LegacyArgs {
    /// Address of the service, for example https://helpbot.example.
    #[arg(long, value_name = "URL")]
    url: Url,
    /// API key of the account. It must be allowed to read everything.
    #[arg(long, value_name = "KEY", env = "HELPBOT_LEGACY_KEY", hide_env_values = true)]
    key: String,
    /// ID of the site to import into. May be left out when there is only one site.
    #[arg(long)]
    site: Option<SiteId>,
    /// Read all conversations again, including those that an earlier import has processed.
    #[arg(long)]
    from_start: bool,
}

pub(super) async fn run(context: &CommandContext, command: ImportCommand) -> Result<(), CommandFailure> {
    let ImportCommand::Legacy(args) = command;
    let installation = context.open().await?;
    let site = context::site(&installation, args.site).await?;
    let legacy = LegacyClient::new(installation.client_of(&args.url)?, &args.url, &args.key)?;
    let mut progress = ImportProgress::load(&installation.settings.data, site.id, legacy.base())?;
    if args.from_start {
        progress.restart();
    }
    let account = AccountImport { services: &installation.services, operator: installation.operator(), site };
    let mut report = ImportReport::default();
    account.configuration(&legacy, &mut report).await?;
    account.sources(&legacy, &mut report).await?;
    account.webhooks(&legacy, &mut report).await?;
    account.conversations(&legacy, &mut progress, &mut report).await?;
    report.print(context.is_json, &args.url, account.site.id)
}
