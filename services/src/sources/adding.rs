//! Adding sources: pages and sites by URL, uploaded files, typed texts.

use helpbot_db as db;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::SiteId;
use helpbot_domain::source::{Source, SourceFilter, SourceKind, normal_url};
use helpbot_domain::{Invalid, Together as _, text};

use crate::accounts::audit_log;
use crate::knowledge::chunks::WRITTEN_ANSWERS;
use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::jobs;
use crate::sources::options::{SourceOptions, SourceOptionsPatch};
use crate::sources::queue::{self, new_source};
use crate::sources::rights::writable;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of sources of a site: many times what a help site has. It bounds a runaway
/// script.
const SOURCES_MAX: i64 = 1_000;

/// Maximum size of a file: the same as of a decoded page.
pub const FILE_MAX_BYTES: usize = 20 * 1024 * 1024;

const FILE_NAME_MAX_CHARS: usize = 200;

/// Maximum length of a typed text: about forty pages.
const TEXT_MAX_CHARS: usize = 100_000;

const TITLE_MAX_CHARS: usize = 200;

/// File name of a typed text. Its extension selects Markdown, which also covers plain text.
const TEXT_FILE: &str = "text.md";

/// Adds a URL and requests its sync. Returns `false` with the existing source if the site has it
/// already.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` for an address that is malformed or must
/// not be fetched.
#[boxed]
pub async fn add_url(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    address: &str,
) -> Result<(Source, bool)> {
    add_crawl(services, viewer, named, address, SourceOptionsPatch::default()).await
}

/// Adds a URL with a scope beyond its own page or with a schedule, and requests its sync. Returns
/// `false` with the existing source if the site has it already.
///
/// # Errors
/// Those of [`add_url`]; `Invalid` for limits out of range.
#[boxed]
pub async fn add_crawl(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    address: &str,
    wishes: SourceOptionsPatch,
) -> Result<(Source, bool)> {
    let site = writable(services, viewer, named).await?;
    let url = normal_url(address)?;
    (services.url_policy)(&url).map_err(|reason| Invalid::new("url", reason))?;
    let options = wishes.apply(SourceOptions::default())?;
    add(
        services,
        Source { options: options.stored(), ..new_source(site.id, SourceKind::Url, url.into(), services.now()) },
        None,
    )
    .await
}

/// Adds a file and requests its sync. A file with the same name is replaced and synced again; the
/// flag is then `false`.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` for an invalid name or a file that is too
/// large.
#[boxed]
pub async fn add_file(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    name: &str,
    content: Vec<u8>,
) -> Result<(Source, bool)> {
    let site = writable(services, viewer, named).await?;
    let name = text::required("name", name, FILE_NAME_MAX_CHARS)?;
    if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return Err(Invalid::new("name", "name must be a file name without a path.").into());
    }
    if content.len() > FILE_MAX_BYTES {
        let max = FILE_MAX_BYTES / 1024 / 1024;
        return Err(Invalid::new(
            "content",
            format!("The file is larger than {max} MiB. Split it into smaller files."),
        )
        .into());
    }
    let file = NewFile { name: name.clone(), content };
    add(services, new_source(site.id, SourceKind::File, name, services.now()), Some(file)).await
}

/// Adds a text with a title and requests its sync as Markdown. A text with the same title is
/// replaced and synced again; the flag is then `false`.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` names the field.
#[boxed]
pub async fn add_text(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    title: &str,
    words: &str,
) -> Result<(Source, bool)> {
    let site = writable(services, viewer, named).await?;
    let reserved = "This title is reserved for written answers. Choose a different one.";
    let title = text::required("title", title, TITLE_MAX_CHARS).and_then(|title| match title == WRITTEN_ANSWERS {
        true => Err(Invalid::new("title", reserved)),
        false => Ok(title),
    });
    let (title, words) = (title, text::required("text", words, TEXT_MAX_CHARS)).together()?;
    let file = NewFile { name: TEXT_FILE.to_owned(), content: words.into_bytes() };
    let source = new_source(site.id, SourceKind::Text, title.clone(), services.now());
    add(services, Source { title: Some(title), ..source }, Some(file)).await
}

/// Stored content of a source that is not fetched.
struct NewFile {
    name: String,
    content: Vec<u8>,
}

async fn add(services: &Services, new: Source, file: Option<NewFile>) -> Result<(Source, bool)> {
    let now = services.now();
    let source = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let (site, kind, url) = (new.site_id, new.kind, new.url.clone());
                if db::sources::count(c, site, &SourceFilter::default()).await? >= SOURCES_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {SOURCES_MAX} sources. Delete one first."
                    )));
                }
                let is_new = db::sources::insert(c, &new).await?;
                let mut source = match is_new {
                    true => new,
                    false => db::sources::by_url(c, site, kind, &url).await?.ok_or(Error::NotFound("Source"))?,
                };
                audit_log::created(&source.id);
                if let Some(NewFile { name, content }) = &file {
                    db::source_files::put(c, site, source.id, name, content).await?;
                }
                if is_new || file.is_some() {
                    queue::restart(c, &mut source, now).await?;
                    let event_type = if is_new { EventType::SourceAdded } else { EventType::SourceUpdated };
                    content_events::append(c, site, now, vec![ContentEvent::of_source(event_type, source.id)]).await?;
                }
                Ok((source, is_new))
            })
        })
        .await?;
    jobs::wake(services);
    Ok(source)
}
