//! Office documents: the input is the XML of one part, put into an archive of each format, because random bytes
//! are never a readable archive.

#![no_main]

use std::io::{Cursor, Write};

use helpbot_ingest::files;
use helpbot_ingest::pdf::{Child, Limits};
use libfuzzer_sys::fuzz_target;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The parts that each format needs to be read at all, besides the one under test.
const FORMATS: [(&str, &[&str]); 6] = [
    ("a.docx", &["word/document.xml", "word/styles.xml", "word/numbering.xml", "word/footnotes.xml"]),
    ("a.xlsx", &["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]),
    ("a.pptx", &["ppt/slides/slide1.xml"]),
    ("a.odt", &["content.xml", "styles.xml"]),
    ("a.odp", &["content.xml"]),
    ("a.ods", &["content.xml"]),
];

const WORKBOOK: &str = "<workbook><sheets><sheet name='a' r:id='r1'/></sheets></workbook>";
const RELATIONS: &str = "<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/></R>";

fuzz_target!(|data: &[u8]| {
    let nobody = Child { program: "/nonexistent".into(), limits: Limits::default() };
    for (name, parts) in FORMATS {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut add = |part: &str, content: &[u8]| {
            archive.start_file(part, options).expect("a new part");
            archive.write_all(content).expect("memory takes everything");
        };
        if name == "a.ods" {
            add("mimetype", b"application/vnd.oasis.opendocument.spreadsheet");
        }
        if name == "a.xlsx" {
            add("xl/workbook.xml", WORKBOOK.as_bytes());
            add("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes());
        }
        if name == "a.pptx" {
            add("ppt/presentation.xml", b"<presentation/>");
        }
        for part in parts {
            add(part, data);
        }
        let bytes = archive.finish().expect("an archive").into_inner();
        let _ = files::extract_with(name, &bytes, &nobody);
    }
});
