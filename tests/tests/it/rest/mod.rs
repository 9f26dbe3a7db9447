//! Tests of `/api/v1` through a complete server on both databases, called as existing clients call it. Each file covers one
//! family of routes with a test for each route and documented status, comparing whole bodies. `contract` and
//! `contract_data` test the numbered decisions of the REST contract.

mod analytics;
mod chat;
mod config;
mod contract;
mod contract_data;
mod errors;
mod limits;
mod reference;
mod search;
mod sources;
mod statuses;
mod webhooks;

use helpbot_services::knowledge::entries::{self, NewEntry};
use helpbot_tests::{Reply, TestApp, TestSite};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Where the entry of [`with_entry`] can be read.
pub const ENTRY_URL: &str = "https://example.com/opening-hours";
/// What [`with_entry`] can be asked.
pub const ENTRY_QUESTION: &str = "When is the bakery open on Sundays?";
/// What it answers.
pub const ENTRY_ANSWER: &str = "On Sundays the bakery is open from 8 to 11 in the morning.";
/// What nothing answers.
pub const UNKNOWN_QUESTION: &str = "How do I calibrate the flux capacitor of a submarine?";

/// Gives `site` one entry to answer from.
pub async fn with_entry(app: &TestApp, site: &TestSite<'_>) {
    let new = NewEntry {
        question: ENTRY_QUESTION.into(),
        answer: ENTRY_ANSWER.into(),
        phrasings: Vec::new(),
        url: Some(ENTRY_URL.into()),
    };
    entries::add(app.services(), app.operator(), Some(site.id), new).await.expect("an entry");
}

/// Asks something and gives the conversation's id.
pub async fn asked(site: &TestSite<'_>) -> String {
    let answer = site.visitor().post("/api/v1/chat", &json!({"question": UNKNOWN_QUESTION})).await.ok();
    answer["conversationId"].as_str().expect("an id").to_owned()
}

/// Status and body, with ids and times redacted, to be compared whole.
pub fn told(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), redacted(reply.json()))
}

/// A refusal as the contract spells it.
pub fn refusal(status: StatusCode, error: &str, code: &str) -> (u16, Value) {
    (status.as_u16(), json!({"error": error, "code": code}))
}

/// A refusal of the value of `field`.
pub fn refused_field(error: &str, field: &str) -> (u16, Value) {
    (400, json!({"error": error, "code": "BAD_USER_INPUT", "details": {"field": field}}))
}

/// Ids become `[kind]` and times `[time]`; everything else stays.
pub fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, redacted(value))).collect(),
        other => other,
    }
}

fn redacted_text(text: String) -> String {
    const SUFFIX_CHARS: usize = 26;
    if let Some((kind, suffix)) = text.split_once('_')
        && suffix.len() == SUFFIX_CHARS
        && suffix.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    {
        return format!("[{kind}]");
    }
    if is_time(&text) { "[time]".to_owned() } else { text }
}

/// Whether `text` is a time as the contract writes it: RFC 3339, milliseconds, `Z`.
pub fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00.000Z";
    let fits = |(form, byte): (&u8, u8)| if *form == b'0' { byte.is_ascii_digit() } else { *form == byte };
    text.len() == FORM.len() && FORM.iter().zip(text.bytes()).all(fits)
}
