//! The texts of the widget in further languages: their owner writes and deletes them, and visitors see them in
//! [`sites::widget`]. They are stored with the site, so reading them costs no query.

use std::collections::BTreeSet;
use std::sync::Arc;

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::language;
use helpbot_domain::site::Site;
use helpbot_domain::widget::WidgetConfig;
use helpbot_domain::widget_texts::{LANGUAGES_MAX, TextsRefused, WidgetTexts, WidgetTextsPatch};

use crate::accounts::sites;
use crate::{Error, Result, Services, Viewer, boxed};

/// The texts of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextsOfLanguage {
    /// Tag of the language.
    pub language: String,
    /// What the owner has written.
    pub texts: WidgetTexts,
    /// What the widget shows without these texts.
    pub fallback: WidgetConfig,
}

impl TextsOfLanguage {
    fn new(site: &Site, language: String, texts: WidgetTexts) -> Self {
        let fallback = site.widget_texts.fallback_in(&site.widget, &language).shown_on(site.plan);
        Self { language, texts, fallback }
    }
}

/// Returns the texts of a site in the order of the tags: of `named` languages, or of all in which the owner has written
/// some. Texts that are not language tags are left out.
///
/// # Errors
/// `Forbidden` without the scope to read settings.
pub fn list(viewer: &Viewer, site: &Site, named: Option<&[String]>) -> Result<Vec<TextsOfLanguage>> {
    viewer.require(Scope::ReadConfig)?;
    let tags: BTreeSet<String> = match named {
        Some(named) => named.iter().take(LANGUAGES_MAX).filter_map(|tag| language::canonical(tag)).collect(),
        None => site.widget_texts.languages().map(str::to_owned).collect(),
    };
    let of = |language: String| {
        let texts = site.widget_texts.get(&language).cloned().unwrap_or_default();
        TextsOfLanguage::new(site, language, texts)
    };
    Ok(tags.into_iter().map(of).collect())
}

/// Changes texts of one language, all or none, and returns all texts of the language.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the invalid fields; `LimitReached` when the site has texts in the maximum
/// number of other languages.
#[boxed]
pub async fn set(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    language: String,
    patch: WidgetTextsPatch,
) -> Result<TextsOfLanguage> {
    viewer.require(Scope::WriteConfig)?;
    let changed = sites::change(services, viewer.site(named)?, move |site| {
        Arc::make_mut(&mut site.widget_texts).set(&language, patch).map_err(refused)
    });
    let (site, (language, texts)) = changed.await?;
    Ok(TextsOfLanguage::new(&site, language, texts))
}

/// Deletes the texts of one language, and returns its tag.
///
/// # Errors
/// `Forbidden`; `NotFound` when the site has no texts in this language; `Invalid` for a text that is not a language tag.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, language: String) -> Result<String> {
    viewer.require(Scope::WriteConfig)?;
    let changed = sites::change(services, viewer.site(named)?, move |site| {
        let deleted = Arc::make_mut(&mut site.widget_texts).delete(&language)?;
        deleted.ok_or(Error::NotFound("Language"))
    });
    Ok(changed.await?.1)
}

fn refused(refused: TextsRefused) -> Error {
    match refused {
        TextsRefused::Invalid(invalid) => invalid.into(),
        TextsRefused::TooManyLanguages => Error::LimitReached(format!(
            "A site can have widget texts in at most {LANGUAGES_MAX} languages. Delete those of a language first."
        )),
    }
}
