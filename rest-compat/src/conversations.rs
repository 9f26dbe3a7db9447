//! GET /conversations: questions and answers, in numbered pages.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::chat::Helpful;
use crate::endpoint::{Endpoint, EndpointDoc, InvalidInput};
use crate::range::DateRange;
use crate::request::text;

const LIMIT_DEFAULT: i32 = 10;
const LIMIT_MAX: i32 = 100;

/// GET /conversations
pub(crate) struct ListConversations;

/// The filter, the order and the page. All conditions apply together.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationsRequest {
    /// Period that ends today (UTC): `7d`, `30d`, `90d`, `365d` or `all`. Defaults to `all`; any other value
    /// means `all` too.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("7d"))]
    range: Option<String>,
    /// Number of conversations per page, 1 to 100. Defaults to 10; a value outside the bounds is moved to the
    /// nearest bound.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = i32, format = Int32, required = false, minimum = 1, maximum = 100, default = 10, examples(10))]
    limit: Option<String>,
    /// Number of the page, starting with 1. Defaults to 1; a page after the last one is empty.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = i32, format = Int32, required = false, minimum = 1, default = 1, examples(1))]
    page: Option<String>,
    /// State of the conversations to return: `all`, `unanswered`, `answered`, `handoff`, `helpful` or
    /// `unhelpful`. Case-insensitive. Defaults to `all`; any other value means `all` too.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, default = "all", examples("unanswered"))]
    filter: Option<String>,
    /// Text that the question or the answer must contain. Case-insensitive; only the first 200 characters
    /// count. One or two characters are searched in the 20,000 newest conversations only.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("refund"))]
    search: Option<String>,
    /// ID of the session whose conversations are returned. Defaults to all sessions.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("visit-7f3a"))]
    session_id: Option<String>,
    /// Order of the conversations: `createdAt` or `updatedAt`, with a leading `-` for newest first. The aliases
    /// `newest` and `desc` mean `-createdAt`, `oldest` and `asc` mean `createdAt`. Defaults to `-createdAt`; any
    /// other value means `-createdAt` too.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, default = "-createdAt", examples("-createdAt"))]
    sort: Option<String>,
}

/// One page of the list that the filters select.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationPage {
    /// Conversations of this page in the requested order.
    conversations: Vec<Conversation>,
    /// Number of conversations that all pages contain together.
    #[schema(minimum = 0, examples(42))]
    total_docs: i64,
    /// Number of this page. The first page is 1.
    #[schema(minimum = 1, examples(1))]
    page: i32,
    /// Number of pages. It is at least 1.
    #[schema(minimum = 1, examples(5))]
    total_pages: i64,
    /// Maximum number of conversations that a page contains.
    #[schema(minimum = 1, maximum = 100, examples(10))]
    limit: i32,
}

/// One question that a visitor asked, and its answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation {
    /// ID of the conversation. It is a TypeID.
    #[schema(examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// ID of the session that the conversation belongs to.
    #[schema(examples("visit-7f3a"))]
    session_id: String,
    /// Text of the question that the visitor asked.
    #[schema(examples("How do I get started?"))]
    question: String,
    /// Text of the answer that the visitor received.
    #[schema(examples("Paste the script tag into your page."))]
    answer: String,
    /// URLs of the pages, or names of the files, that the answer is based on, best first.
    #[schema(examples("https://example.com/docs/start"))]
    sources: Vec<String>,
    /// Vote of the visitor: `yes` or `no`. Null when the visitor has not voted.
    #[schema(required = true, examples("yes"))]
    helpful: Option<Helpful>,
    /// Whether the sources contained no answer.
    #[schema(examples(false))]
    unanswered: bool,
    /// Whether the visitor requested a human.
    #[schema(examples(false))]
    handoff: bool,
    /// E-mail address at which the visitor wants to be answered. Null when there is none.
    #[schema(required = true, examples("visitor@example.com"))]
    customer_email: Option<String>,
    /// Language of the answer as a BCP 47 tag. Null when it is unknown.
    #[schema(required = true, examples("en"))]
    language: Option<String>,
    /// Time when the question was asked.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    created_at: String,
    /// Time when the conversation last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

#[derive(Deserialize)]
pub(crate) struct ConversationsData {
    conversations: ConversationConnection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConversationConnection {
    total_count: i64,
    nodes: Vec<ConversationNode>,
}

/// A conversation as GraphQL returns it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConversationNode {
    id: String,
    session_id: String,
    question: String,
    answer: String,
    sources: Vec<String>,
    helpful: Option<Helpful>,
    unanswered: bool,
    handoff: Option<HandoffNode>,
    language: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandoffNode {
    customer_email: Option<String>,
}

impl Endpoint for ListConversations {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/conversations";
    const OPERATION: (&'static str, &'static str) =
        ("ListConversations", include_str!("../operations/list_conversations.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: "Analytics",
        id: "listConversations",
        summary: "List conversations",
        description: "Returns a numbered page of the conversations that match all conditions. Requires the Growth or the Scale plan.",
        success: "The response contains one page of conversations.",
        errors: &[(
            403,
            "The plan of the site does not include conversations, or the key has no permission to read them.",
        )],
    };
    type Request = ConversationsRequest;
    type Data = ConversationsData;
    type Answer = ConversationPage;

    fn variables(request: &ConversationsRequest) -> Result<Value, InvalidInput> {
        let non_empty =
            |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let mut filter = json!({
            "state": state(request.filter.as_deref()),
            "search": non_empty(&request.search),
            "sessionId": non_empty(&request.session_id),
        });
        // Without a range, the list contains all conversations.
        let range = DateRange::parse(request.range.as_deref());
        if let Some(range) = range.filter(|range| *range != DateRange::All) {
            filter["range"] = range.graphql().into();
        }
        Ok(json!({
            "filter": filter,
            "orderBy": order(request.sort.as_deref()),
            "limit": request.limit(),
            "page": request.page(),
        }))
    }

    fn answer(request: &ConversationsRequest, data: ConversationsData) -> ConversationPage {
        let ConversationConnection { total_count, nodes } = data.conversations;
        let limit = request.limit();
        ConversationPage {
            conversations: nodes.into_iter().map(Conversation::from).collect(),
            total_docs: total_count,
            page: request.page(),
            total_pages: (total_count + i64::from(limit) - 1).div_euclid(i64::from(limit)).max(1),
            limit,
        }
    }
}

impl ConversationsRequest {
    fn limit(&self) -> i32 {
        whole(self.limit.as_deref()).map_or(LIMIT_DEFAULT, |limit| limit.clamp(1, LIMIT_MAX))
    }

    fn page(&self) -> i32 {
        whole(self.page.as_deref()).map_or(1, |page| page.max(1))
    }
}

impl From<ConversationNode> for Conversation {
    fn from(node: ConversationNode) -> Self {
        Self {
            id: node.id,
            session_id: node.session_id,
            question: node.question,
            answer: node.answer,
            sources: node.sources,
            helpful: node.helpful,
            unanswered: node.unanswered,
            customer_email: node.handoff.as_ref().and_then(|handoff| handoff.customer_email.clone()),
            handoff: node.handoff.is_some(),
            language: node.language,
            created_at: node.created_at,
            updated_at: node.updated_at,
        }
    }
}

/// A whole number. One that exceeds GraphQL's `Int` becomes the nearest `Int`.
fn whole(text: Option<&str>) -> Option<i32> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    match text?.trim().parse::<i32>() {
        Ok(number) => Some(number),
        Err(error) if *error.kind() == PosOverflow => Some(i32::MAX),
        Err(error) if *error.kind() == NegOverflow => Some(i32::MIN),
        Err(_) => None,
    }
}

fn state(filter: Option<&str>) -> &'static str {
    match filter.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "unanswered" => "UNANSWERED",
        "answered" => "ANSWERED",
        "handoff" => "HANDOFF",
        "helpful" => "HELPFUL",
        "unhelpful" => "UNHELPFUL",
        _ => "ALL",
    }
}

fn order(sort: Option<&str>) -> &'static str {
    match sort.unwrap_or_default().trim() {
        "createdAt" | "oldest" | "asc" => "CREATED_AT_ASC",
        "updatedAt" => "UPDATED_AT_ASC",
        "-updatedAt" => "UPDATED_AT_DESC",
        _ => "CREATED_AT_DESC",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: Value) -> ConversationsRequest {
        ConversationsRequest::deserialize(&query).unwrap()
    }

    #[test]
    fn limit_and_page_are_clamped_to_their_bounds() {
        let rows = [
            (json!({}), (10, 1)),
            (json!({"limit": "25", "page": "3"}), (25, 3)),
            (json!({"limit": "0", "page": "0"}), (1, 1)),
            (json!({"limit": "-5", "page": "-5"}), (1, 1)),
            (json!({"limit": "101", "page": "x"}), (100, 1)),
            (json!({"limit": "ten", "page": "1.5"}), (10, 1)),
            (json!({"limit": "99999999999999999999", "page": "99999999999999999999"}), (100, i32::MAX)),
            (json!({"limit": "-99999999999999999999", "page": ""}), (1, 1)),
        ];

        for (query, expected) in rows {
            let request = request(query.clone());
            assert_eq!((request.limit(), request.page()), expected, "{query}");
        }
    }

    #[test]
    fn unknown_filters_orders_and_ranges_mean_the_default() {
        let rows = [
            (json!({}), ["ALL", "CREATED_AT_DESC"], None),
            (
                json!({"filter": "UnAnswered", "sort": "oldest", "range": "7d"}),
                ["UNANSWERED", "CREATED_AT_ASC"],
                Some("LAST_7_DAYS"),
            ),
            (
                json!({"filter": "handoff", "sort": "asc", "range": "30d"}),
                ["HANDOFF", "CREATED_AT_ASC"],
                Some("LAST_30_DAYS"),
            ),
            (
                json!({"filter": "helpful", "sort": "createdAt", "range": "90d"}),
                ["HELPFUL", "CREATED_AT_ASC"],
                Some("LAST_90_DAYS"),
            ),
            (
                json!({"filter": "UNHELPFUL", "sort": "-updatedAt", "range": "365d"}),
                ["UNHELPFUL", "UPDATED_AT_DESC"],
                Some("LAST_365_DAYS"),
            ),
            (json!({"filter": "answered", "sort": "updatedAt", "range": "all"}), ["ANSWERED", "UPDATED_AT_ASC"], None),
            (json!({"filter": "x", "sort": "x", "range": "x"}), ["ALL", "CREATED_AT_DESC"], None),
            (json!({"sort": "newest"}), ["ALL", "CREATED_AT_DESC"], None),
            (json!({"sort": "desc"}), ["ALL", "CREATED_AT_DESC"], None),
        ];

        for (query, expected, range) in rows {
            let sent = ListConversations::variables(&request(query.clone())).unwrap();
            assert_eq!(json!([sent["filter"]["state"], sent["orderBy"]]), json!(expected), "{query}");
            assert_eq!(sent["filter"].get("range").and_then(Value::as_str), range, "{query}");
        }
    }

    #[test]
    fn the_number_of_pages_is_at_least_one() {
        for (total, pages) in [(0, 1), (1, 1), (10, 1), (11, 2), (100, 10)] {
            let data =
                ConversationsData { conversations: ConversationConnection { total_count: total, nodes: Vec::new() } };
            assert_eq!(ListConversations::answer(&request(json!({})), data).total_pages, pages, "{total}");
        }
    }

    #[test]
    fn a_conversation_has_the_documented_shape() {
        let node = json!({
            "id": "conv_1", "sessionId": "s", "question": "q", "answer": "a", "sources": [], "helpful": "UNHELPFUL",
            "unanswered": true, "handoff": {"customerEmail": "v@example.com"}, "language": null,
            "createdAt": "c", "updatedAt": "u"
        });

        let shown = serde_json::to_value(Conversation::from(ConversationNode::deserialize(&node).unwrap())).unwrap();

        assert_eq!(
            shown,
            json!({
                "id": "conv_1", "sessionId": "s", "question": "q", "answer": "a", "sources": [], "helpful": "no",
                "unanswered": true, "handoff": true, "customerEmail": "v@example.com", "language": null,
                "createdAt": "c", "updatedAt": "u"
            })
        );
    }
}
