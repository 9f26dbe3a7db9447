//! Pages as strangers write them: controls, short facts, and text that is not content. Each test is one kind
//! of page from a public report, in our own words.

use helpbot_ingest::extract::{self, Item, Page};

fn page(body: &str) -> Page {
    let html = format!("<html lang=\"en\"><title>Help</title><body>{body}</body></html>");
    extract::html(html.as_bytes(), None, None).expect("a page")
}

fn pairs(body: &str) -> Vec<(String, String)> {
    let pair = |item: &Item| match item {
        Item::Pair { question, answer, .. } => (question.clone(), answer.clone()),
        Item::Passage { .. } => unreachable!("pairs() returns pairs"),
    };
    page(body).pairs().map(pair).collect()
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(question, answer)| ((*question).to_owned(), (*answer).to_owned())).collect()
}

/// All text of a page as it is indexed.
fn text(page: &Page) -> String {
    let text = |item: &Item| match item {
        Item::Pair { question, answer, .. } => format!("{question}\n{answer}"),
        Item::Passage { heading, text, .. } => format!("{}\n{text}", heading.join(" > ")),
    };
    page.items.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn plain_buttons_with_a_panel_are_questions_and_other_buttons_are_not() {
    let accordion = "<button class=acc>Is there a lift?</button><div><p>At gate 3.</p></div>\
        <button class=acc>Can I bring a dog?</button><div><p>A small one.</p></div><p><button>Write to us</button></p>";
    let terms = "<dl><dt><button>Is it free?</button></dt><dd>For children.</dd>\
        <dt><button>Is it open?</button></dt><dd>All year.</dd></dl>";

    assert_eq!(pairs(accordion), of(&[("Is there a lift?", "At gate 3."), ("Can I bring a dog?", "A small one.")]));
    assert_eq!(pairs(terms), of(&[("Is it free?", "For children."), ("Is it open?", "All year.")]));
}

#[test]
fn tabs_stand_above_their_panels() {
    let tabs = "<h2>How do I update?</h2><div><div role=tablist><span role=tab>Linux</span><span role=tab>Mac</span></div>\
        <div role=tabpanel>Use apt.</div><div role=tabpanel>Use brew.</div></div><h2>How do I stop?</h2><p>Press q.</p>";

    assert_eq!(pairs(tabs)[0].1, "**Linux**\n\nUse apt.\n\n**Mac**\n\nUse brew.");
}

#[test]
fn slots_of_a_shadow_root_are_filled() {
    let item = |question: &str, answer: &str| {
        format!(
            "<x-faq><template shadowrootmode=open><h3><slot name=q></slot></h3><slot></slot></template>\
             <b slot=q>{question}</b><p>{answer}</p></x-faq>"
        )
    };

    let found = pairs(&(item("Where is it?", "In Ulm.") + &item("Who runs it?", "A club.")));

    assert_eq!(found, of(&[("Where is it?", "In Ulm."), ("Who runs it?", "A club.")]));
}

#[test]
fn a_question_in_greek_ends_with_a_semicolon() {
    let found = pairs("<p>Πού είστε;</p><p>Στη Χίο.</p><p>Πότε ανοίγετε;</p><p>Στις εννέα.</p>");

    assert_eq!(found, of(&[("Πού είστε;", "Στη Χίο."), ("Πότε ανοίγετε;", "Στις εννέα.")]));
}

#[test]
fn short_sections_are_kept_under_their_heading() {
    let text = text(&page("<h1>Contact</h1><h2>Fax</h2><p>0731 55</p><h2>Desk</h2><p>Floor 7</p>"));

    assert!(text.contains("Contact > Fax\n0731 55") && text.contains("Contact > Desk\nFloor 7"), "{text}");
}

#[test]
fn cookie_notices_and_votes_are_no_content() {
    let body = "<div class=\"acme-cookie-banner\"><h2>Cookies on this site?</h2><p>We use cookies to count visits.</p>\
        <button>Accept</button></div><h1>Library</h1><h2>Who can join?</h2><p>Everyone in town.</p>\
        <h2>What does it cost?</h2><p>Nothing.</p><h2>Was this page helpful?</h2><p>Yes No</p><p>9 of 12 found it helpful</p>";

    assert_eq!(pairs(body), of(&[("Who can join?", "Everyone in town."), ("What does it cost?", "Nothing.")]));
    assert!(!text(&page(body)).contains("cookies"));
}

#[test]
fn a_container_that_is_called_a_menu_may_be_content() {
    let filler = "<p>A long introduction to the house, its garden, its rooms and its history since 1899.</p>".repeat(4);
    let body = format!(
        "<h1>Inn</h1>{filler}<div class=menu><h2>Dinner</h2><p>Trout with potatoes from the garden 21 euros</p><p>Soup of the day with bread 6 euros</p></div>"
    );

    assert!(text(&page(&body)).contains("Trout with potatoes"));
}

#[test]
fn clauses_with_letters_are_no_questions() {
    let clauses = "<p>a. The guest pays first.</p><p>d. The host keeps the key.</p><p>e. The room is kept clean.</p>\
        <p>f. Pets stay at home.</p><p>r. Smoking is not allowed.</p>";

    assert_eq!(pairs(clauses), []);
}

#[test]
fn json_ld_with_common_faults_is_read() {
    let script = |json: &str| {
        format!("<h1>Shop</h1><p>Welcome to our shop.</p><script type=\"application/ld+json\">{json}</script>")
    };
    let entry = r#"{"@type":"Question","name":"Is it new?","acceptedAnswer":{"@type":"Answer","text":"Yes."}}"#;
    let wanted = of(&[("Is it new?", "Yes.")]);

    assert_eq!(pairs(&script(&format!("{{\"@type\":\"FAQPage\",\"mainEntity\":[{entry},]}}"))), wanted);
    assert_eq!(pairs(&script(&entry.replace('"', "&quot;"))), wanted);
    assert_eq!(pairs(&script(&format!("/* faq */ {entry};"))), wanted);
}

#[test]
fn titles_within_a_paragraph_divide_it() {
    let body = "<h1>Rules</h1><p><b>Bikes.</b> They stay in the yard. <b>Bins!</b> On Mondays. <b>Noise.</b> Not after ten.</p>";

    assert!(text(&page(body)).contains("Rules > Bins!\nOn Mondays."));
}

#[test]
fn a_page_that_only_scripts_fill_differs_from_an_empty_one() {
    assert_eq!(
        extract::html(b"<div id=app></div><script src=a.js></script>", None, None),
        Err(extract::ExtractError::NeedsScripts)
    );
    assert_eq!(extract::html(b"<div></div>", None, None), Err(extract::ExtractError::Empty));
}
