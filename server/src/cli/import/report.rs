//! What an import did, and what it could not do.

use helpbot_domain::ids::SiteId;
use serde::Serialize;
use serde_json::json;
use url::Url;

use super::super::failure::Failure;
use super::super::output;

/// Counts and remarks of one import.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Fields of the configuration that were taken over.
    pub configuration: Vec<&'static str>,
    pub sources: Count,
    pub webhooks: Count,
    pub conversations: Count,
    /// The new secrets: the old ones are not shown by the API.
    pub secrets: Vec<Secret>,
    pub not_moved: Vec<NotMoved>,
}

/// How many were brought now, and how many were here before.
#[derive(Default, Clone, Copy, Serialize)]
pub(super) struct Count {
    pub new: usize,
    pub known: usize,
}

/// The secret of a webhook that was made.
#[derive(Serialize)]
pub(super) struct Secret {
    pub url: String,
    pub secret: String,
}

/// Something that is not here now.
#[derive(Serialize)]
pub(super) struct NotMoved {
    pub what: String,
    pub why: String,
}

impl Report {
    /// Notes that something was left behind.
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_moved.push(NotMoved { what: what.into(), why: why.into() });
    }

    /// Prints it.
    pub(super) fn print(&self, is_json: bool, from: &Url, site: SiteId) -> Result<(), Failure> {
        if is_json {
            return output::json(&json!({ "from": from, "site": site, "moved": self }));
        }
        let count = |name: &str, Count { new, known }: Count| format!("{name:<15} {new} new, {known} here before\n");
        let mut text = format!("From {from} to {site}\n\nconfiguration   {} fields\n", self.configuration.len());
        text += &count("sources", self.sources);
        text += &count("webhooks", self.webhooks);
        text += &count("conversations", self.conversations);
        for Secret { url, secret } in &self.secrets {
            text += &format!("\nNew secret, shown once, of the webhook to {url}:\n  {secret}\n");
        }
        if !self.not_moved.is_empty() {
            text += "\nNot moved:\n";
        }
        for NotMoved { what, why } in &self.not_moved {
            text += &format!("  {what}: {why}\n");
        }
        output::text(&text)
    }
}
