//! Changes of an entry: what may be changed, and how the entry looks afterwards. They are pure, so that a
//! preview and the change itself have the same result.

use helpbot_domain::{Together as _, text};

use super::{ANSWER_MAX_CHARS, Entry, PHRASING_MAX_CHARS, PHRASINGS_MAX, QUESTION_MAX_CHARS, cleaned};
use crate::knowledge::chunks::content_hash;
use crate::{Error, Result};

/// Changes of an entry. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct EntryPatch {
    /// The question, 1 to 500 characters.
    pub question: Option<String>,
    /// The answer in restricted Markdown, 1 to 20,000 characters.
    pub answer: Option<String>,
    /// Other ways to ask the question, which replace those that the entry has.
    pub phrasings: Option<Vec<String>>,
    /// Address where visitors can read more. `Some(None)` removes it.
    pub url: Option<Option<String>>,
}

impl EntryPatch {
    /// Checks the changes and normalizes their texts.
    pub(crate) fn checked(self) -> Result<Self> {
        let question = self.question.map(|words| text::required("question", &words, QUESTION_MAX_CHARS)).transpose();
        let answer = self.answer.map(|words| text::required("answer", &words, ANSWER_MAX_CHARS)).transpose();
        let phrasings = self.phrasings.map(|phrasings| cleaned(&phrasings)).transpose();
        let normal = |url: Option<String>| url.as_deref().map(helpbot_domain::source::normal_url).transpose();
        let url = self.url.map(normal).transpose();
        let (question, answer, phrasings, url) = (question, answer, phrasings, url).together()?;
        Ok(Self { question, answer, phrasings, url: url.map(|url| url.map(String::from)) })
    }

    /// Changes an entry. `is_own` holds for entries that the owner wrote.
    pub(crate) fn apply(self, entry: &mut Entry, is_own: bool) -> Result<()> {
        if !is_own && (self.question.is_some() || self.answer.is_some() || self.url.is_some()) {
            return Err(Error::Conflict(
                "This entry comes from a page, so that only its phrasings can be changed. Change the page, or write \
                 your own entry."
                    .into(),
            ));
        }
        if let Some(url) = self.url {
            entry.url = url;
        }
        entry.phrasings = self.phrasings.unwrap_or_else(|| std::mem::take(&mut entry.phrasings));
        entry.question = self.question.or(entry.question.take());
        entry.text = self.answer.unwrap_or_else(|| entry.text.clone());
        entry.content_hash = content_hash(entry.question.as_deref(), &entry.heading, &entry.text);
        Ok(())
    }
}

/// Checks a phrasing and normalizes it to one line.
pub(crate) fn checked_phrasing(phrasing: &str) -> Result<String> {
    Ok(text::required("phrasing", &text::one_line(phrasing), PHRASING_MAX_CHARS)?)
}

/// Adds a checked phrasing to an entry that does not have it.
pub(crate) fn push_phrasing(entry: &mut Entry, phrasing: String) -> Result<()> {
    let is_there = entry.phrasings.iter().any(|known| known.to_lowercase() == phrasing.to_lowercase());
    if entry.phrasings.len() >= PHRASINGS_MAX && !is_there {
        return Err(Error::LimitReached(format!("An entry can have at most {PHRASINGS_MAX} phrasings.")));
    }
    if !is_there {
        entry.phrasings.push(phrasing);
    }
    Ok(())
}
