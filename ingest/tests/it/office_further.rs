//! Office documents as further programs write them: endnotes, embedded documents, nested fields, names of parts, lists
//! that go on, text boxes, styles that are based on others, links and marks in cells. Each test is one kind of document
//! from a public report, built part by part.

use crate::office::{archive, lines, paragraph, read, word};
use helpbot_ingest::files;

fn run(properties: &str, text: &str) -> String {
    format!("<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>")
}

#[test]
fn endnotes_follow_their_paragraph() {
    let body = "<w:p><w:r><w:t>The warranty lasts two years</w:t></w:r><w:r><w:endnoteReference w:id='2'/></w:r></w:p>";
    let notes = "<w:endnotes><w:endnote w:type='separator' w:id='0'/><w:endnote w:id='2'><w:p><w:r><w:t>Batteries: six \
        months.</w:t></w:r></w:p></w:endnote></w:endnotes>";

    assert_eq!(
        lines(&word(body, &[("word/endnotes.xml", notes)])),
        [" : The warranty lasts two years¹\n\n¹ Batteries: six months."]
    );
}

#[test]
fn embedded_documents_are_read_in_their_place() {
    let relation =
        |target: &str| format!("<R><Relationship Id='c' Type='http://x/relationships/aFChunk' Target='{target}'/></R>");
    let html =
        "<html><head><style>p{}</style></head><body><h2>Is there a gym?</h2><p>Yes, in the cellar.</p></body></html>";
    let mail = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=\"b\"\n\n--b\nContent-Type: text/html;\n \
        charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n\n<h2>Is there a c=\naf=C3=A9?</h2><p class=3D\"x\">\
        Yes.</p>\n\n--b--\n";
    let read = |name: &str, content: &str, target: &str| {
        let relations = relation(target);
        let parts = [("word/_rels/document.xml.rels", relations.as_str()), (name, content)];
        lines(&word("<w:altChunk r:id='c'/>", &parts))
    };

    assert_eq!(read("word/a.html", html, "/word/a.html"), ["Is there a gym? = Yes, in the cellar."]);
    assert_eq!(read("word/a.mht", mail, "a.mht"), ["Is there a café? = Yes."]);
}

#[test]
fn fields_within_the_code_of_a_field_are_not_shown() {
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType='{kind}'/></w:r>");
    let code = |text: &str| format!("<w:r><w:instrText>{text}</w:instrText></w:r>");
    let body = [
        "<w:p>".to_owned(),
        run("", "Delivery to your country is "),
        mark("begin"),
        code("IF "),
        mark("begin"),
        code("MERGEFIELD Country"),
        mark("separate"),
        run("", "Germany"),
        mark("end"),
        code(" = \"DE\" \"free\" \"9 euros\""),
        mark("separate"),
        run("", "9 euros"),
        mark("end"),
        run("", " per parcel."),
        "</w:p>".to_owned(),
    ];

    assert_eq!(lines(&word(&body.concat(), &[])), [" : Delivery to your country is 9 euros per parcel."]);
}

#[test]
fn text_in_fonts_of_signs_is_read_as_the_signs() {
    let font = "<w:rFonts w:ascii='Wingdings' w:hAnsi='Wingdings'/>";
    let body = format!(
        "<w:p>{}{}</w:p><w:p>{}{}</w:p>",
        run(font, "ü"),
        run("", " Support by telephone"),
        run(font, "\u{f0fb}"),
        run("", " Backups of all files")
    );

    assert_eq!(lines(&word(&body, &[])), [" : ✓ Support by telephone\n\n✗ Backups of all files"]);
}

#[test]
fn lists_refer_to_styles_and_change_their_definition() {
    let level = |format: &str, text: &str| {
        format!("<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='{format}'/><w:lvlText w:val='{text}'/></w:lvl>")
    };
    let item = |text: &str| paragraph("<w:numPr><w:ilvl w:val='0'/><w:numId w:val='2'/></w:numPr>", text);
    let body = [paragraph("", "The safe in your suite opens in two steps:"), item("Press C."), item("Turn the knob.")]
        .concat();
    let text = |numbering: String| lines(&word(&body, &[("word/numbering.xml", &numbering)])).join("\n");

    let by_style = format!(
        "<w:numbering><w:abstractNum w:abstractNumId='0'><w:styleLink w:val='S'/>{}</w:abstractNum>\
         <w:abstractNum w:abstractNumId='1'><w:numStyleLink w:val='S'/></w:abstractNum>\
         <w:num w:numId='2'><w:abstractNumId w:val='1'/></w:num></w:numbering>",
        level("decimal", "%1.")
    );
    let changed = format!(
        "<w:numbering><w:abstractNum w:abstractNumId='0'>{}</w:abstractNum><w:num w:numId='2'><w:abstractNumId w:val='0'/>\
         <w:lvlOverride w:ilvl='0'>{}</w:lvlOverride></w:num></w:numbering>",
        level("bullet", "-"),
        level("chineseCountingThousand", "%1、")
    );

    assert!(text(by_style).contains("2. Turn the knob."));
    assert!(text(changed).contains("二、 Turn the knob."));
}

#[test]
fn a_paragraph_whose_end_was_deleted_goes_on() {
    let body = format!(
        "<w:p><w:pPr><w:rPr><w:del w:id='1'/></w:rPr></w:pPr>{}</w:p>{}",
        run("", "The warranty of all parts lasts two "),
        paragraph("", "years and a day.")
    );

    assert_eq!(lines(&word(&body, &[])), [" : The warranty of all parts lasts two years and a day."]);
}

#[test]
fn names_of_parts_are_those_of_windows_too() {
    let document = format!(
        "<w:document><w:body>{}</w:body></w:document>",
        paragraph("", "All guests of the hotel may use the pool in the garden.")
    );
    let utf_16: Vec<u8> = format!("\u{feff}{document}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row></sheetData>\
        </worksheet>";
    let parts = [
        ("_rels\\.rels", "<R><Relationship Id='1' Type='x/officeDocument' Target='xl/workbook22.xml'/></R>"),
        ("xl\\workbook22.xml", "<workbook><sheets><sheet name='A' r:id='r1'/></sheets></workbook>"),
        ("xl\\_rels\\workbook22.xml.rels", "<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/></R>"),
        ("xl\\worksheets\\Sheet1.xml", sheet),
        ("xl\\SharedStrings.xml", "<sst><si><t>Is the pool free?</t></si><si><t>Yes, for all guests.</t></si></sst>"),
    ];

    assert_eq!(
        lines(&read("a.docx", &[("word\\document.xml", &document)])),
        [" : All guests of the hotel may use the pool in the garden."]
    );
    assert_eq!(lines(&read("a.xlsx", &parts)), ["Is the pool free? = Yes, for all guests."]);
    let page = files::extract("a.docx", &archive(&[("word/document.xml", utf_16.as_slice())])).expect("a document");
    assert_eq!(lines(&page), [" : All guests of the hotel may use the pool in the garden."]);
}

#[test]
fn links_and_marks_in_cells_of_sheets_are_kept() {
    let cell = |place: &str, at: u8, style: &str| format!("<c r='{place}' t='s' {style}><v>{at}</v></c>");
    let row = |number: u8, at: u8, style: &str| {
        let cells = cell(&format!("A{number}"), at, "") + &cell(&format!("B{number}"), at + 1, style);
        format!("<row r='{number}'>{cells}</row>")
    };
    let shared = "<sst><si><t>Question</t></si><si><t>Answer</t></si><si><t>What is the price?</t></si>\
        <si><r><rPr><strike/></rPr><t>30</t></r><r><t xml:space='preserve'> 25 euros</t></r></si>\
        <si><t>How large is it?</t></si><si><r><t>10</t></r><r><rPr><vertAlign val='superscript'/></rPr><t>4</t></r><r><t> \
        m</t></r></si><si><t>Where is the form?</t></si><si><t>On our page.</t></si><si><t>And before?</t></si>\
        <si><t>In May</t></si></sst>";
    let sheet = format!(
        "<worksheet><sheetData>{}{}{}{}{}</sheetData><hyperlinks><hyperlink ref='B4' r:id='h'/></hyperlinks></worksheet>",
        row(1, 0, ""),
        row(2, 2, ""),
        row(3, 4, ""),
        row(4, 6, ""),
        row(5, 8, "s='1'")
    );
    let parts = [
        ("xl/workbook.xml", "<workbook><sheets><sheet name='A' r:id='r1'/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", "<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/></R>"),
        (
            "xl/styles.xml",
            "<s><fonts><font/><font><strike/></font></fonts><cellXfs><xf/><xf fontId='1'/></cellXfs></s>",
        ),
        ("xl/sharedStrings.xml", shared),
        ("xl/worksheets/sheet1.xml", &sheet),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            "<R><Relationship Id='h' Type='x/hyperlink' Target='https://example.org/form'/></R>",
        ),
    ];

    assert_eq!(
        lines(&read("a.xlsx", &parts)),
        [
            "What is the price? = ~~30~~ 25 euros",
            "How large is it? = 10⁴ m",
            "Where is the form? = [On our page.](https://example.org/form)",
            "And before? = ~~In May~~",
        ]
    );
}

/// An OpenDocument text with automatic and common styles.
fn odt(automatic: &str, common: &str, body: &str) -> Vec<String> {
    let content = format!(
        "<office:automatic-styles>{automatic}</office:automatic-styles><office:body><office:text>{body}</office:text>\
         </office:body>"
    );
    let styles = format!("<office:styles>{common}</office:styles>");
    lines(&read("a.odt", &[("content.xml", &content), ("styles.xml", &styles)]))
}

fn list(attributes: &str, items: &[(&str, &str)]) -> String {
    let item = |(own, text): &(&str, &str)| format!("<text:list-item {own}><text:p>{text}</text:p></text:list-item>");
    let items: String = items.iter().map(item).collect();
    format!("<text:list {attributes}>{items}</text:list>")
}

#[test]
fn lists_of_opendocument_go_on_and_have_letters() {
    let style = |name: &str, format: &str| {
        format!(
            "<text:list-style style:name='{name}'><text:list-level-style-number text:level='1' \
             style:num-format='{format}' style:num-suffix=')'/></text:list-style>"
        )
    };
    let body = [
        "<text:h text:outline-level='2'>How do I assemble it?</text:h>".to_owned(),
        list("text:style-name='L' xml:id='one'", &[("", "Unpack it."), ("", "Sort the screws.")]),
        "<text:p>Now ask for help.</text:p>".to_owned(),
        list("text:style-name='L' text:continue-numbering='true'", &[("", "Lift the frame.")]),
        "<text:p>Have a break.</text:p>".to_owned(),
        list("text:style-name='L' text:continue-list='one'", &[("", "Sweep.")]),
        list("text:style-name='A'", &[("", "A lamp."), ("text:start-value='5'", "A cable.")]),
    ];

    let text = odt(&(style("L", "1") + &style("A", "a")), "", &body.concat()).join("\n");

    for part in ["2. Sort the screws.", "3. Lift the frame.", "3. Sweep.", "- a) A lamp.", "- e) A cable."] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn text_boxes_of_opendocument_follow_the_paragraph_that_they_are_in() {
    let body = "<text:p>You may keep the bike <draw:frame><draw:text-box><text:p>The third day is free.</text:p>\
        </draw:text-box></draw:frame>for up to 30 days.</text:p>";

    assert_eq!(odt("", "", body), [" : You may keep the bike for up to 30 days.\n\nThe third day is free."]);
}

#[test]
fn styles_of_opendocument_have_what_they_are_based_on_and_hide_sections() {
    let automatic = "<style:style style:name='T1' style:parent-style-name='Gone'/>\
        <style:style style:name='P1' style:parent-style-name='Secret'/>";
    let common = "<style:style style:name='Gone'><style:text-properties style:text-line-through-style='solid'/></style:style>\
        <style:style style:name='Secret'><style:text-properties text:display='none'/></style:style>";
    let body = "<text:p>A ticket for the whole day is <text:span text:style-name='T1'>30 euros</text:span> 25 euros.\
        </text:p><text:p text:style-name='P1'>Ask the boss.</text:p><text:section text:display='none'>\
        <text:p>Ask the lawyer.</text:p></text:section>";

    assert_eq!(odt(automatic, common, body), [" : A ticket for the whole day is ~~30 euros~~ 25 euros."]);
}

#[test]
fn hidden_sheets_links_and_marks_of_opendocument_are_read_as_they_are_shown() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let row = |one: &str, other: &str| format!("<table:table-row>{}{}</table:table-row>", cell(one), cell(other));
    let styles = "<style:style style:name='H'><style:table-properties table:display='false'/></style:style>\
        <style:style style:name='T'><style:text-properties style:text-position='super 58%'/></style:style>";
    let content = format!(
        "{styles}<table:table table:name='A'>{}{}{}</table:table><table:table table:name='B' table:style-name='H'>{}\
         </table:table>",
        row("question", "answer"),
        row("How large is it?", "10<text:span text:style-name='T'>4</text:span> m"),
        row("Where is the form?", "See <text:a xlink:href='https://example.org/form'>our form</text:a>."),
        row("Is it secret?", "No.")
    );
    let kind = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet");

    assert_eq!(
        lines(&read("a.ods", &[kind, ("content.xml", &content)])),
        ["How large is it? = 10⁴ m", "Where is the form? = See [our form](https://example.org/form)."]
    );
}
