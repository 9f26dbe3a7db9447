//! GET /conversations: what was asked and answered, in numbered pages.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::chat::Helpful;
use crate::endpoint::{Doc, Endpoint, Variables};
use crate::range::Range;
use crate::request::text;

const LIMIT_DEFAULT: i32 = 10;
const LIMIT_MAX: i32 = 100;

/// GET /conversations
pub(crate) struct ListConversations;

/// Which conversations; all conditions together.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationsRequest {
    /// How far back; anything but `7d`, `30d`, `90d` and `365d` is `all`.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("7d"))]
    range: Option<String>,
    /// Conversations a page; taken into the bounds.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = i32, format = Int32, required = false, minimum = 1, maximum = 100, default = 10, examples(10))]
    limit: Option<String>,
    /// The page, from 1; past the last one there is nothing.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = i32, format = Int32, required = false, minimum = 1, default = 1, examples(1))]
    page: Option<String>,
    /// `all`, `unanswered`, `answered`, `handoff`, `helpful` or `unhelpful`, in any case; anything
    /// else is `all`.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, default = "all", examples("unanswered"))]
    filter: Option<String>,
    /// Part of the question or the answer, in any case; cut after 200 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("refund"))]
    search: Option<String>,
    /// Only those of this session.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("visit-7f3a"))]
    session_id: Option<String>,
    /// `createdAt` or `updatedAt`, with `-` before it for newest first; `newest` and `desc` are
    /// `-createdAt`, `oldest` and `asc` are `createdAt`; anything else is `-createdAt`.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, default = "-createdAt", examples("-createdAt"))]
    sort: Option<String>,
}

/// A page of conversations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationPage {
    /// In the order asked for.
    conversations: Vec<Conversation>,
    /// Conversations on all pages.
    #[schema(minimum = 0, examples(42))]
    total_docs: i64,
    /// This page.
    #[schema(minimum = 1, examples(1))]
    page: i32,
    /// Pages; at least one.
    #[schema(minimum = 1, examples(5))]
    total_pages: i64,
    /// Conversations a page.
    #[schema(minimum = 1, maximum = 100, examples(10))]
    limit: i32,
}

/// A question and its answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation {
    /// Its id.
    #[schema(examples("conv_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// The session that it belongs to.
    #[schema(examples("visit-7f3a"))]
    session_id: String,
    /// What the visitor asked.
    #[schema(examples("How do I get started?"))]
    question: String,
    /// What was answered.
    #[schema(examples("Paste the script tag into your page."))]
    answer: String,
    /// What the answer rests on, best first.
    #[schema(examples("https://example.com/docs/start"))]
    sources: Vec<String>,
    /// The visitor's vote: `yes` or `no`; null without one.
    #[schema(required = true, examples("yes"))]
    helpful: Option<Helpful>,
    /// Whether no answer was found.
    #[schema(examples(false))]
    unanswered: bool,
    /// Whether a human was asked for.
    #[schema(examples(false))]
    handoff: bool,
    /// Where the visitor wants to be answered by that human.
    #[schema(required = true, examples("visitor@example.com"))]
    customer_email: Option<String>,
    /// The language of the answer.
    #[schema(required = true, examples("en"))]
    language: Option<String>,
    /// When it was asked.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

#[derive(Deserialize)]
pub(crate) struct SitesConversations {
    conversations: Connection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    total_count: i64,
    nodes: Vec<Node>,
}

/// A conversation as GraphQL gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    session_id: String,
    question: String,
    answer: String,
    sources: Vec<String>,
    helpful: Option<Helpful>,
    unanswered: bool,
    handoff: Option<Handoff>,
    language: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handoff {
    customer_email: Option<String>,
}

impl Endpoint for ListConversations {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/conversations";
    const OPERATION: (&'static str, &'static str) =
        ("ListConversations", include_str!("../operations/list_conversations.graphql"));
    const DOC: Doc = Doc {
        tag: "Analytics",
        id: "listConversations",
        summary: "List conversations",
        description: "In numbered pages; the conditions hold together. Needs the Growth or the Scale plan.",
        success: "A page of conversations.",
        errors: &[(403, "The site is on the Starter plan, or the key may not read conversations.")],
    };
    type Request = ConversationsRequest;
    type Data = SitesConversations;
    type Answer = ConversationPage;

    fn variables(request: &ConversationsRequest) -> Variables {
        let stated = |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let mut filter = json!({
            "state": state(request.filter.as_deref()),
            "search": stated(&request.search),
            "sessionId": stated(&request.session_id),
        });
        // A list does not hide what it was not asked to hide: without a range, all.
        if let Some(range) = Range::spelled(request.range.as_deref()).filter(|range| *range != Range::All) {
            filter["range"] = range.graphql().into();
        }
        json!({
            "filter": filter,
            "orderBy": order(request.sort.as_deref()),
            "limit": request.limit(),
            "page": request.page(),
        })
        .into()
    }

    fn answer(request: &ConversationsRequest, data: SitesConversations) -> ConversationPage {
        let Connection { total_count, nodes } = data.conversations;
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

impl From<Node> for Conversation {
    fn from(node: Node) -> Self {
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

/// A whole number, however large, taken into the range of GraphQL's `Int`.
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
    use serde_json::Value;

    use super::*;

    fn asked(query: Value) -> ConversationsRequest {
        ConversationsRequest::deserialize(&query).unwrap()
    }

    #[test]
    fn limit_and_page_are_taken_into_their_bounds() {
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
            let request = asked(query.clone());
            assert_eq!((request.limit(), request.page()), expected, "{query}");
        }
    }

    #[test]
    fn filters_sorts_and_ranges_that_are_unknown_are_the_default() {
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
            let (sent, _) = ListConversations::variables(&asked(query.clone())).parts();
            assert_eq!(json!([sent["filter"]["state"], sent["orderBy"]]), json!(expected), "{query}");
            assert_eq!(sent["filter"].get("range").and_then(Value::as_str), range, "{query}");
        }
    }

    #[test]
    fn there_is_at_least_one_page() {
        for (total, pages) in [(0, 1), (1, 1), (10, 1), (11, 2), (100, 10)] {
            let data = SitesConversations { conversations: Connection { total_count: total, nodes: Vec::new() } };
            assert_eq!(ListConversations::answer(&asked(json!({})), data).total_pages, pages, "{total}");
        }
    }

    #[test]
    fn a_conversation_has_the_documented_shape() {
        let node = json!({
            "id": "conv_1", "sessionId": "s", "question": "q", "answer": "a", "sources": [], "helpful": "UNHELPFUL",
            "unanswered": true, "handoff": {"customerEmail": "v@example.com"}, "language": null,
            "createdAt": "c", "updatedAt": "u"
        });

        let shown = serde_json::to_value(Conversation::from(Node::deserialize(&node).unwrap())).unwrap();

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
