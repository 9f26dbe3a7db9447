//! What office documents say besides plain text: formats of numbers, merged cells, signs, ticks, links, hidden parts.
//! Each test is one kind of document from a public report, built part by part.

use crate::office::{lines, paragraph, read, word};

/// A workbook of one sheet with these rows, number formats by id, and properties.
fn sheet(rows: &str, formats: &str, properties: &str, behind: &str) -> Vec<String> {
    let workbook = format!("<workbook>{properties}<sheets><sheet name='A' r:id='r1'/></sheets></workbook>");
    let relations = "<R><Relationship Id='r1' Target='worksheets/sheet1.xml'/></R>";
    let styles = format!("<styleSheet>{formats}</styleSheet>");
    let sheet = format!("<worksheet>{rows}{behind}</worksheet>");
    let parts = [
        ("xl/workbook.xml", workbook.as_str()),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/styles.xml", &styles),
        ("xl/worksheets/sheet1.xml", &sheet),
    ];
    lines(&read("a.xlsx", &parts))
}

fn text_cell(place: &str, text: &str) -> String {
    format!("<c r='{place}' t='inlineStr'><is><t>{text}</t></is></c>")
}

#[test]
fn numbers_of_sheets_are_written_as_their_format_shows_them() {
    let formats = "<numFmts><numFmt numFmtId='164' formatCode='#,##0.00 &quot;€&quot;'/>\
        <numFmt numFmtId='165' formatCode='00000'/></numFmts>\
        <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='9'/><xf numFmtId='20'/><xf numFmtId='165'/>\
        <xf numFmtId='14'/></cellXfs>";
    let number = |style: u8, value: &str| format!("<c s='{style}'><v>{value}</v></c>");
    let cells = [(1, "1234567.891"), (2, "0.5"), (3, "0.75"), (4, "1010"), (5, "45365")].map(|(s, v)| number(s, v));
    let rows = format!(
        "<sheetData><row><c t='str'><v>The rates of our shop in all of its regions</v></c>{}</row></sheetData>",
        cells.concat()
    );
    let old = "<sheetData><row><c t='str'><v>The day on which the first shop was opened</v></c><c s='5'><v>43903\
        </v></c></row></sheetData>";

    assert_eq!(
        sheet(&rows, formats, "", ""),
        [" : The rates of our shop in all of its regions | 1,234,567.89 € | 50% | 18:00 | 01010 | 2024-03-14"]
    );
    assert_eq!(
        sheet(old, formats, "<workbookPr date1904='1'/>", ""),
        [" : The day on which the first shop was opened | 2024-03-14"]
    );
}

#[test]
fn hidden_rows_and_columns_are_left_out_and_merged_cells_repeated() {
    let row = |number: u8, attributes: &str, cells: [&str; 3]| {
        let cells = cells.iter().zip(["A", "B", "C"]).filter(|(text, _)| !text.is_empty());
        let cells: String = cells.map(|(text, column)| text_cell(&format!("{column}{number}"), text)).collect();
        format!("<row r='{number}' {attributes}>{cells}</row>")
    };
    let rows = [
        row(1, "", ["Question", "Note", "Answer"]),
        row(2, "hidden='1'", ["Is it secret?", "", "Yes."]),
        row(3, "", ["How do I pay?", "todo", "By card._x000D_"]),
        row(4, "", ["", "", "Or cash."]),
    ];
    let rows = format!("<cols><col min='2' max='2' hidden='1'/></cols><sheetData>{}</sheetData>", rows.concat());
    let merged = "<mergeCells><mergeCell ref='A3:A4'/></mergeCells>";

    assert_eq!(sheet(&rows, "", "", merged), ["How do I pay? = By card.", "How do I pay? = Or cash."]);
}

#[test]
fn hidden_and_merged_cells_of_opendocument_are_read_as_they_are_shown() {
    let cell = |attributes: &str, text: &str| {
        format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
    };
    let covered = "<table:covered-table-cell/>";
    let rows = format!(
        "<table:table-row>{}{}</table:table-row><table:table-row table:visibility='collapse'>{}{}</table:table-row>\
         <table:table-row>{}{}</table:table-row><table:table-row>{covered}{}</table:table-row>",
        cell("", "question"),
        cell("", "answer"),
        cell("", "Is it secret?"),
        cell("", "Yes."),
        cell("table:number-rows-spanned='2'", "How do I pay?"),
        cell("", "By card."),
        cell("", "Or cash.")
    );
    let kind = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
    let sheet = format!("<table:table table:name='a'>{rows}</table:table>");
    let text = format!(
        "<office:body><text:p>These are the prices of all regions:</text:p><table:table><table:table-row>{}{}{}\
         </table:table-row>\
         <table:table-row>{covered}{}{}</table:table-row></table:table></office:body>",
        cell("table:number-rows-spanned='2'", "EU"),
        cell("", "Cable"),
        cell("", "12"),
        cell("", "Hub"),
        cell("", "7")
    );

    assert_eq!(
        lines(&read("a.ods", &[kind, ("content.xml", &sheet)])),
        ["How do I pay? = By card.", "How do I pay? = Or cash."]
    );
    let read = lines(&read("a.odt", &[("content.xml", &text)]));
    assert!(read[0].ends_with("EU | Cable | 12\n\nEU | Hub | 7"), "{read:?}");
}

#[test]
fn footnotes_of_opendocument_follow_their_paragraph_and_hidden_text_is_left_out() {
    let styles = "<office:automatic-styles><style:style style:name='H'>\
        <style:text-properties text:display='none'/></style:style>\
        </office:automatic-styles>";
    let body = "<office:body><text:p>It takes two days<text:note><text:note-citation>1</text:note-citation>\
        <text:note-body>\
        <text:p>Not on Sundays.</text:p></text:note-body></text:note> in Austria\
        <text:span text:style-name='H'> secretly</text:span>\
        <text:hidden-text>never</text:hidden-text>.</text:p></office:body>";

    let page = read(
        "a.odt",
        &[("content.xml", &format!("<office:document-content>{styles}{body}</office:document-content>"))],
    );

    assert_eq!(lines(&page), [" : It takes two days¹ in Austria.\n\n¹ Not on Sundays."]);
}

#[test]
fn merged_cells_of_word_are_in_each_of_their_places() {
    let cell =
        |properties: &str, text: &str| format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", paragraph("", text));
    let row = |cells: [String; 3]| format!("<w:tr>{}</w:tr>", cells.concat());
    let table = row([cell("<w:vMerge w:val='restart'/>", "EU"), cell("", "Cable"), cell("", "12")])
        + &row([cell("<w:vMerge/>", ""), cell("", "Hub"), cell("", "7")])
        + &row([cell("", "US"), cell("<w:gridSpan w:val='2'/>", "on request"), String::new()]);

    let lines = lines(&word(&format!("{}<w:tbl>{table}</w:tbl>", paragraph("", "Prices of all regions:")), &[]));

    assert!(lines[0].ends_with("EU | Cable | 12\n\nEU | Hub | 7\n\nUS | on request | on request"), "{lines:?}");
}

#[test]
fn signs_ticks_and_hidden_styles_of_word_are_read_as_they_are_shown() {
    let styles =
        "<w:styles><w:style w:styleId='Secret'><w:name w:val='Secret'/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>";
    let field = |state: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:checkBox><w:default w:val='{state}'/>\
             </w:checkBox></w:ffData>\
             </w:fldChar></w:r><w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r><w:r>\
             <w:fldChar w:fldCharType='end'/></w:r>"
        )
    };
    let body = format!(
        "<w:p><w:r><w:t>Go to Settings </w:t></w:r><w:r><w:sym w:font='Wingdings' w:char='F0E0'/></w:r>\
         <w:r><w:t> Pay, 5 </w:t></w:r><w:r><w:sym w:font='Symbol' w:char='F06D'/></w:r><w:r><w:t>m, {}</w:t>\
         </w:r></w:p>\
         <w:p>{}<w:r><w:t> yes</w:t></w:r>{}<w:r><w:t> no</w:t></w:r></w:p>",
        "and so on.",
        field("1"),
        field("0")
    );
    let body = body + &paragraph("<w:pStyle w:val='Secret'/>", "Nobody reads this.");

    assert_eq!(
        lines(&word(&body, &[("word/styles.xml", styles)])),
        [" : Go to Settings → Pay, 5 µm, and so on.\n\n☑ yes☐ no"]
    );
}

#[test]
fn a_table_of_word_without_a_header_row_has_named_columns() {
    let row = |cells: [&str; 2]| {
        let cells = cells.map(|text| format!("<w:tc>{}</w:tc>", paragraph("", text)));
        format!("<w:tr>{}</w:tr>", cells.concat())
    };
    let table = row(["Frage", "Antwort"]) + &row(["Wie zahle ich?", "Mit Karte."]) + &row(["Rückgabe", "Eine Woche."]);

    let page = word(&format!("<w:tbl>{table}</w:tbl>"), &[]);

    assert_eq!(page.pairs().count(), 2);
    assert!(lines(&page).contains(&"Rückgabe = Eine Woche.".to_owned()), "{:?}", lines(&page));
}

#[test]
fn shapes_of_a_slide_are_read_in_their_places_with_their_marks() {
    let shape = |y: u32, x: u32, runs: &str| {
        format!("<p:sp><p:spPr><a:xfrm><a:off x='{x}' y='{y}'/></a:xfrm></p:spPr><a:p>{runs}</a:p></p:sp>")
    };
    let run = |properties: &str, inside: &str, text: &str| {
        format!("<a:r><a:rPr {properties}>{inside}</a:rPr><a:t>{text}</a:t></a:r>")
    };
    let last = shape(
        5_000_000,
        0,
        &(run("", "", "It was ")
            + &run("strike='sngStrike'", "", "old")
            + &run("", "<a:hlinkClick r:id='r1'/>", " here")),
    );
    let right = shape(2_000_000, 4_000_000, &(run("", "", "20 m") + &run("baseline='30000'", "", "2")));
    let left = shape(2_010_000, 0, &run("", "", "Area of the largest room in the building"));
    let both = format!(
        "<mc:AlternateContent><mc:Choice>{left}</mc:Choice><mc:Fallback>{left}</mc:Fallback></mc:AlternateContent>"
    );
    let slide = format!("<p:sld>{last}{right}{both}</p:sld>");
    let links = "<R><Relationship Id='r1' Type='x/hyperlink' Target='https://a.example/'/></R>";

    let page = read(
        "a.pptx",
        &[
            ("ppt/presentation.xml", "<p/>"),
            ("ppt/slides/slide1.xml", &slide),
            ("ppt/slides/_rels/slide1.xml.rels", links),
        ],
    );

    assert_eq!(
        lines(&page),
        [" : Area of the largest room in the building\n\n20 m²\n\nIt was ~~old~~ [here](https://a.example/)"]
    );
}

#[test]
fn merged_cells_of_slides_are_in_each_of_their_places() {
    let cell =
        |attributes: &str, text: &str| format!("<a:tc {attributes}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:tc>");
    let table = format!(
        "<a:tr>{}{}{}</a:tr><a:tr>{}{}{}</a:tr>",
        cell("rowSpan='2'", "EU"),
        cell("", "Cable"),
        cell("", "12 euros without tax and shipping"),
        cell("vMerge='1'", ""),
        cell("", "Hub"),
        cell("", "7 euros")
    );
    let slide = format!("<p:sld><p:graphicFrame><a:tbl>{table}</a:tbl></p:graphicFrame></p:sld>");

    let page = read("a.pptx", &[("ppt/presentation.xml", "<p/>"), ("ppt/slides/slide1.xml", &slide)]);

    assert_eq!(lines(&page), [" : EU | Cable | 12 euros without tax and shipping\n\nEU | Hub | 7 euros"]);
}
