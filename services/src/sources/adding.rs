//! Adding sources: pages and sites by URL, uploaded files, typed texts.

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::source::{Source, SourceKind, normal_url};
use helpbot_domain::{Invalid, text};

use crate::knowledge::chunks::WRITTEN_ANSWERS;
use crate::runtime::jobs;
use crate::sources::options::{SourceOptions, SourceOptionsPatch};
use crate::sources::queue::{self, new_source};
use crate::sources::rights::writable;
use crate::{Error, Result, Services, Viewer, boxed};

/// Sources of a site: many times what a help site has; bounds a runaway script.
const SOURCES_MAX: i64 = 1_000;

/// The largest file: as much as a page may have after decoding.
pub const FILE_MAX_BYTES: usize = 20 * 1024 * 1024;

const FILE_NAME_MAX_CHARS: usize = 200;

/// Text typed by hand: some forty pages.
const TEXT_MAX_CHARS: usize = 100_000;

const TITLE_MAX_CHARS: usize = 200;

/// By its extension the name of a typed text's content: Markdown, as which plain text is read too.
const TEXT_FILE: &str = "text.md";

/// Adds an address and asks for its reading. One that is there already is given as it is, with
/// false.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` for an address that is none or must
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

/// Adds an address with more than its own page, or with a schedule, and asks for its reading. One
/// that is there already is given as it is, with false.
///
/// # Errors
/// Those of [`add_url`]; `Invalid` for caps out of bounds.
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

/// Adds a file and asks for its reading. One of that name is replaced and read again; then the
/// flag is false.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` for a bad name or too large a file.
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
        return Err(Invalid::new("name", "name must be a plain file name").into());
    }
    if content.len() > FILE_MAX_BYTES {
        let max = FILE_MAX_BYTES / 1024 / 1024;
        return Err(Invalid::new("content", format!("The file is larger than {max} MiB")).into());
    }
    let file = NewFile { name: name.clone(), content };
    add(services, new_source(site.id, SourceKind::File, name, services.now()), Some(file)).await
}

/// Adds a text under a title and asks for its reading, as Markdown. One of that title is replaced
/// and read again; then the flag is false.
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
    let title = text::required("title", title, TITLE_MAX_CHARS)?;
    if title == WRITTEN_ANSWERS {
        return Err(Invalid::new("title", "This is the title of the written answers; choose another one").into());
    }
    let words = text::required("text", words, TEXT_MAX_CHARS)?;
    let file = NewFile { name: TEXT_FILE.to_owned(), content: words.into_bytes() };
    let source = new_source(site.id, SourceKind::Text, title.clone(), services.now());
    add(services, Source { title: Some(title), ..source }, Some(file)).await
}

/// What is kept of a source that is not fetched.
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
                if db::sources::count(c, site).await? >= SOURCES_MAX {
                    return Err(Error::LimitReached(format!("A site may have {SOURCES_MAX} sources")));
                }
                let is_new = db::sources::insert(c, &new).await?;
                let mut source = match is_new {
                    true => new,
                    false => db::sources::by_url(c, site, kind, &url).await?.ok_or(Error::NotFound("Source"))?,
                };
                if let Some(NewFile { name, content }) = &file {
                    db::sources::put_file(c, site, source.id, name, content).await?;
                }
                if is_new || file.is_some() {
                    queue::restart(c, &mut source, now).await?;
                }
                Ok((source, is_new))
            })
        })
        .await?;
    jobs::wake(services);
    Ok(source)
}
