//! The texts of the widget in further languages: what the owner has written, and the inputs and results of the mutations
//! that change it ([`mutation`](super::mutation)).

use async_graphql::MaybeUndefined;
use helpbot_api_macros::OutputObject;
use helpbot_domain::site::Site;
use helpbot_domain::widget_texts::WidgetTextsPatch;
use helpbot_services as services;
use helpbot_services::accounts::widget_texts::{self, TextsOfLanguage};

use super::widget::WidgetConfig;
use crate::schema::access::Access;
use crate::schema::mutation::{changed, input, payload};

macro_rules! text_fields {
    ($($(#[$doc:meta])+ $field:ident;)+) => {
        /// Texts of the widget that the owner has written for one language. Each text is null while the owner has
        /// written none; the widget then shows the one of `fallback`.
        #[derive(Clone, OutputObject)]
        pub struct WidgetTexts {
            /// Language in which the texts are written, as a BCP 47 tag, for example `pt-BR`.
            language: String,
            $($(#[$doc])+ $field: Option<String>,)+
            /// Questions that the panel offers before the first one is asked, at most 6 of at most 120 characters.
            starter_questions: Option<Vec<String>>,
            /// Configuration that a visitor of the language sees where the owner has written no text for it: the texts
            /// of a less specific language, built-in texts, and those of the default language.
            fallback: WidgetConfig,
        }

        impl From<TextsOfLanguage> for WidgetTexts {
            fn from(of: TextsOfLanguage) -> Self {
                let TextsOfLanguage { language, texts, fallback } = of;
                Self {
                    language,
                    $($field: texts.$field,)+
                    starter_questions: texts.starter_questions,
                    fallback: fallback.into(),
                }
            }
        }

        input! {
            /// Arguments that `setWidgetTexts` accepts. Texts that are absent stay unchanged, and null removes a text.
            SetWidgetTextsInput {
                /// Language in which the texts are written, as a BCP 47 tag of at most 35 characters, for example `de` or `pt-BR`.
                language: String,
                $(
                    $(#[$doc])+
                    ///
                    /// Null removes the text. It stays unchanged when it is absent.
                    $field: MaybeUndefined<String>,
                )+
                /// Questions that the panel offers before the first one is asked, at most 6 of 1 to 120 characters. An
                /// empty list offers none in this language.
                ///
                /// Null removes the list. It stays unchanged when it is absent.
                starter_questions: MaybeUndefined<Vec<String>>,
            }
        }

        impl SetWidgetTextsInput {
            /// The change that the input asks for.
            pub(super) fn patch(self) -> WidgetTextsPatch {
                WidgetTextsPatch {
                    $($field: changed(self.$field),)+
                    starter_questions: changed(self.starter_questions),
                }
            }
        }
    };
}

text_fields! {
    /// First message that the widget shows, at most 500 characters.
    greeting;
    /// Name that the header of the panel shows, 1 to 80 characters.
    bot_name;
    /// Text that is shown in the empty input field, at most 500 characters.
    input_placeholder;
    /// Text that is shown while an answer is generated, at most 500 characters.
    typing_text;
    /// Text that is shown below the name in the header of the panel, at most 500 characters.
    online_text;
    /// Label of the button that asks for a human, at most 500 characters.
    handoff_text;
    /// Text that is shown after the visitor asked for a human, at most 500 characters.
    handoff_sent_text;
    /// Text that is shown in the empty e-mail field, at most 500 characters.
    email_placeholder;
    /// Label of the button that sends the e-mail address, at most 500 characters.
    email_send_text;
    /// Label of the button that skips the e-mail address, at most 500 characters.
    email_skip_text;
    /// Text that is shown after a helpful vote, at most 500 characters.
    feedback_yes_text;
    /// Text that is shown after an unhelpful vote, at most 500 characters.
    feedback_no_text;
    /// Text that is shown when the server fails to answer, at most 500 characters.
    error_text;
    /// Text that is shown when the widget cannot connect to the server, at most 500 characters.
    network_error_text;
}

payload! {
    /// Result that `setWidgetTexts` returns.
    SetWidgetTextsPayload {
        /// All texts of the language after the change. It is null when the mutation failed.
        texts: Option<WidgetTexts>,
    }
}

input! {
    /// Arguments that `deleteWidgetTexts` accepts.
    DeleteWidgetTextsInput {
        /// Language whose texts are deleted, as a BCP 47 tag.
        language: String,
    }
}

payload! {
    /// Result that `deleteWidgetTexts` returns.
    DeleteWidgetTextsPayload {
        /// Language whose texts were deleted. It is null when the mutation failed.
        deleted_language: Option<String>,
    }
}

/// The texts of a site, of named languages or of all that have some.
pub(super) fn list(access: &Access, site: &Site, named: Option<&[String]>) -> services::Result<Vec<WidgetTexts>> {
    let found = widget_texts::list(&access.viewer, site, named)?;
    Ok(found.into_iter().map(WidgetTexts::from).collect())
}
