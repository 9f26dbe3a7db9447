//! `helpbot site …`

use clap::Subcommand;
use helpbot_domain::ids::SiteId;
use helpbot_domain::plan::{Plan, UNLIMITED_CREDITS};
use helpbot_services::accounts::sites::{self, NewSite, SitePatch};
use helpbot_services::accounts::usage;
use helpbot_services::{Part, Site};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::output;
use crate::Installation;

/// Sites read at a time.
const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Make a site
    Create {
        /// As its owner calls it
        #[arg(long)]
        name: String,
        /// Who is told about handoffs
        #[arg(long, value_name = "EMAIL")]
        owner_email: String,
        /// starter, growth or scale [default: scale]
        #[arg(long)]
        plan: Option<Plan>,
        /// Questions a month [default: no limit]
        #[arg(long, value_name = "N")]
        credits: Option<i64>,
    },
    /// List all sites
    List,
    /// Change a site's name or owner
    Update {
        /// The site
        site: SiteId,
        /// As its owner calls it
        #[arg(long)]
        name: Option<String>,
        /// Who is told about handoffs
        #[arg(long, value_name = "EMAIL")]
        owner_email: Option<String>,
    },
    /// Change what a site may use
    SetPlan {
        /// The site
        site: SiteId,
        /// starter, growth or scale
        plan: Plan,
        /// Questions a month
        #[arg(long, value_name = "N")]
        credits: Option<i64>,
    },
    /// Delete a site with all that belongs to it
    Delete {
        /// The site
        site: SiteId,
        /// Do not ask back
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(context: &Context, command: SiteCommand) -> Result<(), Failure> {
    if let SiteCommand::Delete { site, yes: false } = &command {
        return Err(Failure::usage(format!(
            "this deletes {site} with its sources, conversations and keys for good; add --yes to do it"
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
            sites::delete(services, &operator, site).await?;
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

async fn list(context: &Context, installation: &Installation) -> Result<(), Failure> {
    let (services, operator) = (&installation.services, installation.operator());
    let mut all: Vec<Site> = Vec::new();
    loop {
        let page = sites::list(services, &operator, Part::after(all.last().map(|site| site.id), PAGE)).await?;
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
