//! PDF through a real child process: this program is its own child, as the product is.
//!
//! Runs without the test harness, since the harness would answer the child's argument itself.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use helpbot_ingest::extract::{ExtractError, Item};
use helpbot_ingest::files;
use helpbot_ingest::pdf::{self, Child, Limits};

use helpbot_test_support::pdf as document;
use helpbot_test_support::pdf::document;

/// The memory limit by which a child knows that it is to hang.
const HANG: u64 = 60_001;
const MIB: u64 = 1024 * 1024;
/// The most that a crafted file may take, with a machine that does other things meanwhile.
const BOUNDED: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == pdf::CHILD_ARGUMENT) {
        if arguments.get(1).is_some_and(|memory| *memory == HANG.to_string()) {
            std::thread::sleep(Duration::from_secs(60));
        }
        return pdf::serve(&arguments[1..]);
    }
    text_of_a_pdf_becomes_pairs();
    damaged_files_end_with_a_reason();
    crafted_files_end_with_a_reason_in_bounded_time();
    a_reader_that_prints_endlessly_is_stopped();
    a_reader_that_hangs_is_ended_by_the_clock();
    memory_is_limited();
    a_child_has_its_limits_before_it_reads();
    ExitCode::SUCCESS
}

fn child(limits: Limits) -> Child {
    Child { program: std::env::current_exe().expect("the running program"), limits }
}

fn text_of_a_pdf_becomes_pairs() {
    let bytes = document(&[
        "How do I reset my password?",
        "Open the settings and choose Reset.",
        "Where is my invoice?",
        "It is sent by mail on the first day of the month.",
    ]);

    let page = files::extract_with("manual.pdf", &bytes, &child(Limits::default())).expect("a readable PDF");

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

    let cut = files::extract_with("a.pdf", &good[..good.len() / 2], &child);
    assert!(matches!(cut, Err(ExtractError::Unreadable { .. } | ExtractError::Empty)), "{cut:?}");
    let noise = files::extract_with("a.pdf", b"%PDF-1.7\n\x00\xff\x00 not a pdf", &child);
    assert!(matches!(noise, Err(ExtractError::Unreadable { .. })), "{noise:?}");
    let blank = files::extract_with("a.pdf", &document(&[]), &child);
    assert_eq!(blank, Err(ExtractError::Empty));
}

/// The result of reading a file, and the duration.
fn timed(bytes: &[u8], limits: Limits) -> (Result<String, ExtractError>, Duration) {
    let began = Instant::now();
    (child(limits).html(bytes), began.elapsed())
}

fn crafted_files_end_with_a_reason_in_bounded_time() {
    let catalogue = || b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    let stream = |head: &str, bytes: &[u8]| {
        let head = format!("<< {head} /Length {} >>\nstream\n", bytes.len()).into_bytes();
        [&head, bytes, b"\nendstream"].concat()
    };
    let pages_of_themselves = document::of_objects(&[
        catalogue(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R 4 0 R] /Count 1000000 /Parent 2 0 R >>".to_vec(),
        b"4 0 R".to_vec(),
    ]);
    let resources = "/Resources << /XObject << /X 5 0 R >> >>";
    let form_that_draws_itself = document::of_objects(&[
        catalogue(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R {resources} >>").into_bytes(),
        stream("", b"/X Do"),
        stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] {resources}"), b"/X Do"),
    ]);
    let nested = [b"[".repeat(1_000_000), b"]".repeat(1_000_000), b" TJ".to_vec()].concat();
    // A gigabyte in one.
    let bomb = document::with_content(stream("/Filter /FlateDecode", &packed_spaces(1_000)));
    assert!(bomb.len() < 2 * 1024 * 1024, "{}", bomb.len());

    let limits = Limits { memory_bytes: 160 * MIB, cpu_seconds: 10, ..Limits::default() };
    let too_much = ExtractError::TookTooMuch { resource: "time or memory".into() };
    for (name, bytes, reason) in [
        ("pages of themselves", pages_of_themselves, ExtractError::Empty),
        ("a form that draws itself", form_that_draws_itself, ExtractError::Empty),
        ("a million arrays in one another", document::with_content(stream("", &nested)), ExtractError::Empty),
        ("a bomb", bomb, too_much),
    ] {
        let (read, took) = timed(&bytes, limits);

        assert_eq!(read, Err(reason), "{name}");
        assert!(took < BOUNDED, "{name}: {took:?}");
    }
}

/// A zlib stream of the given number of megabytes of spaces, made by repeating one piece. Its
/// checksum at the end is wrong, which a reader finds out when it is too late.
fn packed_spaces(megabytes: usize) -> Vec<u8> {
    const ZLIB_HEAD: [u8; 2] = [0x78, 0x9c];
    const LAST_BLOCK: [u8; 6] = [0x03, 0x00, 0, 0, 0, 1];
    let mut piece = Vec::with_capacity(16 * 1024);
    let mut packer = Compress::new(Compression::best(), false);
    // A full flush ends at a whole byte and refers to nothing before it.
    packer.compress_vec(&vec![b' '; 1024 * 1024], &mut piece, FlushCompress::Full).expect("room enough");
    [&ZLIB_HEAD[..], &piece.repeat(megabytes), &LAST_BLOCK].concat()
}

fn a_reader_that_prints_endlessly_is_stopped() {
    let endless = Child { program: "/usr/bin/yes".into(), limits: Limits::default() };
    if !endless.program.exists() {
        return;
    }

    let read = endless.html(b"%PDF-");

    assert_eq!(read, Err(ExtractError::TooMuchText { limit_bytes: Limits::default().output_bytes }));
}

fn a_reader_that_hangs_is_ended_by_the_clock() {
    let limits = Limits { memory_bytes: HANG, wall_time: Duration::from_millis(200), ..Limits::default() };

    let (read, took) = timed(b"%PDF-", limits);

    assert_eq!(read, Err(ExtractError::TookTooMuch { resource: "time".into() }));
    assert!(took < Duration::from_secs(20), "{took:?}");
}

fn memory_is_limited() {
    let limits = Limits { memory_bytes: 80 * 1024 * 1024, ..Limits::default() };
    let big = vec![b' '; 100 * 1024 * 1024];

    let read = child(limits).html(&big);

    assert!(read.is_err(), "a child with 80 MiB cannot hold 100 MiB");
}

/// What the kernel holds the child to: its memory, resident or not, stays under the first.
#[cfg(target_os = "linux")]
fn a_child_has_its_limits_before_it_reads() {
    let program = std::env::current_exe().expect("the running program");
    let (memory, cpu) = ((64 * MIB).to_string(), "7");
    let mut child = Command::new(program)
        .args([pdf::CHILD_ARGUMENT, &memory, cpu])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the running program starts");
    let limits = format!("/proc/{}/limits", child.id());
    let has = |name: &str, value: &str| {
        let limits = std::fs::read_to_string(&limits).unwrap_or_default();
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line[name.len().min(line.len())..].split_whitespace().take(2).all(|limit| limit == value) && !line.is_empty()
    };

    // Its input stays open: it is there, and waits.
    let end = Instant::now() + BOUNDED;
    while !has("Max address space", &memory) || !has("Max file size", "0") {
        assert!(Instant::now() < end, "no limits: {:?}", std::fs::read_to_string(&limits));
        std::thread::yield_now();
    }
    assert!(has("Max cpu time", cpu) && has("Max core file size", "0"));

    child.kill().expect("it is there");
    child.wait().expect("it ends");
}

#[cfg(not(target_os = "linux"))]
fn a_child_has_its_limits_before_it_reads() {}
