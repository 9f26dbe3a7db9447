//! `helpbot mail …`

use clap::Subcommand;
use helpbot_services::runtime::mail::{self, Waiting};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// List the mails of all sites that wait for the mail server, the oldest first, 100 at most
    List,
}

pub(super) async fn run(context: &Context, command: MailCommand) -> Result<(), Failure> {
    let installation = context.open().await?;
    match command {
        MailCommand::List => {
            let found = mail::waiting_of_all(&installation.services, &installation.operator()).await?;
            if context.is_json {
                return output::json(&json!({ "mails": found.iter().map(shown).collect::<Vec<_>>() }));
            }
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            output::table(&["SITE", "KIND", "SINCE", "NEXT", "TRIES", "LAST ERROR"], &rows)
        }
    }
}

fn row(mail: &Waiting) -> Vec<String> {
    vec![
        mail.site_id.to_string(),
        mail.kind.clone(),
        mail.created_at.to_string(),
        mail.due_at.to_string(),
        mail.attempts.to_string(),
        mail.last_error.clone().unwrap_or_default(),
    ]
}

fn shown(mail: &Waiting) -> Value {
    json!({
        "site": mail.site_id,
        "kind": mail.kind,
        "createdAt": mail.created_at,
        "nextAttemptAt": mail.due_at,
        "attempts": mail.attempts,
        "lastError": mail.last_error,
    })
}
