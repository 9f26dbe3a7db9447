//! The body of a webhook: `{event, timestamp, data}` with the JSON of the event.
//!
//! The data is stored as text with the event and inserted unchanged. The same event therefore
//! results in the same bytes on every attempt, and a signature can be computed again.

use serde_json::{Map, Value};

use crate::Timestamp;
use crate::ids::WebhookId;

/// Maximum size of a body in bytes. Receivers behind common gateways reject larger ones.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Event name of a test delivery.
pub const PING: &str = "ping";

/// Fields that may be truncated, in the order in which they are.
const CUTTABLE: [&str; 3] = ["answer", "text", "question"];
/// Space for the marker of a truncated text.
const MARK_BYTES: usize = 32;

/// Returns the body for an event with this name, time and data, which is a JSON object as text.
///
/// The body has at most [`MAX_PAYLOAD_BYTES`]: long texts in the data are truncated, and
/// `"truncated": true` is added. Data that is not an object is inserted unchanged.
#[must_use]
pub fn wrap(event: &str, timestamp: Timestamp, data: &str) -> String {
    let head = format!("{{\"event\":{},\"timestamp\":\"{timestamp}\",\"data\":", Value::from(event));
    let room = MAX_PAYLOAD_BYTES.saturating_sub(head.len() + 1);
    let fitted = if data.len() <= room { None } else { cut(data, room) };
    format!("{head}{}}}", fitted.as_deref().unwrap_or(data))
}

/// Returns the body of a test delivery, which contains only the ID of the endpoint.
#[must_use]
pub fn ping(webhook_id: WebhookId, timestamp: Timestamp) -> String {
    wrap(PING, timestamp, &format!("{{\"webhookId\":\"{webhook_id}\"}}"))
}

/// Returns the object in at most `room` bytes of JSON, if truncating texts suffices.
fn cut(data: &str, room: usize) -> Option<String> {
    let mut object: Map<String, Value> = serde_json::from_str(data).ok()?;
    object.insert("truncated".to_owned(), Value::Bool(true));
    for field in CUTTABLE {
        let length = serde_json::to_string(&object).ok()?.len();
        if length <= room {
            break;
        }
        if let Some(Value::String(text)) = object.get_mut(field) {
            *text = shortened(text, (length - room).saturating_add(MARK_BYTES));
        }
    }
    serde_json::to_string(&object).ok().filter(|json| json.len() <= room)
}

/// Returns `text` without its end, so that its JSON is at least `excess` bytes shorter. It may
/// become empty.
fn shortened(text: &str, excess: usize) -> String {
    let mut freed = 0;
    for (at, c) in text.char_indices().rev() {
        freed += json_bytes(c);
        if freed >= excess {
            return format!("{}…", &text[..at]);
        }
    }
    String::new()
}

/// Returns the length of a character in a JSON string as `serde_json` writes it.
fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if u32::from(c) < 0x20 => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Timestamp = Timestamp::from_ms(1_705_314_600_000);

    #[test]
    fn the_body_equals_the_documented_one() {
        let body = wrap("conversation.feedback", MOMENT, "{\"conversationId\":\"conv_1\",\"helpful\":\"yes\"}");

        assert_eq!(
            body,
            "{\"event\":\"conversation.feedback\",\"timestamp\":\"2024-01-15T10:30:00.000Z\",\
                \"data\":{\"conversationId\":\"conv_1\",\"helpful\":\"yes\"}}"
        );
    }

    #[test]
    fn the_data_is_inserted_unchanged() {
        let odd = "{ \"b\":1,\n\"a\" : \"\\u00e9\" }";

        let body = wrap("ping", MOMENT, odd);

        assert!(body.ends_with(&format!("\"data\":{odd}}}")));
        assert_eq!(body, wrap("ping", MOMENT, odd));
    }

    #[test]
    fn a_long_answer_is_truncated_and_marked() {
        // In JSON, quotes and line breaks have two bytes each. In UTF-8, umlauts have two.
        let answer = "\"\u{fc}\n".repeat(30_000);
        let data = serde_json::json!({ "conversationId": "conv_1", "question": "Why?", "answer": answer }).to_string();

        let body = wrap("conversation.created", MOMENT, &data);

        assert!(body.len() <= MAX_PAYLOAD_BYTES && body.len() > MAX_PAYLOAD_BYTES - 100, "{}", body.len());
        let json: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(json["data"]["truncated"], true);
        assert_eq!(json["data"]["question"], "Why?");
        let kept = json["data"]["answer"].as_str().and_then(|text| text.strip_suffix('…')).expect("a mark");
        assert!(answer.starts_with(kept));
        assert_eq!(body, wrap("conversation.created", MOMENT, &data));
    }

    #[test]
    fn a_body_of_the_maximum_size_is_not_truncated() {
        let around = wrap("ping", MOMENT, "").len();
        let fits = format!("\"{}\"", "x".repeat(MAX_PAYLOAD_BYTES - around - 2));

        assert_eq!(wrap("ping", MOMENT, &fits).len(), MAX_PAYLOAD_BYTES);
    }

    #[test]
    fn several_long_texts_are_truncated_one_after_the_other() {
        let data = serde_json::json!({ "question": "q".repeat(70_000), "answer": "a".repeat(70_000) }).to_string();

        let json: Value = serde_json::from_str(&wrap("conversation.created", MOMENT, &data)).expect("JSON");

        assert_eq!(json["data"]["answer"], "");
        assert!(json["data"]["question"].as_str().is_some_and(|text| text.len() > 60_000 && text.ends_with('…')));
    }
}
