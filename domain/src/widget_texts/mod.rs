//! The texts of the widget in further languages, which the owner writes, and what a visitor of a language sees.
//!
//! The texts of [`WidgetConfig`] are those of the site's default language. For a visitor of another language each text is,
//! in this order: the owner's text in that language; the built-in text of that language, while the owner has left the text of
//! the default language as it was; the text of the default language. A widget whose owner writes nothing is therefore
//! translated, and a built-in text never replaces a text that the owner has written (docs/decisions/0066).

mod built_in;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::widget::{WidgetConfig, name, starter_questions, words};
use crate::{Invalid, language};

/// Maximum number of languages in which a site has texts. The European Union has 24 official languages; all texts of one
/// language have at most 32 KB, so those of a site stay below 1 MB.
pub const LANGUAGES_MAX: usize = 30;

macro_rules! texts {
    ($($(#[$doc:meta])+ $name:literal $field:ident, $check:ident;)+) => {
        /// What the owner has written for one language. `None` means that the owner has written nothing.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct WidgetTexts {
            $($(#[$doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<String>,)+
            /// Questions that the panel offers before the first one is asked.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub starter_questions: Option<Vec<String>>,
        }

        /// A change of some texts. `None` leaves a text unchanged, and `Some(None)` removes it.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct WidgetTextsPatch {
            $($(#[$doc])+ pub $field: Option<Option<String>>,)+
            /// Questions that the panel offers before the first one is asked.
            pub starter_questions: Option<Option<Vec<String>>>,
        }

        impl WidgetTexts {
            /// Returns the texts after a change. Either all texts are changed or none.
            ///
            /// # Errors
            /// Names all invalid texts.
            fn patched(mut self, patch: WidgetTextsPatch) -> Result<Self, Invalid> {
                let mut rejected = None;
                $(if let Some(value) = patch.$field {
                    match value.map(|value| $check($name, value)).transpose() {
                        Ok(value) => self.$field = value,
                        Err(invalid) => Invalid::add(&mut rejected, invalid),
                    }
                })+
                if let Some(questions) = patch.starter_questions {
                    match questions.map(|questions| starter_questions(&questions)).transpose() {
                        Ok(questions) => self.starter_questions = questions,
                        Err(invalid) => Invalid::add(&mut rejected, invalid),
                    }
                }
                rejected.map_or(Ok(self), Err)
            }

            /// Adds the texts of a less specific language that this one does not have.
            fn add_missing(&mut self, less_specific: &Self) {
                $(if self.$field.is_none() { self.$field.clone_from(&less_specific.$field); })+
                if self.starter_questions.is_none() {
                    self.starter_questions.clone_from(&less_specific.starter_questions);
                }
            }

            /// Replaces the texts of `config` by those that the owner has written.
            fn apply(self, config: &mut WidgetConfig) {
                $(if let Some(text) = self.$field { config.$field = text; })+
                if let Some(questions) = self.starter_questions {
                    config.starter_questions = questions;
                }
            }
        }
    };
}

texts! {
    /// First message of the bot.
    "greeting" greeting, words;
    /// Name in the header of the panel.
    "botName" bot_name, name;
    /// Placeholder of the input field.
    "inputPlaceholder" input_placeholder, words;
    /// Text that is shown while an answer is generated.
    "typingText" typing_text, words;
    /// Text below the name in the header of the panel.
    "onlineText" online_text, words;
    /// Label of the button that asks for a human.
    "handoffText" handoff_text, words;
    /// Text that is shown after a visitor asked for a human.
    "handoffSentText" handoff_sent_text, words;
    /// Placeholder of the e-mail field.
    "emailPlaceholder" email_placeholder, words;
    /// Label of the button that sends the e-mail address.
    "emailSendText" email_send_text, words;
    /// Label of the button that skips the e-mail address.
    "emailSkipText" email_skip_text, words;
    /// Text that is shown after a positive vote.
    "feedbackYesText" feedback_yes_text, words;
    /// Text that is shown after a negative vote.
    "feedbackNoText" feedback_no_text, words;
    /// Text that is shown when the server returns an error.
    "errorText" error_text, words;
    /// Text that is shown when the server cannot be reached.
    "networkErrorText" network_error_text, words;
}

/// The texts of a site by language, in the order of the tags. Each language has at least one text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WidgetTranslations(BTreeMap<String, WidgetTexts>);

/// Why texts are not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextsRefused {
    /// The language or a text is invalid.
    Invalid(Invalid),
    /// The site has texts in [`LANGUAGES_MAX`] other languages.
    TooManyLanguages,
}

impl From<Invalid> for TextsRefused {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl WidgetTranslations {
    /// The tags of the languages in which the owner has written texts.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The texts of the language with this tag, in its usual spelling.
    pub fn get(&self, tag: &str) -> Option<&WidgetTexts> {
        self.0.get(tag)
    }

    /// Changes texts of a language and returns its tag with the texts after the change. A language without texts is removed.
    ///
    /// # Errors
    /// `TextsRefused`; then nothing is changed.
    pub fn set(&mut self, tag: &str, patch: WidgetTextsPatch) -> Result<(String, WidgetTexts), TextsRefused> {
        let tag = language_of(tag)?;
        let texts = self.0.get(&tag).cloned().unwrap_or_default().patched(patch)?;
        if texts == WidgetTexts::default() {
            self.0.remove(&tag);
        } else if self.0.contains_key(&tag) || self.0.len() < LANGUAGES_MAX {
            self.0.insert(tag.clone(), texts.clone());
        } else {
            return Err(TextsRefused::TooManyLanguages);
        }
        Ok((tag, texts))
    }

    /// Deletes the texts of a language and returns its tag. `None` when the site has none in it.
    ///
    /// # Errors
    /// `Invalid` for a text that is not a language tag.
    pub fn delete(&mut self, tag: &str) -> Result<Option<String>, Invalid> {
        let tag = language_of(tag)?;
        Ok(self.0.remove(&tag).map(|_| tag))
    }

    /// Returns the settings for a visitor of a language, who sees the language of the site when the owner has chosen one. Any
    /// text that is not a language tag leaves the settings as they are.
    pub fn shown_in(&self, config: &WidgetConfig, tag: &str) -> WidgetConfig {
        self.shown(config, tag, true)
    }

    /// Returns the settings that a visitor of a language would see without the texts that the owner has written for exactly
    /// this language.
    pub fn fallback_in(&self, config: &WidgetConfig, tag: &str) -> WidgetConfig {
        self.shown(config, tag, false)
    }

    fn shown(&self, config: &WidgetConfig, tag: &str, has_own: bool) -> WidgetConfig {
        let chosen = language::canonical(&config.ai_language).filter(|_| has_own);
        let Some(tag) = chosen.or_else(|| language::canonical(tag)) else { return config.clone() };
        let mut texts = WidgetTexts::default();
        for tag in language::chain(&tag).skip(usize::from(!has_own)) {
            if let Some(less_specific) = self.0.get(tag) {
                texts.add_missing(less_specific);
            }
        }
        let primary = language::chain(&tag).last().unwrap_or_default();
        let mut config = built_in::in_place_of_defaults(config.clone(), primary);
        texts.apply(&mut config);
        config
    }
}

fn language_of(tag: &str) -> Result<String, Invalid> {
    language::canonical(tag)
        .ok_or_else(|| Invalid::new("language", "language must be a language tag such as \"de\" or \"pt-BR\"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(text: Option<&str>) -> WidgetTextsPatch {
        WidgetTextsPatch { greeting: Some(text.map(str::to_owned)), ..WidgetTextsPatch::default() }
    }

    fn shown(texts: &WidgetTranslations, config: &WidgetConfig, tag: &str) -> String {
        texts.shown_in(config, tag).greeting
    }

    #[test]
    fn a_visitor_sees_the_text_of_the_language_then_the_built_in_one_then_the_default_one() {
        let (untouched, own) =
            (WidgetConfig::default(), WidgetConfig { greeting: "Welcome!".into(), ..WidgetConfig::default() });
        let mut texts = WidgetTranslations::default();
        texts.set("de", greeting(Some("Moin!"))).expect("a text");
        texts.set("PT_br", greeting(Some("Oi!"))).expect("a text");

        for config in [&untouched, &own] {
            assert_eq!(shown(&texts, config, "de-AT"), "Moin!");
            assert_eq!(shown(&texts, config, "pt-br"), "Oi!");
        }
        assert_eq!(shown(&texts, &untouched, "fr-CH"), "Bonjour\u{a0}! Comment puis-je vous aider\u{a0}?");
        assert_eq!(shown(&texts, &own, "fr"), "Welcome!");
        assert_eq!(shown(&texts, &own, "pt-PT"), "Welcome!");
        for other in ["en", "pl", "", "not a tag", "auto"] {
            assert_eq!(shown(&texts, &untouched, other), untouched.greeting, "{other}");
        }
    }

    #[test]
    fn a_fixed_language_of_the_site_counts_more_than_that_of_the_visitor() {
        let german = WidgetConfig { ai_language: "de".into(), ..WidgetConfig::default() };
        let mut texts = WidgetTranslations::default();
        texts.set("fr", greeting(Some("Salut !"))).expect("a text");

        assert_eq!(shown(&texts, &german, "fr"), "Hallo! Wie kann ich Ihnen helfen?");
        assert_eq!(texts.fallback_in(&german, "fr").greeting, "Bonjour\u{a0}! Comment puis-je vous aider\u{a0}?");
    }

    #[test]
    fn an_empty_text_hides_the_built_in_one_and_null_returns_to_it() {
        let config = WidgetConfig::default();
        let mut texts = WidgetTranslations::default();

        texts.set("de", greeting(Some(""))).expect("an empty text");
        assert_eq!(shown(&texts, &config, "de"), "");
        let (tag, left) = texts.set("DE", greeting(None)).expect("no text");

        assert_eq!((tag.as_str(), left), ("de", WidgetTexts::default()));
        assert_eq!(texts, WidgetTranslations::default());
        assert_eq!(shown(&texts, &config, "de"), "Hallo! Wie kann ich Ihnen helfen?");
    }

    #[test]
    fn invalid_texts_and_too_many_languages_are_refused() {
        let mut texts = WidgetTranslations::default();
        let bad = WidgetTextsPatch {
            bot_name: Some(Some(" ".into())),
            starter_questions: Some(Some(vec!["x".repeat(121)])),
            ..greeting(Some("Hi"))
        };

        let Err(TextsRefused::Invalid(refused)) = texts.set("de", bad) else { panic!("the texts are invalid") };
        assert_eq!((refused.field, refused.others[0].field), ("botName", "starterQuestions"));
        for tag in ["", "auto", "german please"] {
            assert!(matches!(texts.set(tag, greeting(Some("Hi"))), Err(TextsRefused::Invalid(_))), "{tag}");
        }
        for number in 0..LANGUAGES_MAX {
            texts.set(&format!("en-{number:03}"), greeting(Some("Hi"))).expect("a language");
        }
        assert_eq!(texts.set("de", greeting(Some("Hi"))), Err(TextsRefused::TooManyLanguages));
        assert!(texts.set("en-001", greeting(Some("Hello"))).is_ok());
        assert_eq!(texts.delete("en-002"), Ok(Some("en-002".into())));
        assert_eq!(texts.delete("en-002"), Ok(None));
        assert!(texts.set("de", greeting(Some("Hi"))).is_ok());
    }
}
