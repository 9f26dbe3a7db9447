//! The widget settings: the 23 documented fields, their defaults and their rules, and the starter questions, which REST
//! does not have. [`widget_texts`](crate::widget_texts) has the texts in further languages.

use serde::{Deserialize, Serialize};

use crate::plan::{Feature, Plan};
use crate::{Invalid, language, text};

const COLOR_MAX_CHARS: usize = 64;
const TEXT_MAX_CHARS: usize = 500;
const BOT_NAME_MAX_CHARS: usize = 80;
/// Maximum number of starter questions. More do not fit into the panel on a phone.
const STARTER_QUESTIONS_MAX: usize = 6;
/// Maximum length of a starter question in characters: three lines of the panel.
const STARTER_QUESTION_MAX_CHARS: usize = 120;
/// Name of the starter questions in GraphQL.
const STARTER_QUESTIONS: &str = "starterQuestions";

/// The corner of the page where the widget appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Bottom right corner.
    BottomRight,
    /// Bottom left corner.
    BottomLeft,
}

macro_rules! widget {
    ($(#[$doc:meta] $name:literal $field:ident: $type:ty = $default:expr, $check:ident;)+) => {
        /// Colors and texts of a site's widget. Every field always has a value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct WidgetConfig {
            $(#[$doc] pub $field: $type,)+
            /// Questions that the panel offers before the first one is asked.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub starter_questions: Vec<String>,
        }

        impl Default for WidgetConfig {
            fn default() -> Self {
                Self { $($field: $default,)+ starter_questions: Vec::new() }
            }
        }

        /// A change of some fields. Absent fields stay unchanged.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct WidgetPatch {
            $(#[$doc] pub $field: Option<$type>,)+
            /// Questions that the panel offers before the first one is asked.
            pub starter_questions: Option<Vec<String>>,
        }

        impl WidgetPatch {
            /// Returns a patch with those fields of `config` for whose documented names `is_wanted`
            /// returns true.
            pub fn of(config: WidgetConfig, is_wanted: impl Fn(&str) -> bool) -> Self {
                Self {
                    $($field: is_wanted($name).then_some(config.$field),)+
                    starter_questions: is_wanted(STARTER_QUESTIONS).then_some(config.starter_questions),
                }
            }
        }

        impl WidgetConfig {
            /// Documented names of the fields, in the documented order.
            pub const FIELDS: &'static [&'static str] = &[$($name,)+];

            /// Applies `patch`, and returns the new settings with the names of the changed fields
            /// in the documented order. Either all fields are changed or none.
            ///
            /// # Errors
            /// Names all invalid fields, or `config` when the patch is empty.
            pub fn patched(&self, patch: WidgetPatch) -> Result<(Self, Vec<&'static str>), Invalid> {
                let mut config = self.clone();
                let (mut updated, mut rejected) = (Vec::new(), None);
                $(if let Some(value) = patch.$field {
                    match $check($name, value) {
                        Ok(value) => config.$field = value,
                        Err(invalid) => Invalid::add(&mut rejected, invalid),
                    }
                    updated.push($name);
                })+
                if let Some(questions) = patch.starter_questions {
                    match starter_questions(&questions) {
                        Ok(questions) => config.starter_questions = questions,
                        Err(invalid) => Invalid::add(&mut rejected, invalid),
                    }
                    updated.push(STARTER_QUESTIONS);
                }
                if let Some(rejected) = rejected {
                    return Err(rejected);
                }
                if updated.is_empty() {
                    return Err(Invalid::new("config", "No valid fields to update"));
                }
                Ok((config, updated))
            }
        }
    };
}

widget! {
    /// Color of buttons and of the visitor's messages.
    "primaryColor" primary_color: String = "#2563eb".into(), color;
    /// Color of text on the primary color.
    "primaryForeground" primary_foreground: String = "#ffffff".into(), color;
    /// Background color of the panel.
    "backgroundColor" background_color: String = "#ffffff".into(), color;
    /// Color of text in the panel.
    "foregroundColor" foreground_color: String = "#111827".into(), color;
    /// Color of the bot's messages.
    "secondaryColor" secondary_color: String = "#f3f4f6".into(), color;
    /// Color of text in the bot's messages.
    "secondaryForeground" secondary_foreground: String = "#111827".into(), color;
    /// Corner of the page where the widget appears.
    "position" position: Position = Position::BottomRight, any;
    /// First message of the bot.
    "greeting" greeting: String = "Hi! How can I help you?".into(), words;
    /// Name in the header of the panel.
    "botName" bot_name: String = "HelpBot".into(), name;
    /// Whether the panel shows "Powered by HelpBot".
    "showBranding" show_branding: bool = true, any;
    /// Language of answers as a BCP 47 tag, or `auto` for the language of the question.
    "aiLanguage" ai_language: String = language::AUTO.into(), language_tag;
    /// Placeholder of the input field.
    "inputPlaceholder" input_placeholder: String = "Type your question\u{2026}".into(), words;
    /// Text that is shown while an answer is generated.
    "typingText" typing_text: String = "Typing\u{2026}".into(), words;
    /// Text below the name in the header of the panel.
    "onlineText" online_text: String = "Online".into(), words;
    /// Label of the button that asks for a human.
    "handoffText" handoff_text: String = "Talk to a human".into(), words;
    /// Text that is shown after a visitor asked for a human.
    "handoffSentText" handoff_sent_text: String = "Thanks! Our team has been notified.".into(), words;
    /// Placeholder of the e-mail field.
    "emailPlaceholder" email_placeholder: String = "Your e-mail (optional)".into(), words;
    /// Label of the button that sends the e-mail address.
    "emailSendText" email_send_text: String = "Send".into(), words;
    /// Label of the button that skips the e-mail address.
    "emailSkipText" email_skip_text: String = "Skip".into(), words;
    /// Text that is shown after a positive vote.
    "feedbackYesText" feedback_yes_text: String = "Glad it helped!".into(), words;
    /// Text that is shown after a negative vote.
    "feedbackNoText" feedback_no_text: String = "Sorry about that. Would you like to talk to a human?".into(), words;
    /// Text that is shown when the server returns an error.
    "errorText" error_text: String = "Something went wrong. Please try again.".into(), words;
    /// Text that is shown when the server cannot be reached.
    "networkErrorText" network_error_text: String = "You seem to be offline. Please check your connection.".into(), words;
}

impl WidgetConfig {
    /// Returns the settings as they apply on `plan`: a plan without the feature to remove the
    /// branding always shows it.
    pub fn shown_on(mut self, plan: Plan) -> Self {
        self.show_branding = self.show_branding || !plan.allows(Feature::RemoveBranding);
        self
    }
}

fn any<T>(_: &'static str, value: T) -> Result<T, Invalid> {
    Ok(value)
}

pub(crate) fn words(field: &'static str, value: String) -> Result<String, Invalid> {
    text::bounded(field, &value, TEXT_MAX_CHARS)
}

pub(crate) fn name(field: &'static str, value: String) -> Result<String, Invalid> {
    text::required(field, &value, BOT_NAME_MAX_CHARS)
}

pub(crate) fn starter_questions(questions: &[String]) -> Result<Vec<String>, Invalid> {
    if questions.len() > STARTER_QUESTIONS_MAX {
        let message = format!("A widget can have at most {STARTER_QUESTIONS_MAX} starter questions.");
        return Err(Invalid::new(STARTER_QUESTIONS, message));
    }
    let checked =
        |question: &String| text::required(STARTER_QUESTIONS, &text::one_line(question), STARTER_QUESTION_MAX_CHARS);
    questions.iter().map(checked).collect()
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

/// Validates a CSS color that cannot break out of its declaration: hex with 3, 4, 6 or 8 digits, or
/// a plain rgb(), hsl() or oklch() call with numbers.
fn color(field: &'static str, value: String) -> Result<String, Invalid> {
    let text = value.trim();
    let is_hex = text
        .strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_good = text.len() <= COLOR_MAX_CHARS && (is_hex || is_color_call(text));
    if is_good {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(field, format!("{field} must be a hex, rgb(), hsl() or oklch() color")))
    }
}

fn is_color_call(text: &str) -> bool {
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
    fn the_23_fields_have_their_documented_json_names() {
        let json = serde_json::to_value(WidgetConfig::default()).expect("plain data");

        assert_eq!(json.as_object().map(serde_json::Map::len), Some(23));
        assert!(WidgetConfig::FIELDS.iter().all(|name| !json[name].is_null()));
        assert_eq!(json["position"], "bottom-right");
        assert_eq!(json["primaryForeground"], "#ffffff");
    }

    #[test]
    fn a_patch_applies_completely_and_names_the_changed_fields_in_order() {
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
    fn starter_questions_are_few_short_and_on_one_line() {
        let config = WidgetConfig::default();
        let with = |questions: Vec<String>| {
            config.patched(WidgetPatch { starter_questions: Some(questions), ..WidgetPatch::default() })
        };

        let (changed, updated) = with(vec![" Do you\nship? ".into()]).expect("a valid question");
        assert_eq!((changed.starter_questions, updated), (vec!["Do you ship?".to_owned()], vec!["starterQuestions"]));
        for wrong in [vec!["Hi?".to_owned(); 7], vec!["x".repeat(121)], vec![" ".into()]] {
            assert_eq!(with(wrong.clone()).map_err(|invalid| invalid.field), Err("starterQuestions"), "{wrong:?}");
        }
    }

    #[test]
    fn colors_that_could_break_out_of_their_declaration_are_rejected() {
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
            assert!(color("primaryColor", good.into()).is_ok(), "{good}");
        }
        for bad in
            ["", "red", "#12", "#ggg", "rgb(1;2)", "rgb()", "url(x)", "#fff;}", "rgb(1)}<", "var(--x)", "expression(1)"]
        {
            assert!(color("primaryColor", bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_downgraded_site_shows_the_branding_again() {
        let config = WidgetConfig { show_branding: false, ..WidgetConfig::default() };

        assert!(!config.clone().shown_on(Plan::Scale).show_branding);
        assert!(config.shown_on(Plan::Growth).show_branding);
    }
}
