//! Test questions: saved questions with the answers that are expected, which measure how well a
//! site answers.

pub mod mutation;

use async_graphql::{ComplexObject, Description, ID, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::ids::{CaseId, SiteId};
use helpbot_services::knowledge::evaluation;

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::enums::AnswerOutcome;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};
use crate::schema::sources::Source;

/// Contains the test questions of a site and the settings that use them.
#[derive(Description)]
pub struct Evaluation {
    pub(crate) site: domain::site::Site,
    pub(crate) access: Access,
}

/// A test question with the answer that is expected. All expectations must be met. When nothing is
/// expected, HelpBot must reply that it does not know the answer.
#[derive(Clone, Description)]
pub struct EvaluationCase {
    pub(crate) row: evaluation::Case,
    pub(crate) access: Access,
}

connection! {
    /// A list of test questions, which is sorted by the time of creation, oldest first.
    EvaluationCaseConnection,
    /// An edge that connects the list to a test question.
    EvaluationCaseEdge, EvaluationCase
}

#[paged]
#[Object(use_type_description)]
impl Evaluation {
    /// Number of test questions that pass now and that a sync may break. A sync that would break more
    /// fails, and the previous content stays in use. The value is null when syncs are not checked.
    /// Requires the `READ_CONFIG` scope.
    async fn allowed_losses(&self) -> Nullable<i32> {
        perhaps(async {
            let allowed = evaluation::allowed_losses(&self.access.viewer, &self.site)?;
            Ok(allowed.map(|count| int(i64::from(count))))
        })
        .await
    }

    /// Test questions of the site, oldest first. Requires the `READ_SOURCES` scope.
    async fn cases(&self, args: PageArgs) -> Nullable<EvaluationCaseConnection> {
        nullable(list(&self.access, &self.site, &args)).await
    }
}

#[Object(use_type_description)]
impl EvaluationCase {
    /// Global ID of the test question, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Question that is asked, in the words of a visitor.
    async fn question(&self) -> &str {
        &self.row.question
    }

    /// Source that the answer must come from. It is null when no source is expected or the source was
    /// deleted.
    async fn expected_source(&self) -> Nullable<Source> {
        let source = self.row.expected_source_id?;
        perhaps(async {
            let found = self.access.loaders.source(self.row.site_id, source).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Source { row, access: self.access.clone() }))
        })
        .await
    }

    /// Address of the page that the answer must come from. It is null when no page is expected.
    async fn expected_url(&self) -> Option<&str> {
        self.row.expected_url.as_deref()
    }

    /// Question of the FAQ entry that the answer must come from. It is null when no entry is expected.
    async fn expected_question(&self) -> Option<&str> {
        self.row.expected_question.as_deref()
    }

    /// Time at which the test question was saved.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// Result that one test question returned.
#[derive(OutputObject)]
#[graphql(complex)]
pub struct EvaluationResult {
    /// Question that was asked.
    question: String,
    /// Whether the site answers the question from what was expected.
    is_passed: bool,
    /// Outcome that a visitor would see.
    outcome: AnswerOutcome,
    /// Rank of the expected content among the ten best results, starting at 1. It is null when the
    /// expected content was not found or nothing was expected.
    rank: Option<i32>,
    /// How certain HelpBot is that the best result answers the question, 0 to 1.
    confidence: f64,
    /// Title of the best result. It is null when nothing was found.
    found_title: Option<String>,
    /// Address of the page that contains the best result. It is null when the result has no address.
    found_url: Option<String>,
    #[graphql(skip)]
    case_id: Option<CaseId>,
    #[graphql(skip)]
    site_id: SiteId,
    #[graphql(skip)]
    access: Access,
}

#[ComplexObject]
impl EvaluationResult {
    /// Test question that was asked. It is null for a question of an uploaded file, and when the test question was
    /// deleted.
    async fn case(&self) -> Nullable<EvaluationCase> {
        let found = self.access.loaders.case(self.site_id, self.case_id?).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| EvaluationCase { row, access: self.access.clone() }))
    }
}

impl EvaluationResult {
    fn new(tested: evaluation::TestResult, site_id: SiteId, access: &Access) -> Self {
        Self {
            case_id: tested.case_id,
            site_id,
            access: access.clone(),
            question: tested.question,
            is_passed: tested.is_passed,
            outcome: tested.outcome.into(),
            rank: tested.rank.and_then(|rank| i32::try_from(rank).ok()),
            confidence: tested.confidence,
            found_title: tested.found_title,
            found_url: tested.found_url,
        }
    }
}

async fn list(access: &Access, site: &domain::site::Site, args: &PageArgs) -> Result<EvaluationCaseConnection> {
    let (counted, of) = (access.clone(), site.clone());
    let count = async move { evaluation::total(&counted.services, &counted.viewer, &of).await };
    let rows = |part| evaluation::list(&access.services, &access.viewer, site, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(EvaluationCaseConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (EvaluationCase { row, access: access.clone() }, position)
    }))
}
