//! Documents in other formats that a Word document embeds, as Word shows them: HTML, by itself or as a mail, and text.
//!
//! Called by [`docx`](super). Programs that generate documents often put their whole content into such a part.

use std::collections::HashMap;

use super::super::archive::Archive;
use super::super::package;
use super::super::text;
use super::super::xml::{self, XmlNode};
use crate::charset;
use crate::extract::{ExtractError, fragment};

/// The most parts that are read.
const CHUNKS_MAX: usize = 50;

/// The HTML of each embedded document by its relation id. Kinds that are not read are left out.
pub(super) fn read(
    archive: &mut Archive<'_>,
    relations: &str,
    folder: &str,
) -> Result<HashMap<String, String>, ExtractError> {
    let mut parts = Vec::new();
    xml::read(relations, |node| {
        if let XmlNode::Open(element) = node
            && xml::value(&element, "Type").is_some_and(|kind| kind.ends_with("/aFChunk"))
            && let (Some(id), Some(target)) = (xml::value(&element, "Id"), xml::value(&element, "Target"))
        {
            parts.push((id, target));
        }
    })?;
    let mut chunks = HashMap::new();
    for (id, target) in parts.into_iter().take(CHUNKS_MAX) {
        let part = package::part_at(folder, &target);
        if archive.has(&part) {
            let bytes = archive.bytes(&part)?;
            chunks.extend(html(&bytes, &part).map(|html| (id, html)));
        }
    }
    Ok(chunks)
}

/// The HTML of an embedded document. `None` for another Word document and for RTF.
fn html(bytes: &[u8], name: &str) -> Option<String> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"{\\rtf") {
        return None;
    }
    let (decoded, _) = charset::decode(bytes, None);
    let start = decoded.trim_start();
    let head = start.get(..MIME.len()).unwrap_or_default();
    if head.eq_ignore_ascii_case(MIME) {
        return mail(start);
    }
    let is_text = name.ends_with(".txt") || !start.starts_with('<');
    Some(if is_text { fragment::escaped(&text::plain_lines(&decoded)) } else { decoded })
}

/// The first header of a mail that embeds HTML.
const MIME: &str = "MIME-Version:";

/// The HTML in a mail: its first part of that kind, in the encoding that the part names.
fn mail(mail: &str) -> Option<String> {
    let mail = mail.replace("\r\n", "\n");
    let boundary = mail.split("boundary=").nth(1)?;
    let boundary = boundary.split(['\n', ';']).next().unwrap_or_default().trim().trim_matches('"');
    let delimiter = format!("\n--{boundary}");
    let mut parts = mail.split(&delimiter).skip(1);
    parts.find_map(|part| {
        let (headers, body) = part.trim_start_matches('\n').split_once("\n\n")?;
        let headers = headers.to_ascii_lowercase();
        let is_html = headers.contains("content-type: text/html");
        is_html.then(|| match headers.contains("quoted-printable") {
            true => unquoted(body),
            false => body.to_owned(),
        })
    })
}

/// The text of a body that writes bytes as an equals sign and two digits.
fn unquoted(body: &str) -> String {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let value = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        rest = match (byte, value) {
            // A line that is only broken in the mail goes on.
            (b'=', _) if after.starts_with(b"\n") => &after[1..],
            (b'=', Some(value)) => {
                bytes.push(value);
                &after[2..]
            }
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    charset::decode(&bytes, None).0
}
