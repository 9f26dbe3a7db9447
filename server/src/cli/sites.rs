//! `helpbot site`: creates, lists, updates and deletes sites.

use clap::Subcommand;
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::plan::{Plan, UNLIMITED_CREDITS};
use helpbot_domain::site::Site;
use helpbot_services::accounts::site_deletion;
use helpbot_services::accounts::sites::{self, NewSite, SitePatch};
use helpbot_services::accounts::usage;
use helpbot_services::batch_jobs;
use serde_json::{Value, json};

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::output;
use crate::Installation;

/// Number of sites that are read from the database at a time.
const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Create a site.
    Create {
        /// Name of the site.
        #[arg(long)]
        name: String,
        /// E-mail address of the site's owner, who receives mail about handoffs.
        #[arg(long, value_name = "EMAIL")]
        owner_email: String,
        /// Plan of the site: starter, growth or scale. Defaults to scale.
        #[arg(long)]
        plan: Option<Plan>,
        /// Credits (questions) per calendar month. Defaults to no limit.
        #[arg(long, value_name = "N")]
        credits: Option<i64>,
    },
    /// List all sites.
    List,
    /// Change the name or the owner of a site.
    Update {
        /// ID of the site.
        site: SiteId,
        /// Name of the site.
        #[arg(long)]
        name: Option<String>,
        /// E-mail address of the site's owner, who receives mail about handoffs.
        #[arg(long, value_name = "EMAIL")]
        owner_email: Option<String>,
    },
    /// Change the plan of a site.
    SetPlan {
        /// ID of the site.
        site: SiteId,
        /// The new plan: starter, growth or scale.
        plan: Plan,
        /// New number of credits (questions) per calendar month. Defaults to the current number.
        #[arg(long, value_name = "N")]
        credits: Option<i64>,
    },
    /// Delete a site with all its sources, keys, conversations and webhooks.
    Delete {
        /// ID of the site.
        site: SiteId,
        /// Confirm the deletion.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(context: &CommandContext, command: SiteCommand) -> Result<(), CommandFailure> {
    if let SiteCommand::Delete { site, yes: false } = &command {
        return Err(CommandFailure::usage(format!(
            "this deletes {site} with its sources, conversations and keys permanently; add --yes to confirm"
        )));
    }
    let installation = context.open().await?;
    let (services, operator) = (&installation.services, installation.operator());
    let changed = match command {
        SiteCommand::List => return list(context, &installation).await,
        SiteCommand::Create { name, owner_email, plan, credits } => {
            let new = NewSite { name, owner_email, plan, credit_limit: credits };
            sites::create(services, &operator, new).await?
        }
        SiteCommand::Update { site, name, owner_email } => {
            let patch = SitePatch { name, owner_email, ..SitePatch::default() };
            sites::update(services, &operator, site, patch).await?
        }
        SiteCommand::SetPlan { site, plan, credits } => {
            let patch = SitePatch { plan: Some(plan), credit_limit: credits, ..SitePatch::default() };
            sites::update(services, &operator, site, patch).await?
        }
        SiteCommand::Delete { site, .. } => {
            site_deletion::delete(services, &operator, site).await?;
            // A running server may be faster and do this instead.
            batch_jobs::work_off(services, installation.lease_owner()).await;
            return match context.is_json {
                true => output::json(&json!({ "deleted": site })),
                false => output::text(&format!("Deleted {site}\n")),
            };
        }
    };
    match context.is_json {
        true => output::json(&shown(&changed)),
        false => output::text(&format!("{}  {}  {}\n", changed.id, changed.plan, changed.name)),
    }
}

async fn list(context: &CommandContext, installation: &Installation) -> Result<(), CommandFailure> {
    let (services, operator) = (&installation.services, installation.operator());
    let mut all: Vec<Site> = Vec::new();
    loop {
        let page = sites::list(services, &operator, PageRequest::after(all.last().map(|site| site.id), PAGE)).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if is_last {
            break;
        }
    }
    if context.is_json {
        return output::json(&json!({ "sites": all.iter().map(shown).collect::<Vec<_>>() }));
    }
    let mut rows = Vec::with_capacity(all.len());
    for site in &all {
        let used = usage::credits(services, site).await?.used;
        let limit = match site.credit_limit {
            UNLIMITED_CREDITS => "no limit".to_owned(),
            limit => limit.to_string(),
        };
        rows.push(vec![
            site.id.to_string(),
            site.plan.to_string(),
            format!("{used} of {limit}"),
            site.owner_email.clone(),
            site.name.clone(),
        ]);
    }
    output::table(&["SITE", "PLAN", "CREDITS", "OWNER", "NAME"], &rows)
}

fn shown(site: &Site) -> Value {
    json!({
        "id": site.id,
        "name": site.name,
        "ownerEmail": site.owner_email,
        "plan": site.plan,
        "creditLimit": site.credit_limit,
        "createdAt": site.created_at,
        "updatedAt": site.updated_at,
    })
}
