//! The body of a webhook: `{event, timestamp, data}` around the event's own JSON.
//!
//! The data is text that was written with the event and is put in as it stands, so the same
//! event gives the same bytes on every attempt, and a signature can be made again.

use serde_json::{Map, Value};

use crate::Timestamp;
use crate::ids::WebhookId;

/// Bodies are kept under this: receivers behind common gateways refuse more.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// The event name of a test delivery.
pub const PING: &str = "ping";

/// Texts that may be cut to fit, the longest-winded first.
const CUTTABLE: [&str; 3] = ["answer", "text", "question"];
/// Room for the mark that a text was cut.
const MARK_BYTES: usize = 32;

/// The body for an event: its name, its moment and its data, a JSON object as text.
///
/// At most [`MAX_PAYLOAD_BYTES`]: longer data lose the ends of their texts and gain
/// `"truncated": true`. Data that are no object are put in as they are.
#[must_use]
pub fn wrap(event: &str, timestamp: Timestamp, data: &str) -> String {
    let head = format!("{{\"event\":{},\"timestamp\":\"{timestamp}\",\"data\":", Value::from(event));
    let room = MAX_PAYLOAD_BYTES.saturating_sub(head.len() + 1);
    let fitted = if data.len() <= room { None } else { cut(data, room) };
    format!("{head}{}}}", fitted.as_deref().unwrap_or(data))
}

/// The body of a test delivery: it names the endpoint and nothing else.
#[must_use]
pub fn ping(webhook_id: WebhookId, timestamp: Timestamp) -> String {
    wrap(PING, timestamp, &format!("{{\"webhookId\":\"{webhook_id}\"}}"))
}

/// The object in at most `room` bytes of JSON, if cutting texts gets it there.
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

/// `text` without its end, such that its JSON is at least `excess` bytes shorter, or empty.
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

/// Bytes of a character inside a JSON string as `serde_json` writes it.
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
    fn the_envelope_is_the_documented_one_to_the_byte() {
        let body = wrap("conversation.feedback", MOMENT, "{\"conversationId\":\"conv_1\",\"helpful\":\"yes\"}");

        assert_eq!(
            body,
            "{\"event\":\"conversation.feedback\",\"timestamp\":\"2024-01-15T10:30:00.000Z\",\
                \"data\":{\"conversationId\":\"conv_1\",\"helpful\":\"yes\"}}"
        );
    }

    #[test]
    fn data_are_never_made_again() {
        let odd = "{ \"b\":1,\n\"a\" : \"\\u00e9\" }";

        let body = wrap("ping", MOMENT, odd);

        assert!(body.ends_with(&format!("\"data\":{odd}}}")));
        assert_eq!(body, wrap("ping", MOMENT, odd));
    }

    #[test]
    fn a_long_answer_is_cut_and_marked() {
        // Quotes and line breaks take two bytes each in JSON, umlauts two in UTF-8.
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
    fn a_body_that_just_fits_is_left_alone() {
        let around = wrap("ping", MOMENT, "").len();
        let fits = format!("\"{}\"", "x".repeat(MAX_PAYLOAD_BYTES - around - 2));

        assert_eq!(wrap("ping", MOMENT, &fits).len(), MAX_PAYLOAD_BYTES);
    }

    #[test]
    fn several_long_texts_are_cut_in_turn() {
        let data = serde_json::json!({ "question": "q".repeat(70_000), "answer": "a".repeat(70_000) }).to_string();

        let json: Value = serde_json::from_str(&wrap("conversation.created", MOMENT, &data)).expect("JSON");

        assert_eq!(json["data"]["answer"], "");
        assert!(json["data"]["question"].as_str().is_some_and(|text| text.len() > 60_000 && text.ends_with('…')));
    }
}
