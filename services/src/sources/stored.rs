//! Sources that are kept here and not fetched: files that were uploaded, texts typed by hand. One
//! under a name that is there replaces it; each can be read again as it is.

use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::SourceKind;
use helpbot_domain::{Invalid, text};

use super::{add, ask_again, fresh, writable};
use crate::knowledge::entries;
use crate::{Result, Services, Source, Viewer, boxed};

/// The largest file: as much as a page may have after decoding.
pub const FILE_MAX_BYTES: usize = 20 * 1024 * 1024;
const FILE_NAME_MAX_CHARS: usize = 200;
/// Text typed by hand: some forty pages.
const TEXT_MAX_CHARS: usize = 100_000;
const TITLE_MAX_CHARS: usize = 200;
/// By its extension the name of a typed text's content: Markdown, as which plain text is read too.
const TEXT_FILE: &str = "text.md";

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
    add(services, fresh(site.id, SourceKind::File, name, services.now()), Some(file)).await
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
    if title == entries::OWN_SOURCE {
        return Err(Invalid::new("title", "This is the title of the written answers; choose another one").into());
    }
    let words = text::required("text", words, TEXT_MAX_CHARS)?;
    let file = NewFile { name: TEXT_FILE.to_owned(), content: words.into_bytes() };
    let source = fresh(site.id, SourceKind::Text, title.clone(), services.now());
    add(services, Source { title: Some(title), ..source }, Some(file)).await
}

/// What is kept of a source that is not fetched.
pub(super) struct NewFile {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// Asks for another reading of a stored file: after a failure, or an update of the program.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` for an address or text: there is no file.
#[boxed]
pub async fn reread(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<Source> {
    ask_again(services, viewer, named, id, SourceKind::File, "Only files can be read again").await
}
