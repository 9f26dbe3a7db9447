//! The report of an import: what was imported, and what was not and why.

use helpbot_domain::ids::SiteId;
use serde::Serialize;
use serde_json::json;
use url::Url;

use super::super::failure::CommandFailure;
use super::super::output;

/// The counts of one import, and the items that were not imported.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportReport {
    /// Names of the imported fields of the configuration.
    pub configuration: Vec<&'static str>,
    pub sources: MoveCount,
    pub webhooks: MoveCount,
    pub conversations: MoveCount,
    /// New secrets of webhooks, since the API does not return the old ones.
    pub secrets: Vec<NewSecret>,
    pub not_moved: Vec<NotMoved>,
}

/// How many items were imported, and how many were already here.
#[derive(Default, Clone, Copy, Serialize)]
pub(super) struct MoveCount {
    pub new: usize,
    pub known: usize,
}

/// The new secret of an imported webhook.
#[derive(Serialize)]
pub(super) struct NewSecret {
    pub url: String,
    pub secret: String,
}

/// An item that was not imported.
#[derive(Serialize)]
pub(super) struct NotMoved {
    pub what: String,
    pub why: String,
}

impl ImportReport {
    /// Records that an item was not imported.
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_moved.push(NotMoved { what: what.into(), why: why.into() });
    }

    /// Prints the report.
    pub(super) fn print(&self, is_json: bool, from: &Url, site: SiteId) -> Result<(), CommandFailure> {
        if is_json {
            return output::json(&json!({ "from": from, "site": site, "moved": self }));
        }
        let count =
            |name: &str, MoveCount { new, known }: MoveCount| format!("{name:<15} {new} new, {known} already here\n");
        let mut text = format!("From {from} to {site}\n\nconfiguration   {} fields\n", self.configuration.len());
        text += &count("sources", self.sources);
        text += &count("webhooks", self.webhooks);
        text += &count("conversations", self.conversations);
        for NewSecret { url, secret } in &self.secrets {
            text += &format!("\nNew secret of the webhook to {url}. It is not shown again:\n  {secret}\n");
        }
        if !self.not_moved.is_empty() {
            text += "\nNot imported:\n";
        }
        for NotMoved { what, why } in &self.not_moved {
            text += &format!("  {what}: {why}\n");
        }
        output::text(&text)
    }
}
