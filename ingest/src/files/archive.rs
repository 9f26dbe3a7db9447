//! Parts of office files: entries of a ZIP archive, read by name within bounds.
//!
//! Called by the readers of Word, spreadsheets, slides and OpenDocument. Nothing is ever unpacked to
//! disk, and sizes that the archive claims are never trusted.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::charset;
use crate::extract::ExtractError;

/// The most entries of an archive that is opened; a document with a thousand images has these.
const ENTRY_LIMIT: usize = 4000;

/// The largest part that is read, decompressed, in bytes.
const PART_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// The most that is read of all parts of one file, decompressed, in bytes.
const TOTAL_LIMIT_BYTES: u64 = 32 * 1024 * 1024;

/// Text compresses to a twentieth; a part above this ratio is a bomb.
const RATIO_LIMIT: u64 = 200;

/// Parts smaller than this, in bytes, may have any ratio: empty documents compress well.
const SMALL_PART_BYTES: u64 = 1024 * 1024;

/// An opened archive.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// The places of the parts by their [`plain`] names.
    places: HashMap<String, usize>,
    left_bytes: u64,
}

impl<'a> Archive<'a> {
    /// Opens an archive.
    ///
    /// # Errors
    /// `Unreadable` when it is damaged or has too many entries, `Encrypted` with a password.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ExtractError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
        if zip.len() > ENTRY_LIMIT {
            return Err(unreadable(&format!("the archive has more than {ENTRY_LIMIT} parts")));
        }
        let names = zip.file_names().enumerate();
        let places = names.filter_map(|(at, name)| Some((plain(&name.ok()?), at))).collect();
        Ok(Self { zip, places, left_bytes: TOTAL_LIMIT_BYTES })
    }

    /// Whether the archive has a part of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(name).or_else(|| self.places.get(&plain(name)).copied())
    }

    /// The names of the parts that begin with `prefix`, in the archive's order.
    pub(super) fn names(&self, prefix: &str) -> Vec<String> {
        self.zip
            .file_names()
            .flatten()
            .map(|name| name.replace('\\', "/"))
            .filter(|name| plain(name).starts_with(prefix))
            .collect()
    }

    /// The text of a part that the file may lack; empty when it does.
    ///
    /// # Errors
    /// As [`part`](Self::part).
    pub(super) fn optional(&mut self, name: &str) -> Result<String, ExtractError> {
        if self.has(name) { self.part(name) } else { Ok(String::new()) }
    }

    /// The text of a part.
    ///
    /// # Errors
    /// `Unreadable` when it is missing, damaged, a bomb or neither UTF-8 nor UTF-16, `TooLarge` above the limits.
    pub(super) fn part(&mut self, name: &str) -> Result<String, ExtractError> {
        let xml = self.bytes(name)?;
        if xml.starts_with(&[0xff, 0xfe]) || xml.starts_with(&[0xfe, 0xff]) {
            return Ok(charset::decode(&xml, None).0);
        }
        String::from_utf8(xml).map_err(|_| unreadable("its text is not UTF-8"))
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// As [`part`](Self::part), for any bytes.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, ExtractError> {
        let place = self.place(name).ok_or_else(|| broken(&ZipError::FileNotFound))?;
        let file = self.zip.by_index(place).map_err(|error| broken(&error))?;
        // Sizes in the archive are claims; the reader below is the guard.
        let most = file.compressed_size().saturating_mul(RATIO_LIMIT);
        let most = most.clamp(SMALL_PART_BYTES, PART_LIMIT_BYTES).min(self.left_bytes);
        let mut xml = Vec::new();
        file.take(most + 1).read_to_end(&mut xml).map_err(|_| unreadable("the archive is damaged"))?;
        let size = xml.len() as u64;
        if size > most {
            return Err(if most < PART_LIMIT_BYTES.min(self.left_bytes) {
                unreadable(&format!("it decompresses to more than {RATIO_LIMIT} times its size"))
            } else {
                ExtractError::TooLarge { size_bytes: size, limit_bytes: most }
            });
        }
        self.left_bytes -= size;
        Ok(xml)
    }
}

/// The name of a part as it is compared: some programs write folders as Windows does, and names of parts have no case.
fn plain(name: &str) -> String {
    name.replace('\\', "/").to_ascii_lowercase()
}

fn broken(error: &ZipError) -> ExtractError {
    match error {
        ZipError::FileNotFound => unreadable("a part of the document is missing"),
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => ExtractError::Encrypted,
        _ => unreadable("the archive is damaged"),
    }
}

/// The error of a file that is broken.
pub(super) fn unreadable(reason: &str) -> ExtractError {
    ExtractError::Unreadable { reason: reason.to_owned() }
}
