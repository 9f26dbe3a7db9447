//! /config: how the widget looks and what it says.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Caching, Doc, Endpoint, Variables};
use crate::sources::Nothing;

const TAG: &str = "Widget";

/// The 23 fields of a widget; each always has a value.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WidgetConfig {
    /// Buttons and the visitor's bubbles: a hex, rgb(), hsl() or oklch() colour, at most 64 characters.
    #[schema(max_length = 64, examples("#2563eb"))]
    primary_color: String,
    /// Text on the primary colour.
    #[schema(max_length = 64, examples("#ffffff"))]
    primary_foreground: String,
    /// The panel.
    #[schema(max_length = 64, examples("#ffffff"))]
    background_color: String,
    /// Text on the panel.
    #[schema(max_length = 64, examples("#111827"))]
    foreground_color: String,
    /// The bot's bubbles.
    #[schema(max_length = 64, examples("#f3f4f6"))]
    secondary_color: String,
    /// Text in the bot's bubbles.
    #[schema(max_length = 64, examples("#111827"))]
    secondary_foreground: String,
    /// The corner of the page that the widget stands in.
    position: Position,
    /// The first message.
    #[schema(max_length = 500, examples("Hi! How can I help you?"))]
    greeting: String,
    /// The name in the panel's head.
    #[schema(min_length = 1, max_length = 80, examples("HelpBot"))]
    bot_name: String,
    /// Whether the panel names its maker; only the Scale plan may hide it.
    #[schema(examples(true))]
    show_branding: bool,
    /// The language of answers as a BCP 47 tag, or `auto` for that of the question.
    #[schema(examples("auto"))]
    ai_language: String,
    /// In the empty input field.
    #[schema(max_length = 500, examples("Type your question"))]
    input_placeholder: String,
    /// While an answer is being made.
    #[schema(max_length = 500, examples("Typing"))]
    typing_text: String,
    /// Under the name in the panel's head.
    #[schema(max_length = 500, examples("Online"))]
    online_text: String,
    /// The button that asks for a human.
    #[schema(max_length = 500, examples("Talk to a human"))]
    handoff_text: String,
    /// After a human was asked for.
    #[schema(max_length = 500, examples("Thanks! Our team has been notified."))]
    handoff_sent_text: String,
    /// In the empty e-mail field.
    #[schema(max_length = 500, examples("Your e-mail (optional)"))]
    email_placeholder: String,
    /// The button that sends the e-mail address.
    #[schema(max_length = 500, examples("Send"))]
    email_send_text: String,
    /// The button that leaves it out.
    #[schema(max_length = 500, examples("Skip"))]
    email_skip_text: String,
    /// After a good vote.
    #[schema(max_length = 500, examples("Glad it helped!"))]
    feedback_yes_text: String,
    /// After a bad vote.
    #[schema(max_length = 500, examples("Sorry about that."))]
    feedback_no_text: String,
    /// When the server could not answer.
    #[schema(max_length = 500, examples("Something went wrong. Please try again."))]
    error_text: String,
    /// When the server could not be reached.
    #[schema(max_length = 500, examples("You seem to be offline."))]
    network_error_text: String,
}

/// A corner of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(examples("bottom-right"))]
pub(crate) enum Position {
    /// The usual one.
    #[serde(alias = "BOTTOM_RIGHT")]
    BottomRight,
    /// Its mirror.
    #[serde(alias = "BOTTOM_LEFT")]
    BottomLeft,
}

/// GET /config
pub(crate) struct ReadConfig;

#[derive(Deserialize)]
pub(crate) struct SitesWidget {
    widget: WidgetConfig,
}

impl Endpoint for ReadConfig {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/config";
    const OPERATION: (&'static str, &'static str) = ("ReadConfig", include_str!("../operations/read_config.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "readConfig",
        summary: "Read the widget's configuration",
        description: "Every field, for a minute reusable by the browser, then checked by its entity tag.",
        success: "The configuration.",
        errors: &[],
    };
    const CACHING: Caching = Caching::Minute;
    type Request = Nothing;
    type Data = SitesWidget;
    type Answer = WidgetConfig;

    fn variables(_: &Nothing) -> Variables {
        json!({}).into()
    }

    fn answer(_: &Nothing, data: SitesWidget) -> WidgetConfig {
        data.widget
    }
}

/// PATCH /config
pub(crate) struct UpdateConfig;

/// Fields to change, as sent: what is absent stays as it is, what is null is refused.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct WidgetPatch(Map<String, Value>);

impl utoipa::PartialSchema for WidgetPatch {
    /// The fields of [`WidgetConfig`], none of them required.
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{RefOr, Schema};
        let mut schema = WidgetConfig::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.description = Some("Fields to change; at least one. What is absent stays as it is.".into());
        }
        schema
    }
}

impl ToSchema for WidgetPatch {}

/// The configuration after a change.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct UpdatedConfig {
    /// The fields that were accepted, in the order of the configuration.
    #[schema(examples("primaryColor"))]
    updated: Vec<String>,
    /// All fields.
    config: WidgetConfig,
}

impl Endpoint for UpdateConfig {
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/config";
    const OPERATION: (&'static str, &'static str) =
        ("UpdateConfig", include_str!("../operations/update_config.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "updateConfig",
        summary: "Change the widget's configuration",
        description: "All of the fields sent or, when one is refused, none. Hiding the branding needs the Scale plan.",
        success: "The configuration after the change.",
        errors: &[
            (400, "No field can be changed, or a value is refused."),
            (403, "Hiding the branding needs the Scale plan, or the key may not change the configuration."),
        ],
    };
    type Request = WidgetPatch;
    type Data = UpdatedConfig;
    type Answer = UpdatedConfig;

    fn variables(request: &WidgetPatch) -> Variables {
        let mut input = Map::new();
        let mut misfit = None;
        for (field, kind) in FIELDS {
            let Some(value) = request.0.get(field) else { continue };
            match kind.fitted(value) {
                Some(value) => _ = input.insert(field.to_owned(), value),
                None => misfit = misfit.or_else(|| Some(format!("{field} must be {}", kind.name()))),
            }
        }
        match misfit {
            None => json!({"input": input}).into(),
            Some(message) => {
                // An empty colour is refused, and with it all; the plan's rule is still asked first.
                input.insert("primaryColor".into(), json!(""));
                Variables::misfit(json!({"input": input}), message)
            }
        }
    }

    fn answer(_: &WidgetPatch, data: UpdatedConfig) -> UpdatedConfig {
        data
    }
}

/// The JSON type of a field.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Corner,
}

impl Kind {
    /// `value` as GraphQL takes it; none when its type does not fit.
    fn fitted(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
            (Kind::Corner, Value::String(corner)) if corner == "bottom-right" => Some(json!("BOTTOM_RIGHT")),
            (Kind::Corner, Value::String(corner)) if corner == "bottom-left" => Some(json!("BOTTOM_LEFT")),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Text => "a string",
            Kind::Flag => "true or false",
            Kind::Corner => "\"bottom-right\" or \"bottom-left\"",
        }
    }
}

/// The fields of [`WidgetConfig`] in its order, which a test compares.
const FIELDS: [(&str, Kind); 23] = [
    ("primaryColor", Kind::Text),
    ("primaryForeground", Kind::Text),
    ("backgroundColor", Kind::Text),
    ("foregroundColor", Kind::Text),
    ("secondaryColor", Kind::Text),
    ("secondaryForeground", Kind::Text),
    ("position", Kind::Corner),
    ("greeting", Kind::Text),
    ("botName", Kind::Text),
    ("showBranding", Kind::Flag),
    ("aiLanguage", Kind::Text),
    ("inputPlaceholder", Kind::Text),
    ("typingText", Kind::Text),
    ("onlineText", Kind::Text),
    ("handoffText", Kind::Text),
    ("handoffSentText", Kind::Text),
    ("emailPlaceholder", Kind::Text),
    ("emailSendText", Kind::Text),
    ("emailSkipText", Kind::Text),
    ("feedbackYesText", Kind::Text),
    ("feedbackNoText", Kind::Text),
    ("errorText", Kind::Text),
    ("networkErrorText", Kind::Text),
];

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;
    use utoipa::openapi::{RefOr, Schema};

    use super::*;

    fn variables(body: Value) -> (Value, Option<String>) {
        UpdateConfig::variables(&WidgetPatch::deserialize(&body).unwrap()).parts()
    }

    #[test]
    fn the_fields_are_those_of_the_configuration_in_its_order() {
        let RefOr::T(Schema::Object(schema)) = WidgetConfig::schema() else { panic!("an object") };

        assert!(schema.properties.keys().eq(FIELDS.iter().map(|(name, _)| name)));
    }

    #[test]
    fn known_fields_are_passed_on_and_others_ignored() {
        let (sent, misfit) = variables(json!({
            "botName": "Ada", "showBranding": false, "position": "bottom-left", "apiKey": "wk", "theme": {}
        }));

        assert_eq!(sent, json!({"input": {"botName": "Ada", "showBranding": false, "position": "BOTTOM_LEFT"}}));
        assert_eq!(misfit, None);
        assert_eq!(variables(json!({"theme": 1})), (json!({"input": {}}), None));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_refused_after_the_plan_was_asked() {
        let rows = [
            (json!({"botName": null}), "botName must be a string"),
            (json!({"greeting": 7, "botName": []}), "greeting must be a string"),
            (json!({"showBranding": "no"}), "showBranding must be true or false"),
            (json!({"position": "top"}), "position must be \"bottom-right\" or \"bottom-left\""),
        ];

        for (body, message) in rows {
            let (probe, misfit) = variables(body.clone());
            assert_eq!(misfit.as_deref(), Some(message), "{body}");
            assert_eq!(probe["input"]["primaryColor"], "", "the probe must be refused");
        }
        let (probe, _) = variables(json!({"showBranding": false, "greeting": 7}));
        assert_eq!(probe["input"]["showBranding"], false);
    }
}
