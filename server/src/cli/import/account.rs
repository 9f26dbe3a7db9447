//! The steps of an import. Each step fetches a part of the old account and stores it through the use cases;
//! `import::run` calls them in order. Rules for what may be stored are in `services`, not here.

use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Vote;
use helpbot_domain::event::EventType;
use helpbot_domain::plan::Feature;
use helpbot_domain::site::Site;
use helpbot_domain::widget::{WidgetConfig, WidgetPatch};
use helpbot_services::accounts::sites;
use helpbot_services::conversations::history::{self, PastConversation};
use helpbot_services::webhooks::{self, NewWebhook, WebhookPatch};
use helpbot_services::{Error, Services, Viewer, sources};
use serde_json::{Map, Value};

use super::super::failure::CommandFailure;
use super::super::output;
use super::legacy::{LegacyClient, PAGE, RequestError};
use super::progress::ImportProgress;
use super::report::{ImportReport, NewSecret};

const BRANDING: &str = "showBranding";

/// The import of an account into a site.
pub(super) struct AccountImport<'a> {
    pub services: &'a Services,
    pub operator: Viewer,
    pub site: Site,
}

impl AccountImport<'_> {
    /// Imports each field of the widget configuration that is valid here.
    pub(super) async fn configuration(
        &self,
        legacy: &LegacyClient,
        report: &mut ImportReport,
    ) -> Result<(), CommandFailure> {
        let Some(found) = part("configuration", legacy.get("config").await, report)? else { return Ok(()) };
        let mut good = Map::new();
        for name in WidgetConfig::FIELDS {
            match valid_field(name, &found[name]) {
                Ok(Some(value)) => drop(good.insert((*name).to_owned(), value)),
                Ok(None) => {}
                Err(why) => report.leave(format!("configuration field {name}"), why),
            }
        }
        let hides_name = good.get(BRANDING) == Some(&Value::Bool(false));
        if hides_name && sites::require_feature(&self.site, Feature::RemoveBranding).is_err() {
            good.remove(BRANDING);
            report.leave(format!("configuration field {BRANDING}"), "the plan of the site here does not allow it");
        }
        if good.is_empty() {
            return Ok(());
        }
        let patch = patch(&Value::Object(good.clone())).map_err(|error| CommandFailure::failed(error.to_string()))?;
        let updated = sites::update_widget(self.services, &self.operator, Some(self.site.id), patch).await?;
        report.configuration = updated.1;
        output::progress(&format!("configuration: {} fields", report.configuration.len()));
        Ok(())
    }

    /// Adds each web address as a source, which queues its sync.
    pub(super) async fn sources(&self, legacy: &LegacyClient, report: &mut ImportReport) -> Result<(), CommandFailure> {
        let Some(found) = part("sources", legacy.get("sources").await, report)? else { return Ok(()) };
        for source in list(&found, "sources") {
            let name = text(source, &["url", "name", "fileName"]).unwrap_or_else(|| "(without a name)".into());
            let is_address = name.starts_with("http://") || name.starts_with("https://");
            if !is_address || source["type"].as_str().is_some_and(|kind| kind != "url") {
                report.leave(format!("source {name}"), "the API does not return its content; add it again here");
                continue;
            }
            match sources::add_url(self.services, &self.operator, Some(self.site.id), &name).await {
                Ok((_, true)) => report.sources.new += 1,
                Ok((_, false)) => report.sources.known += 1,
                Err(error) => report.leave(format!("source {name}"), refusal(error)?),
            }
        }
        output::progress(&format!("sources: {} new, {} already here", report.sources.new, report.sources.known));
        Ok(())
    }

    /// Creates each webhook that does not exist here, with a new secret.
    pub(super) async fn webhooks(
        &self,
        legacy: &LegacyClient,
        report: &mut ImportReport,
    ) -> Result<(), CommandFailure> {
        let Some(found) = part("webhooks", legacy.get("webhooks").await, report)? else { return Ok(()) };
        let here = match webhooks::list(self.services, &self.operator, &self.site).await {
            Ok(here) => here,
            Err(error) => return refusal(error).map(|why| report.leave("webhooks", why)),
        };
        for webhook in list(&found, "webhooks") {
            let url = text(webhook, &["url"]).unwrap_or_default();
            let named = webhook["events"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let events: Vec<EventType> = named.filter_map(|name| name.parse().ok()).collect();
            if here.iter().any(|known| known.url == url && events.iter().all(|event| known.events.contains(event))) {
                report.webhooks.known += 1;
                continue;
            }
            let new = NewWebhook { url: url.clone(), events, description: text(webhook, &["description"]) };
            match webhooks::create(self.services, &self.operator, Some(self.site.id), new).await {
                Ok((made, secret)) => {
                    if webhook["enabled"] == Value::Bool(false) {
                        let off = WebhookPatch { is_enabled: Some(false), ..WebhookPatch::default() };
                        webhooks::update(self.services, &self.operator, Some(self.site.id), made.id, off).await?;
                    }
                    report.webhooks.new += 1;
                    report.leave(
                        format!("secret of the webhook to {url}"),
                        "the API does not return it; the webhook here has a new secret",
                    );
                    report.secrets.push(NewSecret { url, secret });
                }
                Err(error) => report.leave(format!("webhook to {url}"), refusal(error)?),
            }
        }
        output::progress(&format!("webhooks: {} new, {} already here", report.webhooks.new, report.webhooks.known));
        Ok(())
    }

    /// Imports all conversations page by page, oldest first.
    pub(super) async fn conversations(
        &self,
        legacy: &LegacyClient,
        progress: &mut ImportProgress,
        report: &mut ImportReport,
    ) -> Result<(), CommandFailure> {
        let mut handoffs = 0;
        loop {
            let page = progress.next_page();
            let path = format!("conversations?range=all&sort=createdAt&limit={PAGE}&page={page}");
            let Some(found) = part("conversations", legacy.get(&path).await, report)? else { return Ok(()) };
            let listed = list(&found, "conversations");
            let mut past = Vec::with_capacity(listed.len());
            for one in listed {
                match conversation(one) {
                    Some(read) => past.push(read),
                    None => {
                        let id = text(one, &["id", "_id"]).unwrap_or_else(|| format!("on page {page}"));
                        report.leave(format!("conversation {id}"), "it has no ID, question or date");
                    }
                }
            }
            handoffs += past.iter().filter(|one| one.is_handed_off).count();
            let brought = history::import(self.services, &self.operator, Some(self.site.id), past).await?;
            report.conversations.new += brought.new;
            report.conversations.known += brought.known;
            let is_last = (listed.len() as u64) < PAGE;
            let done = (page - 1) * PAGE + listed.len() as u64;
            output::progress(&format!("conversations: {done} of {}", found["totalDocs"]));
            if is_last {
                // More conversations may be added to the last page, so the next import reads it again.
                progress.reach(page)?;
                break;
            }
            progress.reach(page + 1)?;
        }
        if handoffs > 0 {
            let why = "the API does not return messages after a handoff; the handoffs were imported as resolved";
            report.leave(format!("messages of {handoffs} handoffs"), why);
        }
        Ok(())
    }
}

/// A part of the account. `None` when the plan or the key does not allow access; the report then says so.
fn part(
    name: &str,
    answer: Result<Value, RequestError>,
    report: &mut ImportReport,
) -> Result<Option<Value>, CommandFailure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(RequestError::NotAllowed(why)) => {
            report.leave(name, format!("the service does not allow this key to read it: {why}"));
            Ok(None)
        }
        Err(RequestError::Failed(failure)) => Err(failure),
    }
}

/// Why a use case refused an item. A failure of the database or of HelpBot ends the import.
fn refusal(error: Error) -> Result<String, CommandFailure> {
    match error {
        Error::Unavailable { .. } | Error::Internal(_) => Err(error.into()),
        refused => Ok(refused.to_string()),
    }
}

/// The value of a field. `None` when it is absent; an error when it is not valid here.
fn valid_field(name: &str, value: &Value) -> Result<Option<Value>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let one = Value::Object([(name.to_owned(), value.clone())].into_iter().collect());
    let patch = patch(&one).map_err(|_| "its value has the wrong type".to_owned())?;
    match WidgetConfig::default().patched(patch) {
        Ok(_) => Ok(Some(value.clone())),
        Err(invalid) => Err(invalid.message),
    }
}

/// The fields of `values` as a change of the widget configuration.
fn patch(values: &Value) -> serde_json::Result<WidgetPatch> {
    let config: WidgetConfig = serde_json::from_value(values.clone())?;
    Ok(WidgetPatch::of(config, |name| values.get(name).is_some()))
}

fn list<'v>(found: &'v Value, name: &str) -> &'v [Value] {
    found[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The first of these fields that contains a non-empty string.
fn text(value: &Value, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| value[name].as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

/// Parses a conversation. The reference page of the API does not document the fields of a conversation, so
/// the spellings of its webhook payloads and of common back ends are accepted too. `None` when a required
/// field is missing.
fn conversation(one: &Value) -> Option<PastConversation> {
    let time = |names: &[&str]| text(one, names).and_then(|text| Timestamp::from_rfc3339(&text));
    let is = |names: &[&str]| names.iter().any(|name| one[name] == Value::Bool(true));
    let created_at = time(&["createdAt", "created_at"])?;
    let vote = match &one["helpful"] {
        Value::String(vote) if vote.eq_ignore_ascii_case("yes") => Some(Vote::Yes),
        Value::String(vote) if vote.eq_ignore_ascii_case("no") => Some(Vote::No),
        Value::Bool(is_helpful) => Some(Vote::from_bool(*is_helpful)),
        _ => None,
    };
    let source =
        |source: &Value| source.as_str().map(str::to_owned).or_else(|| text(source, &["url", "title", "name"]));
    Some(PastConversation {
        id: text(one, &["id", "_id", "conversationId"])?,
        session_id: text(one, &["sessionId", "session_id"]),
        question: text(one, &["question"])?,
        answer: text(one, &["answer"]).unwrap_or_default(),
        sources: list(one, "sources").iter().filter_map(source).collect(),
        vote,
        is_unanswered: is(&["unanswered", "isUnanswered"]),
        is_handed_off: is(&["handoff", "isHandoff", "handedOff"]),
        customer_email: text(one, &["customerEmail"]),
        language: text(one, &["language"]),
        created_at,
        updated_at: time(&["updatedAt", "updated_at"]).unwrap_or(created_at),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_is_parsed_in_its_common_spellings() {
        let ours = conversation(&json!({
            "id": "conv_1", "sessionId": "s", "question": "q", "answer": "a", "sources": ["https://example.com/"],
            "helpful": "no", "unanswered": true, "handoff": true, "customerEmail": "v@example.com", "language": "en",
            "createdAt": "2026-01-02T03:04:05.678Z", "updatedAt": "2026-01-03T00:00:00.000Z"
        }));
        let other = conversation(&json!({
            "_id": "65f1", "question": "q", "sources": [{"url": "https://example.com/", "title": "Start"}, 7],
            "helpful": true, "createdAt": "2026-01-02T03:04:05Z"
        }));

        let ours = ours.expect("it is complete");
        assert_eq!((ours.vote, ours.is_unanswered, ours.is_handed_off), (Some(Vote::No), true, true));
        let other = other.expect("it has the required fields");
        assert_eq!((other.vote, other.sources.len(), other.updated_at), (Some(Vote::Yes), 1, other.created_at));
        assert_eq!(conversation(&json!({"id": "conv_1", "question": "q"})), None, "without a date");
    }

    #[test]
    fn a_field_that_is_not_valid_here_is_skipped_with_a_reason() {
        assert_eq!(valid_field("botName", &json!("Ada")), Ok(Some(json!("Ada"))));
        assert_eq!(valid_field("greeting", &Value::Null), Ok(None));
        assert_eq!(valid_field("showBranding", &json!("no")), Err("its value has the wrong type".into()));
        assert!(valid_field("primaryColor", &json!("var(--x)")).is_err_and(|why| why.contains("primaryColor")));
    }
}
