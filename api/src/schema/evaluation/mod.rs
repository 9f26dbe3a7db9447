//! Saved test questions: what a site must be able to answer.

pub mod mutation;

use async_graphql::{ID, Object, Result, SimpleObject};
use helpbot_services as services;
use helpbot_services::knowledge::evaluation;

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::enums::AnswerOutcome;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sites::int;
use crate::schema::sources::Source;

/// The saved test questions of a site, and what hangs on them.
pub struct Evaluation {
    pub(crate) site: services::Site,
    pub(crate) access: Access,
}

/// A question with what its answer must come from.
#[derive(Clone)]
pub struct EvaluationCase {
    row: evaluation::Case,
    access: Access,
}

connection! {
    /// Saved test questions, oldest first.
    EvaluationCaseConnection,
    /// A test question in a list.
    EvaluationCaseEdge, EvaluationCase
}

/// The saved test questions of a site, and what hangs on them.
#[Object]
impl Evaluation {
    /// How many test questions that pass a new reading of a source may lose before it is held
    /// back; null holds none back.
    async fn allowed_losses(&self) -> Nullable<i32> {
        perhaps(async {
            let allowed = evaluation::allowed_losses(&self.access.viewer, &self.site)?;
            Ok(allowed.map(|count| int(i64::from(count))))
        })
        .await
    }

    /// The test questions, oldest first.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn cases(
        &self,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<EvaluationCaseConnection> {
        nullable(list(&self.access, &self.site, &PageArgs { first, after, last, before })).await
    }
}

/// A question with what its answer must come from. All that is expected holds together; with
/// nothing expected, the site is to say that it does not know.
#[Object]
impl EvaluationCase {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// As a visitor would ask it.
    async fn question(&self) -> &str {
        &self.row.question
    }

    /// The source that the answer must come from; null when any, or when it was deleted.
    async fn expected_source(&self) -> Nullable<Source> {
        let source = self.row.expected_source_id?;
        perhaps(async {
            let found = self.access.loaders.source(self.row.site_id, source).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Source { row, access: self.access.clone() }))
        })
        .await
    }

    /// The page that it must come from.
    async fn expected_url(&self) -> Option<&str> {
        self.row.expected_url.as_deref()
    }

    /// The question of the entry that it must come from.
    async fn expected_question(&self) -> Option<&str> {
        self.row.expected_question.as_deref()
    }

    /// When it was saved.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// How one test question did.
#[derive(SimpleObject)]
pub struct EvaluationResult {
    /// The id of the test question.
    case_id: Option<ID>,
    /// The question.
    question: String,
    /// Whether the site answers it from what was expected.
    is_passed: bool,
    /// What a visitor would get.
    outcome: AnswerOutcome,
    /// The place of what was expected among what was found, from 1; null when it was not found.
    rank: Option<i32>,
    /// How sure the site is that the best it found answers the question, 0 to 1.
    confidence: f64,
    /// The title of the best that it found.
    found_title: Option<String>,
    /// Where that stands.
    found_url: Option<String>,
}

impl From<evaluation::Tested> for EvaluationResult {
    fn from(tested: evaluation::Tested) -> Self {
        Self {
            case_id: tested.case_id.map(id),
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

async fn list(access: &Access, site: &services::Site, args: &PageArgs) -> Result<EvaluationCaseConnection> {
    let walk = args.walk()?;
    let found = evaluation::list(&access.services, &access.viewer, site, walk.part()?).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let nodes = rows.into_iter().map(|row| (row.id.to_string(), row));
    let nodes = nodes.map(|(place, row)| (EvaluationCase { row, access: access.clone() }, place)).collect();
    let (access, site) = (access.clone(), site.clone());
    let total = page::total(move || {
        let (access, site) = (access.clone(), site.clone());
        async move { evaluation::total(&access.services, &access.viewer, &site).await.map(int) }
    });
    Ok(EvaluationCaseConnection::new(nodes, has_previous, has_next, total))
}
