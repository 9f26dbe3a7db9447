//! The widget's settings: the 23 documented fields, their defaults and their rules.

use serde::{Deserialize, Serialize};

use crate::plan::{Feature, Plan};
use crate::{Invalid, language, text};

const COLOUR_MAX_CHARS: usize = 64;
const TEXT_MAX_CHARS: usize = 500;
const BOT_NAME_MAX_CHARS: usize = 80;

/// The corner of the page that the widget stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// The usual place.
    BottomRight,
    /// Its mirror.
    BottomLeft,
}

macro_rules! widget {
    ($(#[$doc:meta] $name:literal $field:ident: $type:ty = $default:expr, $check:ident;)+) => {
        /// Looks and words of a site's widget; every field always has a value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct WidgetConfig {
            $(#[$doc] pub $field: $type,)+
        }

        impl Default for WidgetConfig {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// A change of some fields; what is absent stays as it is.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct WidgetPatch {
            $(#[$doc] pub $field: Option<$type>,)+
        }

        impl WidgetPatch {
            /// The change to `config` in those fields of which the documented name is wanted.
            pub fn of(config: WidgetConfig, is_wanted: impl Fn(&str) -> bool) -> Self {
                Self { $($field: is_wanted($name).then_some(config.$field),)+ }
            }
        }

        impl WidgetConfig {
            /// The documented names of the fields, in the documented order.
            pub const FIELDS: &'static [&'static str] = &[$($name,)+];

            /// The settings after `patch`, and the names of the fields that it holds, in the
            /// documented order. All or nothing.
            ///
            /// # Errors
            /// The first field with a bad value, or `config` when the patch is empty.
            pub fn patched(&self, patch: WidgetPatch) -> Result<(Self, Vec<&'static str>), Invalid> {
                let mut config = self.clone();
                let mut updated = Vec::new();
                $(if let Some(value) = patch.$field {
                    config.$field = $check($name, value)?;
                    updated.push($name);
                })+
                if updated.is_empty() {
                    return Err(Invalid::new("config", "No valid fields to update"));
                }
                Ok((config, updated))
            }
        }
    };
}

widget! {
    /// Buttons and the visitor's bubbles.
    "primaryColor" primary_color: String = "#2563eb".into(), colour;
    /// Text on the primary colour.
    "primaryForeground" primary_foreground: String = "#ffffff".into(), colour;
    /// The panel.
    "backgroundColor" background_color: String = "#ffffff".into(), colour;
    /// Text on the panel.
    "foregroundColor" foreground_color: String = "#111827".into(), colour;
    /// The bot's bubbles.
    "secondaryColor" secondary_color: String = "#f3f4f6".into(), colour;
    /// Text in the bot's bubbles.
    "secondaryForeground" secondary_foreground: String = "#111827".into(), colour;
    /// The corner of the page.
    "position" position: Position = Position::BottomRight, any;
    /// The first message.
    "greeting" greeting: String = "Hi! How can I help you?".into(), words;
    /// The name in the panel's head.
    "botName" bot_name: String = "HelpBot".into(), name;
    /// Whether the panel names its maker.
    "showBranding" show_branding: bool = true, any;
    /// The language of answers, as a BCP 47 tag; `auto` means as the visitor writes.
    "aiLanguage" ai_language: String = language::AUTO.into(), language_tag;
    /// In the empty input field.
    "inputPlaceholder" input_placeholder: String = "Type your question\u{2026}".into(), words;
    /// While an answer is being made.
    "typingText" typing_text: String = "Typing\u{2026}".into(), words;
    /// Under the name in the panel's head.
    "onlineText" online_text: String = "Online".into(), words;
    /// The button that asks for a human.
    "handoffText" handoff_text: String = "Talk to a human".into(), words;
    /// After a human was asked for.
    "handoffSentText" handoff_sent_text: String = "Thanks! Our team has been notified.".into(), words;
    /// In the empty e-mail field.
    "emailPlaceholder" email_placeholder: String = "Your e-mail (optional)".into(), words;
    /// The button that sends the e-mail address.
    "emailSendText" email_send_text: String = "Send".into(), words;
    /// The button that leaves it out.
    "emailSkipText" email_skip_text: String = "Skip".into(), words;
    /// After a good vote.
    "feedbackYesText" feedback_yes_text: String = "Glad it helped!".into(), words;
    /// After a bad vote.
    "feedbackNoText" feedback_no_text: String = "Sorry about that. Would you like to talk to a human?".into(), words;
    /// When the server could not answer.
    "errorText" error_text: String = "Something went wrong. Please try again.".into(), words;
    /// When the server could not be reached.
    "networkErrorText" network_error_text: String = "You seem to be offline. Please check your connection.".into(), words;
}

impl WidgetConfig {
    /// The settings as a site on `plan` shows them: a site that no longer may hide our name
    /// shows it, whatever it had chosen.
    pub fn shown_on(mut self, plan: Plan) -> Self {
        self.show_branding = self.show_branding || !plan.allows(Feature::RemoveBranding);
        self
    }
}

fn any<T>(_: &'static str, value: T) -> Result<T, Invalid> {
    Ok(value)
}

fn words(field: &'static str, value: String) -> Result<String, Invalid> {
    text::bounded(field, &value, TEXT_MAX_CHARS)
}

fn name(field: &'static str, value: String) -> Result<String, Invalid> {
    text::required(field, &value, BOT_NAME_MAX_CHARS)
}

fn language_tag(field: &'static str, value: String) -> Result<String, Invalid> {
    let tag = value.trim();
    if tag.is_empty() || tag.eq_ignore_ascii_case(language::AUTO) {
        return Ok(language::AUTO.to_owned());
    }
    match language::primary(tag) {
        Some(_) => Ok(tag.to_owned()),
        None => Err(Invalid::new(field, format!("{field} must be \"auto\" or a language tag such as \"en\""))),
    }
}

/// A CSS colour that cannot leave its declaration: hex with 3, 4, 6 or 8 digits, or a plain
/// rgb(), hsl() or oklch() call of numbers.
fn colour(field: &'static str, value: String) -> Result<String, Invalid> {
    let text = value.trim();
    let is_hex = text
        .strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_good = text.len() <= COLOUR_MAX_CHARS && (is_hex || is_colour_call(text));
    if is_good {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(field, format!("{field} must be a hex, rgb(), hsl() or oklch() colour")))
    }
}

fn is_colour_call(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let arguments = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch("]
        .iter()
        .find_map(|call| lower.strip_prefix(call))
        .and_then(|rest| rest.strip_suffix(')'));
    arguments.is_some_and(|arguments| {
        arguments.bytes().any(|b| b.is_ascii_digit())
            && arguments.bytes().all(|b| b.is_ascii_digit() || b" .,%/+-degturnra".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_twenty_three_fields_and_json_names_them_as_documented() {
        let json = serde_json::to_value(WidgetConfig::default()).expect("plain data");

        assert_eq!(json.as_object().map(serde_json::Map::len), Some(23));
        assert!(WidgetConfig::FIELDS.iter().all(|name| !json[name].is_null()));
        assert_eq!(json["position"], "bottom-right");
        assert_eq!(json["primaryForeground"], "#ffffff");
    }

    #[test]
    fn a_patch_is_all_or_nothing_and_names_what_it_changed_in_order() {
        let config = WidgetConfig::default();
        let good =
            WidgetPatch { bot_name: Some("Ada".into()), primary_color: Some("#abc".into()), ..WidgetPatch::default() };
        let bad = WidgetPatch { greeting: Some("x".repeat(501)), ..good.clone() };

        assert_eq!(config.patched(good).map(|(_, updated)| updated), Ok(vec!["primaryColor", "botName"]));
        assert_eq!(config.patched(bad).map_err(|e| e.field), Err("greeting"));
        assert_eq!(
            config.patched(WidgetPatch::default()).map_err(|e| e.message),
            Err("No valid fields to update".into())
        );
    }

    #[test]
    fn colours_that_could_leave_their_declaration_are_refused() {
        for good in [
            "#fff",
            "#ffff",
            "#a1b2c3",
            "#a1b2c3d4",
            "rgb(1, 2, 3)",
            "rgb(1 2 3 / 50%)",
            "hsl(120deg 50% 50%)",
            "oklch(0.7 0.1 200)",
        ] {
            assert!(colour("primaryColor", good.into()).is_ok(), "{good}");
        }
        for bad in
            ["", "red", "#12", "#ggg", "rgb(1;2)", "rgb()", "url(x)", "#fff;}", "rgb(1)}<", "var(--x)", "expression(1)"]
        {
            assert!(colour("primaryColor", bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_downgraded_site_shows_the_branding_again() {
        let config = WidgetConfig { show_branding: false, ..WidgetConfig::default() };

        assert!(!config.clone().shown_on(Plan::Scale).show_branding);
        assert!(config.shown_on(Plan::Growth).show_branding);
    }
}
