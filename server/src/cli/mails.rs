//! `helpbot mail`: lists the mail that waits to be sent.

use clap::Subcommand;
use helpbot_services::runtime::mail::{self, QueuedMail};
use serde_json::{Value, json};

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// List up to 100 mails of all sites that wait for the mail server, oldest first.
    List,
}

pub(super) async fn run(context: &CommandContext, command: MailCommand) -> Result<(), CommandFailure> {
    let installation = context.open().await?;
    match command {
        MailCommand::List => {
            let found = mail::waiting_of_all(&installation.services, &installation.operator()).await?;
            if context.is_json {
                return output::json(&json!({ "mails": found.iter().map(shown).collect::<Vec<_>>() }));
            }
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            output::table(&["SITE", "KIND", "CREATED", "NEXT ATTEMPT", "ATTEMPTS", "LAST ERROR"], &rows)
        }
    }
}

fn row(mail: &QueuedMail) -> Vec<String> {
    vec![
        mail.site_id.to_string(),
        mail.kind.clone(),
        mail.created_at.to_string(),
        mail.due_at.to_string(),
        mail.attempts.to_string(),
        mail.last_error.clone().unwrap_or_default(),
    ]
}

fn shown(mail: &QueuedMail) -> Value {
    json!({
        "site": mail.site_id,
        "kind": mail.kind,
        "createdAt": mail.created_at,
        "nextAttemptAt": mail.due_at,
        "attempts": mail.attempts,
        "lastError": mail.last_error,
    })
}
