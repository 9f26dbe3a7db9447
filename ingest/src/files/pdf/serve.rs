//! The child's side: limits itself, then reads. Only here is a PDF parsed. Other large inputs are read here too
//! (`isolated`).
//!
//! Called by the program when it is started with [`CHILD_ARGUMENT`](super::CHILD_ARGUMENT). The steps are the
//! characters of each page (`content`, `font`, `cmap`), their lines (`lines`), what repeats on pages
//! (`furniture`), and the paragraphs (`paragraphs`).

use std::io::{Read, Write};
use std::process::ExitCode;

use lopdf::{Document, Object};
use rlimit::Resource;

use super::content::PageReader;
use super::limits::{EXIT_ENCRYPTED, Limits, MARK};
use super::paragraphs::Bookmarks;
use super::{furniture, lines, paragraphs};
use crate::extract::{ExtractError, question};
use crate::files::isolated;

const EXIT_UNREADABLE: u8 = 11;

/// The stack of the child's reader: PDF nests by reference, and the crates recurse.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The most pages that are read.
const PAGE_LIMIT: usize = 5000;

/// The deepest level of bookmarks that is read.
const BOOKMARK_DEPTH: u8 = 4;

/// The most bookmarks that are read.
const BOOKMARK_LIMIT: usize = 5000;

/// The HTML of a PDF, read in this process: for [`serve`], never for bytes from outside.
///
/// # Errors
/// `Encrypted`, `Unreadable`, `Empty` for scans.
pub fn html(bytes: &[u8]) -> Result<String, ExtractError> {
    let document = load(bytes)?;
    let mut reader = PageReader::new(&document);
    let mut pages: Vec<Vec<lines::Line>> =
        document.get_pages().into_values().take(PAGE_LIMIT).map(|page| lines::read(reader.page(page))).collect();
    furniture::remove(&mut pages);
    let html = paragraphs::html(&pages, &bookmarks(&document));
    if html.trim().is_empty() { Err(ExtractError::Empty) } else { Ok(html) }
}

/// Opens a document. Files that only restrict what may be done with them open without a password.
fn load(bytes: &[u8]) -> Result<Document, ExtractError> {
    let damaged = |error: lopdf::Error| {
        if is_encryption(&error.to_string()) {
            return ExtractError::Encrypted;
        }
        ExtractError::Unreadable { reason: format!("the PDF is damaged ({error})") }
    };
    let mut document = Document::load_mem(bytes).map_err(damaged)?;
    if document.is_encrypted() {
        document.decrypt("").map_err(|_| ExtractError::Encrypted)?;
    }
    Ok(document)
}

/// The titles of the bookmarks of a document with their levels.
fn bookmarks(document: &Document) -> Bookmarks {
    let mut found = Bookmarks::new();
    let root =
        document.catalog().and_then(|catalog| catalog.get_deref(b"Outlines", document)).and_then(Object::as_dict);
    let first = |parent: &lopdf::Dictionary| parent.get(b"First").and_then(Object::as_reference).ok();
    let mut waiting: Vec<_> = root.ok().and_then(first).map(|id| (id, 1)).into_iter().collect();
    let mut looked = 0;
    while let Some((id, level)) = waiting.pop() {
        looked += 1;
        let Ok(entry) = document.get_dictionary(id) else { continue };
        if looked > BOOKMARK_LIMIT {
            break;
        }
        if let Some(title) = entry.get(b"Title").ok().and_then(|title| lopdf::decode_text_string(title).ok()) {
            found.entry(question::fold(&title)).or_insert(level);
        }
        waiting.extend(entry.get(b"Next").and_then(Object::as_reference).ok().map(|next| (next, level)));
        if level < BOOKMARK_DEPTH {
            waiting.extend(first(entry).map(|child| (child, level + 1)));
        }
    }
    found.remove("");
    found
}

fn is_encryption(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["encrypt", "decrypt", "password"].iter().any(|word| message.contains(word))
}

/// The whole of the child: limits itself by the arguments behind [`CHILD_ARGUMENT`](super::CHILD_ARGUMENT) (memory in
/// bytes, processor time in seconds), reads its input and writes the HTML of a PDF, or with a third argument the answer to
/// that task of [`isolated`].
///
/// Ends with 0 and the output, or with a code that [`Child::extract`](super::Child::extract) knows.
pub fn serve(arguments: &[String]) -> ExitCode {
    let number = |at: usize| arguments.get(at).and_then(|value| value.parse::<u64>().ok());
    let limits = Limits::default();
    let memory = number(0).unwrap_or(limits.memory_bytes);
    let cpu = number(1).unwrap_or(limits.cpu_seconds);
    let is_limited = Resource::AS.set(memory, memory).is_ok()
        && Resource::CPU.set(cpu, cpu).is_ok()
        && Resource::CORE.set(0, 0).is_ok()
        && Resource::FSIZE.set(0, 0).is_ok();
    let mut bytes = Vec::new();
    if !is_limited || std::io::stdin().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let task = arguments.get(2).cloned();
    let read = move || match task {
        Some(task) => isolated::answer(&task, &bytes).ok_or_else(|| ExtractError::Unreadable { reason: String::new() }),
        None => html(&bytes).map(String::into_bytes),
    };
    let reader = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(read);
    match reader.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(text))) => {
            let mut out = std::io::stdout().lock();
            let is_written = out.write_all(MARK).and_then(|()| out.write_all(&text)).is_ok();
            if is_written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Ok(Err(ExtractError::Encrypted))) => ExitCode::from(EXIT_ENCRYPTED),
        // Only the mark distinguishes an empty text from an unreadable file.
        Ok(Ok(Err(ExtractError::Empty))) => {
            let _ = std::io::stdout().write_all(MARK);
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(EXIT_UNREADABLE),
    }
}
