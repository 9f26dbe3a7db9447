//! What PDF draws besides plain lines of text: paint for bold, wide setting, raised digits, links. The files are read
//! in this process, because they are our own.

use helpbot_ingest::pdf;
use helpbot_test_support::pdf::{of_objects, with_content};

/// The HTML of a page with this content and these annotations.
fn html(content: &str, annotations: &str) -> String {
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [{annotations}] \
         /Resources << /Font << /F1 5 0 R >> >> >>"
    );
    let bytes = of_objects(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ]);
    pdf::html(&bytes).expect("a PDF")
}

fn stream(content: &str) -> Vec<u8> {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes()
}

#[test]
fn text_that_is_painted_twice_is_read_once() {
    let line = "Where is my invoice, and who sends it to me?";
    let content = format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET BT /F1 12 Tf 72.4 720 Td ({line}) Tj ET");

    assert_eq!(html(&content, "").matches("invoice").count(), 1);
    assert!(html(&content, "").contains(line));
}

#[test]
fn words_that_are_set_wide_stay_words() {
    let read = pdf::html(&with_content(stream("BT /F1 12 Tf 3 Tc 72 720 Td (Where is it?) Tj ET"))).expect("a PDF");

    let spaces = pdf::html(&with_content(stream("BT /F1 12 Tf 72 720 Td (C a n  I  p a y ?) Tj ET"))).expect("a PDF");

    assert!(read.contains("Where is it?"), "{read}");
    assert!(spaces.contains("Can I pay?"), "{spaces}");
}

#[test]
fn small_raised_digits_are_written_as_raised() {
    let content =
        "BT /F1 12 Tf 72 720 Td (It takes two days) Tj /F1 7 Tf 4 Ts (1) Tj /F1 12 Tf 0 Ts ( in Austria.) Tj ET";

    assert!(html(content, "").contains("two days¹ in Austria."), "{}", html(content, ""));
}

#[test]
fn addresses_of_links_stand_behind_their_text() {
    let content =
        "BT /F1 12 Tf 72 720 Td (Write to our page) Tj ( before noon.) Tj 0 -30 Td (See shop.example now.) Tj ET";
    let link = |rectangle: &str| {
        format!("<< /Subtype /Link /Rect [{rectangle}] /A << /S /URI /URI (https://shop.example/) >> >>")
    };
    // The rectangle of the first link ends within its last word.
    let annotations = link("72 716 163 732") + &link("72 686 170 702");

    let read = html(content, &annotations);

    assert!(read.contains("our page (https://shop.example/) before noon."), "{read}");
    assert!(read.contains("See shop.example now."), "{read}");
}

#[test]
fn empty_cells_keep_their_place() {
    let cells = |y: u32, cells: &[(u32, &str)]| {
        cells.iter().map(|(x, text)| format!("BT /F1 12 Tf {x} {y} Td ({text}) Tj ET ")).collect::<String>()
    };
    let content = cells(720, &[(200, "Mon"), (300, "Tue"), (400, "Wed")])
        + &cells(704, &[(72, "Morning"), (200, "8-12"), (300, "9-12"), (400, "9-12")])
        + &cells(688, &[(72, "Noon"), (200, "12-13"), (400, "12-14")])
        + &cells(672, &[(72, "Evening"), (300, "14-18"), (400, "15-18")]);

    let read = html(&content, "");

    assert!(read.contains("<td>Noon</td><td>12-13</td><td></td><td>12-14</td>"), "{read}");
    assert!(read.contains("<td>Evening</td><td></td><td>14-18</td><td>15-18</td>"), "{read}");
}
