//! The route /config: the appearance and the texts of the widget.

use axum::http::Method;
use helpbot_api::Permission;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Caching, Endpoint, EndpointDoc, InvalidInput};
use crate::request::text;

const TAG: &str = "Widget";

/// The 23 configuration fields of a widget. Every field always has a value.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WidgetConfig {
    /// Color that is used for buttons and for the messages of the visitor. A hexadecimal, rgb(), hsl() or oklch() color of at most 64 characters is valid.
    #[schema(max_length = 64, examples("#2563eb"))]
    primary_color: String,
    /// Color that is used for text on the primary color.
    #[schema(max_length = 64, examples("#ffffff"))]
    primary_foreground: String,
    /// Background color that is used for the panel.
    #[schema(max_length = 64, examples("#ffffff"))]
    background_color: String,
    /// Color that is used for text on the panel.
    #[schema(max_length = 64, examples("#111827"))]
    foreground_color: String,
    /// Background color that is used for the messages of the bot.
    #[schema(max_length = 64, examples("#f3f4f6"))]
    secondary_color: String,
    /// Color that is used for text in the messages of the bot.
    #[schema(max_length = 64, examples("#111827"))]
    secondary_foreground: String,
    /// The widget appears in this corner of the page.
    position: Position,
    /// First message that the widget shows.
    #[schema(max_length = 500, examples("Hi! How can I help you?"))]
    greeting: String,
    /// Name that the header of the panel shows.
    #[schema(min_length = 1, max_length = 80, examples("HelpBot"))]
    bot_name: String,
    /// Whether the panel shows the HelpBot branding. Hiding it requires the Scale plan.
    #[schema(examples(true))]
    show_branding: bool,
    /// Language of the answers as a BCP 47 tag. The value `auto` selects the language of the question.
    #[schema(examples("auto"))]
    ai_language: String,
    /// Placeholder that the empty input field shows.
    #[schema(max_length = 500, examples("Type your question"))]
    input_placeholder: String,
    /// Text that the widget shows while it waits for an answer.
    #[schema(max_length = 500, examples("Typing"))]
    typing_text: String,
    /// Text that the header of the panel shows below the name.
    #[schema(max_length = 500, examples("Online"))]
    online_text: String,
    /// Label of the button that requests a human.
    #[schema(max_length = 500, examples("Talk to a human"))]
    handoff_text: String,
    /// Text that the widget shows after the visitor requested a human.
    #[schema(max_length = 500, examples("Thanks! Our team has been notified."))]
    handoff_sent_text: String,
    /// Placeholder that the empty e-mail field shows.
    #[schema(max_length = 500, examples("Your e-mail (optional)"))]
    email_placeholder: String,
    /// Label of the button that sends the e-mail address.
    #[schema(max_length = 500, examples("Send"))]
    email_send_text: String,
    /// Label of the button that skips the e-mail address.
    #[schema(max_length = 500, examples("Skip"))]
    email_skip_text: String,
    /// Text that the widget shows after a positive vote.
    #[schema(max_length = 500, examples("Glad it helped!"))]
    feedback_yes_text: String,
    /// Text that the widget shows after a negative vote.
    #[schema(max_length = 500, examples("Sorry about that."))]
    feedback_no_text: String,
    /// Text that the widget shows when the server returns an error.
    #[schema(max_length = 500, examples("Something went wrong. Please try again."))]
    error_text: String,
    /// Text that the widget shows when it cannot reach the server.
    #[schema(max_length = 500, examples("You seem to be offline."))]
    network_error_text: String,
}

/// The widget appears in this corner of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(examples("bottom-right"))]
pub(crate) enum Position {
    /// The widget appears in the bottom right corner. This is the default.
    #[serde(alias = "BOTTOM_RIGHT")]
    BottomRight,
    /// The widget appears in the bottom left corner.
    #[serde(alias = "BOTTOM_LEFT")]
    BottomLeft,
}

/// GET /config
pub(crate) struct ReadConfig;

/// Longest tag of a language. GraphQL ignores a longer text.
const LANGUAGE_MAX_BYTES: usize = 35;

/// The language of the visitor.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ConfigRequest {
    /// Language of the visitor as a BCP 47 tag, for the texts that the owner has written in further languages. By default
    /// the texts are those of the default language. A value that is not a tag or has more than 35 bytes counts as absent.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = false, examples("de"))]
    language: Option<String>,
}

impl ConfigRequest {
    fn language(&self) -> Option<&str> {
        self.language.as_deref().filter(|tag| tag.len() <= LANGUAGE_MAX_BYTES)
    }
}

#[derive(Deserialize)]
pub(crate) struct WidgetData {
    widget: WidgetConfig,
}

impl Endpoint for ReadConfig {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/config";
    const OPERATION: (&'static str, &'static str) = ("ReadConfig", include_str!("../operations/read_config.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "readConfig",
        summary: "Read the configuration of the widget",
        description: "Returns every field. Browsers may use the response for a minute and then revalidate it with its entity tag.",
        success: "The response contains the configuration.",
        errors: &[],
    };
    const CACHING: Caching = Caching::Minute;
    type Request = ConfigRequest;
    type Data = WidgetData;
    type Answer = WidgetConfig;

    fn variables(request: &ConfigRequest) -> Result<Value, InvalidInput> {
        Ok(json!({"language": request.language()}))
    }

    fn variant(request: &ConfigRequest) -> String {
        request.language().unwrap_or_default().to_ascii_lowercase()
    }

    fn answer(_: &ConfigRequest, data: WidgetData) -> WidgetConfig {
        data.widget
    }
}

/// PATCH /config
pub(crate) struct UpdateConfig;

/// The fields to change, as the client sent them. An absent field stays unchanged; null is an error.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct WidgetPatch(Map<String, Value>);

impl utoipa::PartialSchema for WidgetPatch {
    /// The fields of [`WidgetConfig`]. None of them is required.
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{RefOr, Schema};
        let mut schema = WidgetConfig::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.description = Some("The fields to change, at least one. Absent fields stay unchanged.".into());
        }
        schema
    }
}

impl ToSchema for WidgetPatch {}

/// The configuration after a change.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct UpdatedConfig {
    /// Names of the fields that were accepted, in the order of the configuration.
    #[schema(examples("primaryColor"))]
    updated: Vec<String>,
    /// The whole configuration after the change.
    config: WidgetConfig,
}

impl Endpoint for UpdateConfig {
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/config";
    const OPERATION: (&'static str, &'static str) =
        ("UpdateConfig", include_str!("../operations/update_config.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "updateConfig",
        summary: "Change the configuration of the widget",
        description: "Changes all fields of the request, or none of them when one value is invalid. Hiding the branding requires the Scale plan.",
        success: "The response contains the configuration after the change.",
        errors: &[
            (400, "The request contains no known field, or a value is invalid."),
            (
                403,
                "The key has no permission to change the configuration, or hiding the branding requires the Scale plan.",
            ),
        ],
    };
    type Request = WidgetPatch;
    type Data = UpdatedConfig;
    type Answer = UpdatedConfig;

    fn variables(request: &WidgetPatch) -> Result<Value, InvalidInput> {
        // An error of the plan comes before an error in any other value.
        let permission = match request.0.get("showBranding") {
            Some(Value::Bool(false)) => Permission::HideBranding,
            _ => Permission::WriteConfig,
        };
        let mut input = Map::new();
        for (field, field_type) in FIELDS {
            let Some(value) = request.0.get(field) else { continue };
            let value = field_type.graphql(value).ok_or_else(|| {
                InvalidInput::new(permission, format!("{field} must be {}", field_type.description()))
            })?;
            input.insert(field.to_owned(), value);
        }
        Ok(json!({"input": input}))
    }

    fn answer(_: &WidgetPatch, data: UpdatedConfig) -> UpdatedConfig {
        data
    }
}

/// The JSON type of a field.
#[derive(Debug, Clone, Copy)]
enum FieldType {
    Text,
    Boolean,
    Position,
}

impl FieldType {
    /// The value in GraphQL, or `None` when `value` has the wrong type.
    fn graphql(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (FieldType::Text, Value::String(_)) | (FieldType::Boolean, Value::Bool(_)) => Some(value.clone()),
            (FieldType::Position, Value::String(corner)) if corner == "bottom-right" => Some(json!("BOTTOM_RIGHT")),
            (FieldType::Position, Value::String(corner)) if corner == "bottom-left" => Some(json!("BOTTOM_LEFT")),
            _ => None,
        }
    }

    /// The expected type, for error messages.
    fn description(self) -> &'static str {
        match self {
            FieldType::Text => "a string",
            FieldType::Boolean => "true or false",
            FieldType::Position => "\"bottom-right\" or \"bottom-left\"",
        }
    }
}

/// The fields of [`WidgetConfig`] in the same order. A test compares them.
const FIELDS: [(&str, FieldType); 23] = [
    ("primaryColor", FieldType::Text),
    ("primaryForeground", FieldType::Text),
    ("backgroundColor", FieldType::Text),
    ("foregroundColor", FieldType::Text),
    ("secondaryColor", FieldType::Text),
    ("secondaryForeground", FieldType::Text),
    ("position", FieldType::Position),
    ("greeting", FieldType::Text),
    ("botName", FieldType::Text),
    ("showBranding", FieldType::Boolean),
    ("aiLanguage", FieldType::Text),
    ("inputPlaceholder", FieldType::Text),
    ("typingText", FieldType::Text),
    ("onlineText", FieldType::Text),
    ("handoffText", FieldType::Text),
    ("handoffSentText", FieldType::Text),
    ("emailPlaceholder", FieldType::Text),
    ("emailSendText", FieldType::Text),
    ("emailSkipText", FieldType::Text),
    ("feedbackYesText", FieldType::Text),
    ("feedbackNoText", FieldType::Text),
    ("errorText", FieldType::Text),
    ("networkErrorText", FieldType::Text),
];

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;
    use utoipa::openapi::{RefOr, Schema};

    use super::*;

    fn variables(body: Value) -> Result<Value, InvalidInput> {
        UpdateConfig::variables(&WidgetPatch::deserialize(&body).unwrap())
    }

    #[test]
    fn the_list_of_fields_matches_the_configuration_in_its_order() {
        let RefOr::T(Schema::Object(schema)) = WidgetConfig::schema() else { panic!("an object") };

        assert!(schema.properties.keys().eq(FIELDS.iter().map(|(name, _)| name)));
    }

    #[test]
    fn known_fields_are_passed_on_and_unknown_fields_are_ignored() {
        let sent = variables(json!({
            "botName": "Ada", "showBranding": false, "position": "bottom-left", "apiKey": "wk", "theme": {}
        }));

        assert_eq!(sent, Ok(json!({"input": {"botName": "Ada", "showBranding": false, "position": "BOTTOM_LEFT"}})));
        assert_eq!(variables(json!({"theme": 1})), Ok(json!({"input": {}})));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_reported_after_the_permission_was_checked() {
        let rows = [
            (json!({"botName": null}), "botName must be a string"),
            (json!({"greeting": 7, "botName": []}), "greeting must be a string"),
            (json!({"showBranding": "no"}), "showBranding must be true or false"),
            (json!({"position": "top"}), "position must be \"bottom-right\" or \"bottom-left\""),
        ];

        for (body, message) in rows {
            assert_eq!(variables(body.clone()), Err(InvalidInput::new(Permission::WriteConfig, message)), "{body}");
        }
        let hidden = variables(json!({"showBranding": false, "greeting": 7})).unwrap_err();
        assert_eq!(hidden, InvalidInput::new(Permission::HideBranding, "greeting must be a string"));
    }
}
