//! The child's side: limits itself, then reads. Only here is a PDF parsed.

use std::io::{Read, Write};
use std::process::ExitCode;

use pdf_extract::OutputError;
use rlimit::Resource;

use super::{EXIT_ENCRYPTED, Limits, MARK};
use crate::extract::ExtractError;

const EXIT_UNREADABLE: u8 = 11;

/// The stack of the child's reader: PDF nests by reference, and the crates recurse.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The text of a PDF, in this process: for [`serve`], never for bytes from outside.
///
/// # Errors
/// `Encrypted`, `Unreadable`, `Empty` for scans.
pub fn text(bytes: &[u8]) -> Result<String, ExtractError> {
    let text = pdf_extract::extract_text_from_mem(bytes).map_err(|error| match error {
        OutputError::PdfError(error) if is_encryption(&error.to_string()) => ExtractError::Encrypted,
        error => ExtractError::Unreadable { reason: format!("the PDF is damaged ({error})") },
    })?;
    if text.trim().is_empty() { Err(ExtractError::Empty) } else { Ok(text) }
}

fn is_encryption(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["encrypt", "decrypt", "password"].iter().any(|word| message.contains(word))
}

/// The whole of the child: limits itself by the arguments behind [`CHILD_ARGUMENT`](super::CHILD_ARGUMENT) (memory in
/// bytes, processor time in seconds), reads its input and writes the text.
///
/// Ends with 0 and the text, or with a code that [`Child::extract`](super::Child::extract) knows.
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
    let reader = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || text(&bytes));
    match reader.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(text))) => {
            let mut out = std::io::stdout().lock();
            let is_written = out.write_all(MARK).and_then(|()| out.write_all(text.as_bytes())).is_ok();
            if is_written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Ok(Err(ExtractError::Encrypted))) => ExitCode::from(EXIT_ENCRYPTED),
        // An empty text is told from an unreadable file by the mark alone.
        Ok(Ok(Err(ExtractError::Empty))) => {
            let _ = std::io::stdout().write_all(MARK);
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(EXIT_UNREADABLE),
    }
}
