//! The route /webhooks: the endpoints to which events are sent.

use axum::http::Method;
use helpbot_api::Permission;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Endpoint, EndpointDoc, InvalidInput};
use crate::request::text;
use crate::sources::{Deleted, DeletedData, NoInput, id_input};

const TAG: &str = "Webhooks";

/// An endpoint to which events are sent.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// ID of the webhook. It is a TypeID.
    #[schema(examples("wh_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// Address to which events are sent.
    #[schema(examples("https://example.com/hooks/helpbot"))]
    url: String,
    /// Events that are sent to this webhook.
    events: Vec<EventName>,
    /// Note that the owner wrote. Null when there is none.
    #[schema(required = true, examples("Feeds our CRM"))]
    description: Option<String>,
    /// Secret that signs the deliveries. Only the response to POST /webhooks contains the whole secret; lists
    /// contain `****` and its last four characters.
    #[schema(examples("****9fQ="))]
    secret: String,
    /// Whether events are sent. A webhook that fails for several days is disabled.
    #[schema(examples(true))]
    enabled: bool,
    /// Time when the webhook was created.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    created_at: String,
    /// Time when the webhook last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

/// The kind of an event that webhooks receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples("conversation.created"))]
pub(crate) enum EventName {
    /// A visitor asked a question and received a reply.
    #[serde(rename = "conversation.created", alias = "CONVERSATION_CREATED")]
    Created,
    /// The sources contained no answer. This event is sent in addition to `conversation.created`.
    #[serde(rename = "conversation.unanswered", alias = "CONVERSATION_UNANSWERED")]
    Unanswered,
    /// The visitor voted on the answer.
    #[serde(rename = "conversation.feedback", alias = "CONVERSATION_FEEDBACK")]
    Feedback,
    /// The visitor requested a human.
    #[serde(rename = "conversation.handoff", alias = "CONVERSATION_HANDOFF")]
    Handoff,
}

impl EventName {
    fn parse(name: &str) -> Option<Self> {
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

/// All webhooks that the site has.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct WebhookList {
    /// All webhooks of the site, oldest first. There are at most five.
    webhooks: Vec<Webhook>,
}

impl Endpoint for ListWebhooks {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks";
    const OPERATION: (&'static str, &'static str) =
        ("ListWebhooks", include_str!("../operations/list_webhooks.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "listWebhooks",
        summary: "List the webhooks",
        description: "Returns all webhooks of the site. Of each secret, the response contains only the last four characters. Requires the Growth or the Scale plan.",
        success: "The response contains all webhooks.",
        errors: &[(
            403,
            "The plan of the site does not include webhooks, or the key has no permission to manage them.",
        )],
    };
    type Request = NoInput;
    type Data = WebhookList;
    type Answer = WebhookList;

    fn variables(_: &NoInput) -> Result<Value, InvalidInput> {
        Ok(json!({}))
    }

    fn answer(_: &NoInput, data: WebhookList) -> WebhookList {
        data
    }
}

/// A list of strings. Any other JSON value counts as absent.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(value)?).ok())
}

/// POST /webhooks
pub(crate) struct CreateWebhook;

/// A webhook to create.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookRequest {
    /// Address that starts with https, on a public host, at most 2048 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://.", examples("https://example.com/hooks/helpbot"))]
    url: Option<String>,
    /// Events that are sent to this webhook, at least one.
    #[serde(default, deserialize_with = "texts")]
    #[schema(value_type = Vec<EventName>, required = true, min_items = 1)]
    events: Option<Vec<String>>,
    /// Note for the owner, at most 200 characters. It is optional.
    #[serde(default, deserialize_with = "text")]
    #[schema(max_length = 200, examples("Feeds our CRM"))]
    description: Option<String>,
}

/// The created webhook with its whole secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    /// The created webhook. Later responses do not contain the whole secret.
    webhook: Webhook,
}

#[derive(Deserialize)]
pub(crate) struct CreateWebhookData {
    webhook: WebhookNode,
    secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookNode {
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
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "createWebhook",
        summary: "Create a webhook",
        description: "Creates a webhook. Only this response contains the whole secret. A site can have at most five webhooks. Requires the Growth or the Scale plan.",
        success: "The response contains the webhook with its whole secret.",
        errors: &[
            (400, "The address, the events or the description are missing or invalid."),
            (
                403,
                "The plan of the site does not include webhooks, the site has five webhooks already, or the key has no permission to manage them.",
            ),
        ],
    };
    type Request = WebhookRequest;
    type Data = CreateWebhookData;
    type Answer = CreatedWebhook;

    fn variables(request: &WebhookRequest) -> Result<Value, InvalidInput> {
        let names = request.events.as_deref().unwrap_or_default();
        let events =
            names.iter().map(|name| EventName::parse(name).map(EventName::graphql)).collect::<Option<Vec<_>>>();
        let events = events.filter(|events| !events.is_empty()).ok_or_else(|| {
            let message = "events must contain one or more of the four event names";
            InvalidInput::new(Permission::ManageWebhooks, message)
        })?;
        let url = request.url.as_deref().unwrap_or_default();
        Ok(json!({"input": {"url": url, "events": events, "description": request.description}}))
    }

    fn answer(_: &WebhookRequest, data: CreateWebhookData) -> CreatedWebhook {
        let WebhookNode { id, url, events, description, enabled, created_at, updated_at } = data.webhook;
        let secret = data.secret;
        CreatedWebhook { webhook: Webhook { id, url, events, description, secret, enabled, created_at, updated_at } }
    }
}

/// DELETE /webhooks
pub(crate) struct DeleteWebhook;

/// The webhook to delete.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookId)]
pub(crate) struct DeleteWebhookRequest {
    /// ID of the webhook, as returned by GET /webhooks.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("wh_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: Option<String>,
}

impl Endpoint for DeleteWebhook {
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/webhooks";
    const OPERATION: (&'static str, &'static str) =
        ("DeleteWebhook", include_str!("../operations/delete_webhook.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "deleteWebhook",
        summary: "Delete a webhook",
        description: "Deletes the webhook. No further events are sent to it. Requires the Growth or the Scale plan.",
        success: "The webhook was deleted.",
        errors: &[
            (400, "The ID is missing."),
            (403, "The plan of the site does not include webhooks, or the key has no permission to manage them."),
            (404, "The site has no webhook with this ID."),
        ],
    };
    type Request = DeleteWebhookRequest;
    type Data = DeletedData;
    type Answer = Deleted;

    fn variables(request: &DeleteWebhookRequest) -> Result<Value, InvalidInput> {
        id_input(&request.id, Permission::ManageWebhooks, "Missing id query parameter")
    }

    fn answer(_: &DeleteWebhookRequest, _: DeletedData) -> Deleted {
        Deleted::YES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(body: Value) -> Result<Value, InvalidInput> {
        CreateWebhook::variables(&WebhookRequest::deserialize(&body).unwrap())
    }

    #[test]
    fn known_events_are_passed_on_and_any_other_list_is_invalid() {
        let sent =
            variables(json!({"url": "https://a.test", "events": ["conversation.created", "conversation.handoff"]}))
                .unwrap();

        assert_eq!(sent["input"]["events"], json!(["CONVERSATION_CREATED", "CONVERSATION_HANDOFF"]));
        for events in [json!([]), json!(["x"]), json!([7]), json!("conversation.created"), json!(null)] {
            let invalid = variables(json!({"url": "https://a.test", "events": events})).unwrap_err();
            assert_eq!(invalid.permission, Permission::ManageWebhooks, "{events}");
        }
    }
}
