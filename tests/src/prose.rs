//! Real prose for the pages of a web site: this project's own documents, cut at their headings. For
//! crawls of many pages in tests; `benches` includes this file for its own.

/// The documents.
const DOCUMENTS: [&str; 5] = [
    include_str!("../../docs/faq.md"),
    include_str!("../../docs/ingestion.md"),
    include_str!("../../docs/answering.md"),
    include_str!("../../docs/webhooks.md"),
    include_str!("../../docs/architecture.md"),
];
/// From one page to the next, and from one section of a page to the next, so many sections are
/// passed over: neighbours have little in common.
const STEPS: (usize, usize) = (7, 3);

/// The sections of all documents.
pub struct Prose {
    sections: Vec<&'static str>,
}

impl Prose {
    /// All there is.
    pub fn of_documents() -> Self {
        Self { sections: DOCUMENTS.iter().flat_map(|document| document.split("\n## ").skip(1)).collect() }
    }

    /// So many sections for the page of that number, as plain HTML. Each paragraph ends with the
    /// number, so that no two pages say the same.
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
