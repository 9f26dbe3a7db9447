//! PDF through a real child process: this program is its own child, as the product is.
//!
//! Runs without the test harness, since the harness would answer the child's argument itself.

use std::process::ExitCode;
use std::time::Duration;

use helpbot_ingest::extract::{self, ExtractError, Item};
use helpbot_ingest::pdf::{self, Child, Limits};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == pdf::CHILD_ARGUMENT) {
        return pdf::serve(&arguments[1..]);
    }
    text_of_a_pdf_becomes_pairs();
    damaged_files_end_with_a_reason();
    a_reader_that_hangs_is_ended();
    memory_is_limited();
    ExitCode::SUCCESS
}

fn child(limits: Limits) -> Child {
    Child { program: std::env::current_exe().expect("the running program"), limits }
}

/// A PDF of one page with the given lines of text, built with a correct cross-reference table.
fn document(lines: &[&str]) -> Vec<u8> {
    let shown: String = lines.iter().map(|line| format!("({line}) Tj 0 -16 Td\n")).collect();
    let content = format!("BT /F1 12 Tf 72 720 Td\n{shown}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

fn text_of_a_pdf_becomes_pairs() {
    let bytes = document(&[
        "How do I reset my password?",
        "Open the settings and choose Reset.",
        "Where is my invoice?",
        "It is sent by mail on the first day of the month.",
    ]);

    let page = extract::file_with("manual.pdf", &bytes, &child(Limits::default())).expect("a readable PDF");

    let pairs: Vec<_> = page
        .pairs()
        .map(|item| match item {
            Item::Pair { question, answer, .. } => (question.as_str(), answer.as_str()),
            Item::Passage { .. } => unreachable!("pairs() gives pairs"),
        })
        .collect();
    let expected = [
        ("How do I reset my password?", "Open the settings and choose Reset."),
        ("Where is my invoice?", "It is sent by mail on the first day of the month."),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(page.title, "manual");
}

fn damaged_files_end_with_a_reason() {
    let child = child(Limits::default());
    let good = document(&["Hello"]);

    let cut = extract::file_with("a.pdf", &good[..good.len() / 2], &child);
    assert!(matches!(cut, Err(ExtractError::Unreadable { .. } | ExtractError::Empty)), "{cut:?}");
    let noise = extract::file_with("a.pdf", b"%PDF-1.7\n\x00\xff\x00 not a pdf", &child);
    assert!(matches!(noise, Err(ExtractError::Unreadable { .. })), "{noise:?}");
    let blank = extract::file_with("a.pdf", &document(&[]), &child);
    assert_eq!(blank, Err(ExtractError::Empty));
}

fn a_reader_that_hangs_is_ended() {
    let limits = Limits { wall_time: Duration::from_millis(200), ..Limits::default() };
    let hanging = Child { program: "/usr/bin/yes".into(), limits };
    if !hanging.program.exists() {
        return;
    }

    // `yes` prints for ever: the output limit ends it; a stuck one is ended by the clock.
    let endless = hanging.text(b"%PDF-");

    assert!(matches!(endless, Err(ExtractError::TookTooMuch { .. })), "{endless:?}");
}

fn memory_is_limited() {
    let limits = Limits { memory_bytes: 80 * 1024 * 1024, ..Limits::default() };
    let big = vec![b' '; 100 * 1024 * 1024];

    let read = child(limits).text(&big);

    assert!(read.is_err(), "a child with 80 MiB cannot hold 100 MiB");
}
