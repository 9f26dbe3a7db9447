//! Fields of a Word document: a code, which Word does not show, and its result, which may be a link.
//!
//! Called by the writer. A field may be within the code or within the result of another one.

/// The longest code of a field that is read, in bytes.
const CODE_LIMIT_BYTES: usize = 4096;

#[derive(Debug, Default)]
struct OpenField {
    code: String,
    is_code: bool,
    is_link: bool,
}

/// What a field was that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndedField {
    Link,
    /// A box to tick, which has no result.
    TickBox,
    Text,
}

/// The fields that are open, outermost first.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<OpenField>);

impl Fields {
    pub(super) fn begin(&mut self) {
        self.0.push(OpenField { is_code: true, ..OpenField::default() });
    }

    pub(super) fn add_code(&mut self, code: &str) {
        let open = self.0.last_mut().filter(|field| field.is_code && field.code.len() < CODE_LIMIT_BYTES);
        if let Some(field) = open {
            field.code.push_str(code);
        }
    }

    /// Begins the result of the innermost field. Returns its target when it is a link.
    pub(super) fn end_code(&mut self) -> Option<String> {
        let field = self.0.last_mut()?;
        field.is_code = false;
        let quoted = field.code.trim().strip_prefix("HYPERLINK")?.trim_start().strip_prefix('"')?;
        let (target, _) = quoted.split_once('"')?;
        field.is_link = true;
        Some(target.to_owned())
    }

    /// Ends the innermost field.
    pub(super) fn end(&mut self) -> EndedField {
        match self.0.pop() {
            Some(field) if field.is_link => EndedField::Link,
            Some(field) if field.code.trim() == "FORMCHECKBOX" => EndedField::TickBox,
            _ => EndedField::Text,
        }
    }

    /// Whether the code of any field is open, so that no text is shown.
    pub(super) fn is_in_code(&self) -> bool {
        self.0.iter().any(|field| field.is_code)
    }

    /// Ends the codes that are open at the end of a paragraph: one that nothing ends must not hide the rest of the
    /// document.
    pub(super) fn end_paragraph(&mut self) {
        self.0.iter_mut().for_each(|field| field.is_code = false);
    }
}
