//! The widget's settings as GraphQL shows and takes them: the 23 documented fields.

use async_graphql::{ID, InputObject, SimpleObject};
use helpbot_domain::widget;

use crate::schema::enums::WidgetPosition;

macro_rules! widget_fields {
    ($($(#[$doc:meta])+ $field:ident: $type:ty;)+) => {
        /// Looks and words of the widget of a site; every field always has a value.
        #[derive(Clone, SimpleObject)]
        pub struct WidgetConfig {
            $($(#[$doc])+ $field: $type,)+
        }

        impl From<widget::WidgetConfig> for WidgetConfig {
            fn from(config: widget::WidgetConfig) -> Self {
                Self { $($field: config.$field.into(),)+ }
            }
        }

        /// A change of the widget; what is absent stays as it is.
        #[derive(InputObject)]
        pub struct UpdateWidgetConfigInput {
            /// The site; the own one of the key if not said.
            pub(super) site_id: Option<ID>,
            $($(#[$doc])+ $field: Option<$type>,)+
        }

        impl UpdateWidgetConfigInput {
            /// The change that it asks for.
            pub(super) fn patch(self) -> widget::WidgetPatch {
                widget::WidgetPatch { $($field: self.$field.map(Into::into),)+ }
            }
        }
    };
}

widget_fields! {
    /// Colour of buttons and of the bubbles of the visitor.
    primary_color: String;
    /// Colour of text on the primary colour.
    primary_foreground: String;
    /// Colour of the panel.
    background_color: String;
    /// Colour of text on the panel.
    foreground_color: String;
    /// Colour of the bubbles of the bot.
    secondary_color: String;
    /// Colour of text in the bubbles of the bot.
    secondary_foreground: String;
    /// The corner of the page.
    position: WidgetPosition;
    /// The first message.
    greeting: String;
    /// The name in the head of the panel.
    bot_name: String;
    /// Whether the panel names its maker; may be turned off on the Scale plan.
    show_branding: bool;
    /// The language of answers, as a BCP 47 tag; `auto` means as the visitor writes.
    ai_language: String;
    /// In the empty input field.
    input_placeholder: String;
    /// While an answer is being made.
    typing_text: String;
    /// Under the name in the head of the panel.
    online_text: String;
    /// On the button that asks for a human.
    handoff_text: String;
    /// After a human was asked for.
    handoff_sent_text: String;
    /// In the empty e-mail field.
    email_placeholder: String;
    /// On the button that sends the e-mail address.
    email_send_text: String;
    /// On the button that leaves it out.
    email_skip_text: String;
    /// After a good vote.
    feedback_yes_text: String;
    /// After a bad vote.
    feedback_no_text: String;
    /// When the server could not answer.
    error_text: String;
    /// When the server could not be reached.
    network_error_text: String;
}
