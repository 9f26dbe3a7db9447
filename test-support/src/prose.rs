//! Prose for the pages of a generated web site: this project's own documents, cut at their headings.
//! Crawl tests and the ingestion benchmark build sites of many pages from it.

/// The documents.
const DOCUMENTS: [&str; 5] = [
    include_str!("../../docs/faq.md"),
    include_str!("../../docs/ingestion.md"),
    include_str!("../../docs/answering.md"),
    include_str!("../../docs/webhooks.md"),
    include_str!("../../docs/architecture.md"),
];
/// Sections skipped from one page to the next, and from one section of a page to the next, so that
/// neighboring pages have little text in common.
const STEPS: (usize, usize) = (7, 3);

/// The sections of all documents.
pub struct Prose {
    sections: Vec<&'static str>,
}

impl Prose {
    /// All sections of the documents.
    pub fn of_documents() -> Self {
        Self { sections: DOCUMENTS.iter().flat_map(|document| document.split("\n## ").skip(1)).collect() }
    }

    /// `sections` sections for the page with the number `page`, as plain HTML. Each paragraph ends with
    /// the page number, so that no two pages have the same text.
    pub fn html(&self, page: usize, sections: usize) -> String {
        let own = (0..sections).map(|at| self.sections[(page * STEPS.0 + at * STEPS.1) % self.sections.len()]);
        own.map(|section| html(page, section)).collect()
    }
}

/// A section of Markdown as HTML: its heading, then its paragraphs as they stand.
fn html(page: usize, section: &str) -> String {
    let (title, text) = section.split_once('\n').unwrap_or((section, ""));
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let paragraphs: String = text
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(|paragraph| format!("<p>{} ({page})</p>", escaped(paragraph)))
        .collect();
    format!("<section><h2>{}</h2>{paragraphs}</section>", escaped(title))
}
