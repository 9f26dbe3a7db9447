//! Evaluation cases: saved questions that a site must be able to answer.

use crate::Timestamp;
use crate::ids::{CaseId, SiteId, SourceId};

/// A saved question with the source, page or entry that its answer must come from.
///
/// All expectations must hold. A case without an expectation passes when the site declines to
/// answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Site that the case belongs to.
    pub site_id: SiteId,
    /// ID of the case.
    pub id: CaseId,
    /// Question as a visitor would ask it.
    pub question: String,
    /// Source that the answer must come from. The source may have been deleted since.
    pub expected_source_id: Option<SourceId>,
    /// URL of the page that the answer must come from.
    pub expected_url: Option<String>,
    /// Question of the entry that the answer must come from.
    pub expected_question: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
}
