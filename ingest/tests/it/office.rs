//! Office documents: Word, spreadsheets, slides and OpenDocument, built part by part.

use std::io::{Cursor, Write};

use helpbot_ingest::extract::{ExtractError, Item, Page};
use helpbot_ingest::files;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub(crate) fn archive<T: AsRef<[u8]>>(parts: &[(&str, T)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in parts {
        archive.start_file(*name, stored).expect("a new part");
        archive.write_all(content.as_ref()).expect("memory takes everything");
    }
    archive.finish().expect("an archive").into_inner()
}

pub(crate) fn read(name: &str, parts: &[(&str, &str)]) -> Page {
    files::extract(name, &archive(parts)).expect("a document")
}

/// All items of a page, one per line.
pub(crate) fn lines(page: &Page) -> Vec<String> {
    let line = |item: &Item| match item {
        Item::Pair { question, answer, .. } => format!("{question} = {answer}"),
        Item::Passage { heading, text, .. } => format!("{} : {text}", heading.join(" > ")),
    };
    page.items.iter().map(line).collect()
}

pub(crate) fn word(body: &str, parts: &[(&str, &str)]) -> Page {
    let document = format!("<w:document><w:body>{body}</w:body></w:document>");
    let mut all = vec![("word/document.xml", document.as_str())];
    all.extend(parts);
    read("a.docx", &all)
}

pub(crate) fn paragraph(properties: &str, text: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn word_headings_are_recognized_by_outline_level_and_name() {
    let styles = "<w:styles><w:style w:styleId='Nadpis'><w:name w:val='heading 2'/></w:style>\
        <w:style w:styleId='Own'><w:name w:val='My style'/><w:basedOn w:val='Nadpis'/></w:style></w:styles>";
    let body = [
        paragraph("<w:pStyle w:val='Nadpis'/>", "Pokladna"),
        paragraph("", "Je v přízemí vlevo."),
        paragraph("<w:pStyle w:val='Own'/>", "Šatna"),
        paragraph("", "Je v prvním patře."),
    ];

    let page = word(&body.concat(), &[("word/styles.xml", styles)]);

    assert_eq!(lines(&page), ["Pokladna : Je v přízemí vlevo.", "Šatna : Je v prvním patře."]);
}

#[test]
fn lists_of_word_keep_their_numbers_and_levels() {
    let numbering = "<w:numbering><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='1'/>\
        <w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl><w:lvl w:ilvl='1'><w:numFmt w:val='lowerLetter'/>\
        <w:lvlText w:val='%2)'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num></w:numbering>";
    let item = |level: u8, text: &str| {
        paragraph(&format!("<w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='1'/></w:numPr>"), text)
    };
    let body =
        [paragraph("", "How do I bake it?"), item(0, "Mix."), item(1, "flour"), item(1, "water"), item(0, "Bake.")];

    let page = word(&body.concat(), &[("word/numbering.xml", numbering)]);

    let text = lines(&page).join("\n");
    assert!(text.contains("1. Mix.") && text.contains("- b) water") && text.contains("2. Bake."), "{text}");
}

#[test]
fn text_that_word_does_not_show_is_left_out_and_text_boxes_come_once() {
    let text_box = "<w:txbxContent><w:p><w:r><w:t>Closed in May.</w:t></w:r></w:p></w:txbxContent>";
    let body = format!(
        "<w:p><w:r><w:t>The garden is </w:t></w:r><w:r><mc:AlternateContent><mc:Choice>{text_box}</mc:Choice>\
         <mc:Fallback>{text_box}</mc:Fallback></mc:AlternateContent></w:r><w:del><w:r><w:delText>never</w:delText></w:r></w:del>\
         <w:moveFrom><w:r><w:t>often</w:t></w:r></w:moveFrom><w:r><w:rPr><w:vanish/></w:rPr><w:t>secretly</w:t></w:r>\
         <w:r><w:t>open to all visitors of the villa.</w:t></w:r></w:p>"
    );

    assert_eq!(lines(&word(&body, &[])), [" : The garden is open to all visitors of the villa.\n\nClosed in May."]);
}

#[test]
fn footnotes_follow_their_paragraph() {
    let notes = "<w:footnotes><w:footnote w:id='2'><w:p><w:r><w:t>Without shipping.</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let body = "<w:p><w:r><w:t>A box costs 5 euros</w:t></w:r><w:r><w:footnoteReference w:id='2'/></w:r></w:p>";

    assert_eq!(
        lines(&word(body, &[("word/footnotes.xml", notes)])),
        [" : A box costs 5 euros¹\n\n¹ Without shipping."]
    );
}

#[test]
fn a_sheet_of_questions_gives_pairs_and_another_sheet_a_table() {
    let workbook = "<workbook><sheets><sheet name='Faq' r:id='r1'/><sheet name='Prices' r:id='r2'/>\
        <sheet name='Old' state='hidden' r:id='r1'/></sheets></workbook>";
    let relations = "<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/><Relationship Id='r2' Target='worksheets/sheet2.xml'/></R>";
    let faq = "<worksheet><sheetData><row><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row>\
        <row><c r='A2' t='s'><v>2</v></c><c r='B2' t='inlineStr'><is><t>In 2 days</t></is></c></row></sheetData></worksheet>";
    let prices = "<worksheet><sheetData><row><c r='A1' t='inlineStr'><is><t>Boat</t></is></c><c r='C1'><v>12.50</v></c></row>\
        </sheetData></worksheet>";
    let shared = "<sst><si><t>Question</t></si><si><t>Answer</t></si><si><r><t>When is </t></r><r><t>it ready?</t></r></si></sst>";

    let page = read(
        "a.xlsx",
        &[
            ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", relations),
            ("xl/worksheets/sheet1.xml", faq),
            ("xl/worksheets/sheet2.xml", prices),
            ("xl/sharedStrings.xml", shared),
        ],
    );

    assert_eq!(lines(&page), ["When is it ready? = In 2 days", "Prices : Boat | 12.5"]);
}

#[test]
fn slides_are_sections_under_their_titles() {
    let shape = |kind: &str, text: &str| {
        format!(
            "<p:sp><p:nvPr><p:ph type='{kind}'/></p:nvPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
    };
    let slide = ["body|Boats are ready at nine in the morning.", "title|Rental", "sldNum|4"]
        .map(|shape_text| shape_text.split_once('|').map(|(kind, text)| shape(kind, text)).unwrap_or_default());

    let page = read("a.pptx", &[("ppt/presentation.xml", "<p/>"), ("ppt/slides/slide1.xml", &slide.concat())]);

    assert_eq!(lines(&page), ["Rental : Boats are ready at nine in the morning."]);
}

#[test]
fn opendocument_texts_and_sheets_are_read() {
    let text = "<office:body><text:h text:outline-level='2'>Locker</text:h><text:p>It takes a coin of two<text:s/>euros, \
        which you get back.</text:p><text:tracked-changes><text:p>gone</text:p></text:tracked-changes></office:body>";
    let cell = |value: &str| format!("<table:table-cell><text:p>{value}</text:p></table:table-cell>");
    let row = |one: &str, other: &str| format!("<table:table-row>{}{}</table:table-row>", cell(one), cell(other));
    let sheet =
        format!("<table:table table:name='a'>{}{}</table:table>", row("frage", "antwort"), row("Wo ist es?", "In Ulm"));
    let kind = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet");

    assert_eq!(
        lines(&read("a.odt", &[("content.xml", text)])),
        ["Locker : It takes a coin of two euros, which you get back."]
    );
    assert_eq!(lines(&read("a.ods", &[kind, ("content.xml", &sheet)])), ["Wo ist es? = In Ulm"]);
}

#[test]
fn archives_that_are_no_documents_are_rejected_with_a_reason() {
    let other = files::extract("a.zip", &archive(&[("readme.txt", "x")]));
    let empty = files::extract("a.docx", &archive(&[("readme.txt", "x")]));

    assert_eq!(other, Err(ExtractError::NotText { found: "a ZIP archive".into() }));
    assert!(matches!(empty, Err(ExtractError::Unreadable { .. })), "{empty:?}");
}

#[test]
fn markdown_with_too_many_markers_is_refused_quickly() {
    let begin = std::time::Instant::now();

    for sign in [">", "[", "*", "`"] {
        let read = files::extract("a.md", sign.repeat(19 * 1024 * 1024).as_bytes());
        assert!(matches!(read, Err(ExtractError::TooLarge { .. })), "{sign}");
        let read = files::extract("a.md", sign.repeat(1024 * 1024).as_bytes());
        assert!(matches!(read, Err(ExtractError::TooManyElements { .. } | ExtractError::TooDeep { .. })), "{sign}");
    }

    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn word_formulas_and_fields_keep_their_meaning() {
    let formula = "<w:p><w:r><w:t>Area: </w:t></w:r><m:oMath><m:sSup><m:e><m:r><m:t>r</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>\
        <m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>\
        <m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e><m:r><m:t>x</m:t></m:r></m:e></m:d></m:oMath></w:p>";
    let field = "<w:p><w:r><w:t>See </w:t></w:r><w:r><w:fldChar w:fldCharType='begin'/></w:r>\
        <w:r><w:instrText> HYPERLINK \"https://a.example/?b=1\" </w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>\
        <w:r><w:t>prices</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r><w:r><w:t> for all.</w:t></w:r></w:p>";

    let page = word(&format!("{formula}{field}"), &[]);

    assert_eq!(lines(&page), [" : Area: r²(a+b)/2[x]\n\nSee [prices](https://a.example/?b=1) for all."]);
}

#[test]
fn tables_and_numbers_on_slides_are_kept() {
    let slide = "<p:sld><p:sp><p:ph type='title'/><a:p><a:r><a:t>Rates</a:t></a:r></a:p></p:sp>\
        <p:sp><p:ph type='body'/><a:p><a:pPr><a:buAutoNum/></a:pPr><a:r><a:t>Push the button.</a:t></a:r></a:p>\
        <a:p><a:pPr><a:buAutoNum/></a:pPr><a:r><a:t>Wait for the light.</a:t></a:r></a:p></p:sp>\
        <p:sp><p:ph type='title'/></p:sp><p:graphicFrame><a:tbl><a:tr><a:tc><a:p><a:r><a:t>Bonn</a:t></a:r></a:p></a:tc>\
        <a:tc><a:p><a:r><a:t>4 euros</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:graphicFrame></p:sld>";

    let page = read("a.pptx", &[("ppt/presentation.xml", "<p:presentation/>"), ("ppt/slides/slide1.xml", slide)]);

    assert_eq!(lines(&page), ["Rates : 1. Push the button.\n2. Wait for the light.\n\nBonn | 4 euros"]);
}

#[test]
fn titles_of_slides_are_headings_and_lists_go_on_after_inner_ones() {
    let styles = "<office:automatic-styles><text:list-style style:name='N'><text:list-level-style-number text:level='1'/>\
        </text:list-style><text:list-style style:name='B'/></office:automatic-styles>";
    let list = "<text:list text:style-name='N'><text:list-item><text:p>One</text:p><text:list text:style-name='B'>\
        <text:list-item><text:p>inner</text:p></text:list-item></text:list></text:list-item>\
        <text:list-item><text:p>Two</text:p></text:list-item></text:list>";
    let body = format!(
        "<office:presentation><draw:page><draw:frame presentation:class='title'><text:p>Steps</text:p></draw:frame>\
         <draw:frame>{list}</draw:frame></draw:page></office:presentation>"
    );
    let content =
        format!("<office:document-content>{styles}<office:body>{body}</office:body></office:document-content>");

    let page =
        read("a.odp", &[("mimetype", "application/vnd.oasis.opendocument.presentation"), ("content.xml", &content)]);

    assert_eq!(lines(&page), ["Steps : 1. One\n  - inner\n2. Two"]);
}
