//! /webhooks: where events are sent.

use axum::http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Doc, Endpoint, Variables};
use crate::request::text;
use crate::sources::{Deleted, Gone, Nothing, id_input};

const TAG: &str = "Webhooks";

/// An endpoint that events are sent to.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// Its id.
    #[schema(examples("wh_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// Where events are sent.
    #[schema(examples("https://example.com/hooks/helpbot"))]
    url: String,
    /// Which events.
    events: Vec<EventName>,
    /// A note of the owner.
    #[schema(required = true, examples("Feeds our CRM"))]
    description: Option<String>,
    /// The key that deliveries are signed with: whole when the webhook is made, once; later `****`
    /// and its last four characters.
    #[schema(examples("****9fQ="))]
    secret: String,
    /// Whether events are sent; failures of many days end it.
    #[schema(examples(true))]
    enabled: bool,
    /// When it was made.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

/// What is told to webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples("conversation.created"))]
pub(crate) enum EventName {
    /// A question was asked and answered.
    #[serde(rename = "conversation.created", alias = "CONVERSATION_CREATED")]
    Created,
    /// No answer was found to it; sent beside the first.
    #[serde(rename = "conversation.unanswered", alias = "CONVERSATION_UNANSWERED")]
    Unanswered,
    /// The visitor voted on the answer.
    #[serde(rename = "conversation.feedback", alias = "CONVERSATION_FEEDBACK")]
    Feedback,
    /// The visitor asked for a human.
    #[serde(rename = "conversation.handoff", alias = "CONVERSATION_HANDOFF")]
    Handoff,
}

impl EventName {
    fn named(name: &str) -> Option<Self> {
        match name {
            "conversation.created" => Some(Self::Created),
            "conversation.unanswered" => Some(Self::Unanswered),
            "conversation.feedback" => Some(Self::Feedback),
            "conversation.handoff" => Some(Self::Handoff),
            _ => None,
        }
    }

    fn graphql(self) -> &'static str {
        match self {
            Self::Created => "CONVERSATION_CREATED",
            Self::Unanswered => "CONVERSATION_UNANSWERED",
            Self::Feedback => "CONVERSATION_FEEDBACK",
            Self::Handoff => "CONVERSATION_HANDOFF",
        }
    }
}

/// GET /webhooks
pub(crate) struct ListWebhooks;

/// All webhooks of the site.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct WebhookList {
    /// Oldest first; five at most.
    webhooks: Vec<Webhook>,
}

impl Endpoint for ListWebhooks {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks";
    const OPERATION: (&'static str, &'static str) =
        ("ListWebhooks", include_str!("../operations/list_webhooks.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "listWebhooks",
        summary: "List the webhooks",
        description: "Of their secrets, only the last four characters. Needs the Growth or the Scale plan.",
        success: "The webhooks.",
        errors: &[(403, "The site is on the Starter plan, or the key may not manage webhooks.")],
    };
    type Request = Nothing;
    type Data = WebhookList;
    type Answer = WebhookList;

    fn variables(_: &Nothing) -> Variables {
        json!({}).into()
    }

    fn answer(_: &Nothing, data: WebhookList) -> WebhookList {
        data
    }
}

/// A list of texts; any other JSON value is absent.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(value)?).ok())
}

/// POST /webhooks
pub(crate) struct CreateWebhook;

/// A new webhook.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookRequest {
    /// Its https address, on a public host, at most 2048 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://.", examples("https://example.com/hooks/helpbot"))]
    url: Option<String>,
    /// Which events it gets; at least one.
    #[serde(default, deserialize_with = "texts")]
    #[schema(value_type = Vec<EventName>, required = true, min_items = 1)]
    events: Option<Vec<String>>,
    /// A note, at most 200 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(max_length = 200, examples("Feeds our CRM"))]
    description: Option<String>,
}

/// A new webhook with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    /// The webhook; its secret is not shown again.
    webhook: Webhook,
}

#[derive(Deserialize)]
pub(crate) struct Created {
    webhook: NewWebhook,
    secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewWebhook {
    id: String,
    url: String,
    events: Vec<EventName>,
    description: Option<String>,
    enabled: bool,
    created_at: String,
    updated_at: String,
}

impl Endpoint for CreateWebhook {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/webhooks";
    const OPERATION: (&'static str, &'static str) =
        ("CreateWebhook", include_str!("../operations/create_webhook.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "createWebhook",
        summary: "Create a webhook",
        description: "Its secret is shown this once. A site has five at most. Needs the Growth or the Scale plan.",
        success: "The webhook with its whole secret.",
        errors: &[
            (400, "The address, the events or the description are missing or refused."),
            (403, "The site is on the Starter plan or has five webhooks, or the key may not manage them."),
        ],
    };
    type Request = WebhookRequest;
    type Data = Created;
    type Answer = CreatedWebhook;

    fn variables(request: &WebhookRequest) -> Variables {
        let url = request.url.as_deref().unwrap_or_default();
        let input = |url: &str, events: &[EventName]| {
            let events: Vec<&str> = events.iter().map(|event| event.graphql()).collect();
            json!({"input": {"url": url, "events": events, "description": request.description}})
        };
        let names = request.events.as_deref().unwrap_or_default();
        match names.iter().map(|name| EventName::named(name)).collect::<Option<Vec<_>>>() {
            Some(events) if !events.is_empty() => input(url, &events).into(),
            _ => Variables::misfit(input("", &[]), "events must hold one or more of the four event names"),
        }
    }

    fn answer(_: &WebhookRequest, data: Created) -> CreatedWebhook {
        let NewWebhook { id, url, events, description, enabled, created_at, updated_at } = data.webhook;
        let secret = data.secret;
        CreatedWebhook { webhook: Webhook { id, url, events, description, secret, enabled, created_at, updated_at } }
    }
}

/// DELETE /webhooks
pub(crate) struct DeleteWebhook;

/// Which webhook.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookId {
    /// The id of the webhook.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("wh_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: Option<String>,
}

impl Endpoint for DeleteWebhook {
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/webhooks";
    const OPERATION: (&'static str, &'static str) =
        ("DeleteWebhook", include_str!("../operations/delete_webhook.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "deleteWebhook",
        summary: "Delete a webhook",
        description: "Nothing more is sent to it. Needs the Growth or the Scale plan.",
        success: "It is deleted.",
        errors: &[
            (400, "The id is missing."),
            (403, "The site is on the Starter plan, or the key may not manage webhooks."),
            (404, "The site has no such webhook."),
        ],
    };
    type Request = WebhookId;
    type Data = Gone;
    type Answer = Deleted;

    fn variables(request: &WebhookId) -> Variables {
        id_input(&request.id, "Missing id query parameter")
    }

    fn answer(_: &WebhookId, _: Gone) -> Deleted {
        Deleted::YES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(body: Value) -> (Value, Option<String>) {
        CreateWebhook::variables(&WebhookRequest::deserialize(&body).unwrap()).parts()
    }

    #[test]
    fn known_events_are_passed_on_and_any_other_list_is_refused_after_the_key() {
        let (sent, misfit) =
            variables(json!({"url": "https://a.test", "events": ["conversation.created", "conversation.handoff"]}));

        assert_eq!(sent["input"]["events"], json!(["CONVERSATION_CREATED", "CONVERSATION_HANDOFF"]));
        assert_eq!(misfit, None);
        for events in [json!([]), json!(["x"]), json!([7]), json!("conversation.created"), json!(null)] {
            let (probe, misfit) = variables(json!({"url": "https://a.test", "events": events}));
            assert!(misfit.is_some(), "{events}");
            assert_eq!((&probe["input"]["url"], &probe["input"]["events"]), (&json!(""), &json!([])));
        }
    }
}
