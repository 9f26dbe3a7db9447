//! The configuration of the widget: the 23 documented fields and the starter questions, as GraphQL returns and accepts
//! them.

use async_graphql::{ID, InputObject};
use helpbot_api_macros::OutputObject;
use helpbot_domain::widget;

use crate::schema::enums::WidgetPosition;

macro_rules! widget_fields {
    ($($(#[$doc:meta])+ $field:ident: $type:ty;)+) => {
        /// Colors, texts and position of the widget that web pages of a site show.
        #[derive(Clone, OutputObject)]
        pub struct WidgetConfig {
            $($(#[$doc])+ $field: $type,)+
            /// Questions that the panel offers before the first one is asked, at most 6 of at most 120 characters.
            /// Visitors ask them with a click. The attribute `questions` of a page replaces them. Defaults to an empty
            /// list.
            starter_questions: Vec<String>,
        }

        impl From<widget::WidgetConfig> for WidgetConfig {
            fn from(config: widget::WidgetConfig) -> Self {
                Self { $($field: config.$field.into(),)+ starter_questions: config.starter_questions }
            }
        }

        /// Arguments that `updateWidgetConfig` accepts. Fields that are absent stay unchanged.
        #[derive(InputObject)]
        pub struct UpdateWidgetConfigInput {
            /// ID of the site. Defaults to the site that the API key belongs to. An operator key requires it.
            pub(super) site_id: Option<ID>,
            $(
                $(#[$doc])+
                ///
                /// The setting stays unchanged when this field is absent or null.
                $field: Option<$type>,
            )+
            /// Questions that the panel offers before the first one is asked, at most 6 of 1 to 120 characters. An empty
            /// list removes them.
            ///
            /// The setting stays unchanged when this field is absent or null.
            starter_questions: Option<Vec<String>>,
        }

        impl UpdateWidgetConfigInput {
            /// The change that the input asks for.
            pub(super) fn patch(self) -> widget::WidgetPatch {
                widget::WidgetPatch {
                    $($field: self.$field.map(Into::into),)+
                    starter_questions: self.starter_questions,
                }
            }
        }
    };
}

widget_fields! {
    /// CSS color of buttons and of the visitor's messages, at most 64 characters. Defaults to `#2563eb`.
    primary_color: String;
    /// CSS color of text on the primary color, at most 64 characters. Defaults to `#ffffff`.
    primary_foreground: String;
    /// CSS color of the panel, at most 64 characters. Defaults to `#ffffff`.
    background_color: String;
    /// CSS color of text on the panel, at most 64 characters. Defaults to `#111827`.
    foreground_color: String;
    /// CSS color of the messages of HelpBot, at most 64 characters. Defaults to `#f3f4f6`.
    secondary_color: String;
    /// CSS color of text in the messages of HelpBot, at most 64 characters. Defaults to `#111827`.
    secondary_foreground: String;
    /// Corner of the web page in which the widget is shown. Defaults to `BOTTOM_RIGHT`.
    position: WidgetPosition;
    /// First message that the widget shows, at most 500 characters.
    greeting: String;
    /// Name that the header of the panel shows, at most 80 characters. Defaults to `HelpBot`.
    bot_name: String;
    /// Whether the panel shows the name HelpBot. Only sites on the Scale plan can set it to false. Defaults
    /// to true.
    show_branding: bool;
    /// Language of answers as a BCP 47 tag. The default, `auto`, uses the language of the question for
    /// answers, and the language of the page or browser for the texts of the widget.
    ai_language: String;
    /// Text that is shown in the empty input field, at most 500 characters.
    input_placeholder: String;
    /// Text that is shown while an answer is generated, at most 500 characters.
    typing_text: String;
    /// Text that is shown below the name in the header of the panel, at most 500 characters.
    online_text: String;
    /// Label of the button that asks for a human, at most 500 characters.
    handoff_text: String;
    /// Text that is shown after the visitor asked for a human, at most 500 characters.
    handoff_sent_text: String;
    /// Text that is shown in the empty e-mail field, at most 500 characters.
    email_placeholder: String;
    /// Label of the button that sends the e-mail address, at most 500 characters.
    email_send_text: String;
    /// Label of the button that skips the e-mail address, at most 500 characters.
    email_skip_text: String;
    /// Text that is shown after a helpful vote, at most 500 characters.
    feedback_yes_text: String;
    /// Text that is shown after an unhelpful vote, at most 500 characters.
    feedback_no_text: String;
    /// Text that is shown when the server fails to answer, at most 500 characters.
    error_text: String;
    /// Text that is shown when the widget cannot connect to the server, at most 500 characters.
    network_error_text: String;
}
