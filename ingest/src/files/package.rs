//! Packages of Office (Open Packaging Conventions): which part is the document, and where the relations of a part lead.
//!
//! Called by the readers of Word, Excel and PowerPoint.

use std::collections::HashMap;

use super::archive::{Archive, unreadable};
use super::xml::{self, XmlNode};
use crate::extract::ExtractError;

/// The name of the part that the package calls its document, or `default` where it names none.
///
/// # Errors
/// `Unreadable` with `missing` when there is no such part.
pub(super) fn main_part(archive: &mut Archive<'_>, default: &str, missing: &str) -> Result<String, ExtractError> {
    let mut found = None;
    xml::read(&archive.optional("_rels/.rels")?, |node| {
        if let XmlNode::Open(element) = node
            && xml::value(&element, "Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
        {
            found = found.take().or_else(|| xml::value(&element, "Target"));
        }
    })?;
    let part = found.map_or_else(|| default.to_owned(), |part| part.trim_start_matches('/').to_owned());
    if archive.has(&part) { Ok(part) } else { Err(unreadable(missing)) }
}

/// The XML with the relations of a part. Empty when it has none.
pub(super) fn relations(archive: &mut Archive<'_>, part: &str) -> Result<String, ExtractError> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    archive.optional(&format!("{folder}/_rels/{name}.rels"))
}

/// The targets of relations by their id.
pub(super) fn targets(relations: &str) -> Result<HashMap<String, String>, ExtractError> {
    let mut targets = HashMap::new();
    xml::read(relations, |node| {
        if let XmlNode::Open(element) = node
            && let (Some(id), Some(target)) = (xml::value(&element, "Id"), xml::value(&element, "Target"))
        {
            targets.insert(id, target);
        }
    })?;
    Ok(targets)
}

/// The name of the part at a target, which is absolute or begins in the folder of the part that names it.
pub(super) fn part_at(folder: &str, target: &str) -> String {
    target.strip_prefix('/').map_or_else(|| format!("{folder}/{target}"), str::to_owned)
}
