//! Change previews: what visitors would get if a change was published.

pub mod mutation;

use async_graphql::{Description, ID, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain::ids::SiteId;
use helpbot_services::knowledge::previews;

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{AnswerOutcome, ChangeEffect, ChangePreviewStatus};
use crate::schema::ids::{self, id};
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};

/// A preview of a change. The last 10,000 questions of visitors, each different one once, are asked
/// against the content as it is and as it would be, without their sessions, with the built-in embeddings
/// and without a model server.
#[derive(Clone, Description)]
pub struct ChangePreview {
    pub(crate) row: previews::ChangePreview,
    pub(crate) access: Access,
}

/// A question of visitors on which a change would have an effect.
#[derive(Clone, OutputObject)]
pub struct PreviewedQuestion {
    /// Effect that the change would have on the question.
    effect: ChangeEffect,
    /// Question as it was last asked. Addresses, links and numbers with five or more digits are replaced by
    /// placeholders such as `[number]`.
    question: String,
    /// Number of times that the question was asked. Case, spaces and punctuation make no difference.
    count: i32,
    /// Answer that visitors get now.
    before: PreviewedAnswer,
    /// Answer that visitors would get if the change was published.
    after: PreviewedAnswer,
}

/// An answer that visitors get for a question, or the outcome without one.
#[derive(Clone, OutputObject)]
pub struct PreviewedAnswer {
    /// Outcome that a visitor would see.
    outcome: AnswerOutcome,
    /// How certain HelpBot is that the best entry answers the question, 0 to 1.
    confidence: f64,
    /// Title of the entry that answers the question, or that comes closest. It is null when there is none.
    title: Option<String>,
    /// Address of that entry. It is null when the entry has no address.
    url: Option<String>,
}

connection! {
    /// A list of questions on which a change would have an effect: lost ones first, then changed ones, then
    /// gained ones, each sorted by how often they were asked. Of each effect, at most the 1,000 most asked
    /// questions are listed.
    PreviewedQuestionConnection,
    /// An edge that connects the list to a question.
    PreviewedQuestionEdge, PreviewedQuestion
}

#[paged]
#[Object(use_type_description)]
impl ChangePreview {
    /// Global ID of the preview, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Status that the preview has now.
    async fn status(&self) -> ChangePreviewStatus {
        self.row.status.into()
    }

    /// Number of different questions that were asked so far.
    async fn done_questions(&self) -> i32 {
        int(self.row.done_questions)
    }

    /// Number of different questions that are asked in total. It is null until the questions were read.
    async fn total_questions(&self) -> Option<i32> {
        self.row.total_questions.map(int)
    }

    /// Number of different questions that would get an answer. It is 0 until the preview is ready.
    async fn gained_count(&self) -> i32 {
        int(self.row.counts.gained)
    }

    /// Number of different questions that would lose their answer. It is 0 until the preview is ready.
    async fn lost_count(&self) -> i32 {
        int(self.row.counts.lost)
    }

    /// Number of different questions that would get another answer. It is 0 until the preview is ready.
    async fn changed_count(&self) -> i32 {
        int(self.row.counts.changed)
    }

    /// Questions on which the change would have an effect. The list is empty until the preview is ready.
    /// Requires the `READ_CONVERSATIONS` scope.
    async fn questions(
        &self,
        #[graphql(desc = "Effect of the questions to list. By default the questions of all effects are listed.")]
        effect: Option<ChangeEffect>,
        args: PageArgs,
    ) -> Nullable<PreviewedQuestionConnection> {
        nullable(questions(&self.access, &self.row, effect.map(Into::into), &args)).await
    }

    /// Time at which the preview was begun.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

impl From<previews::PreviewedAnswer> for PreviewedAnswer {
    fn from(answer: previews::PreviewedAnswer) -> Self {
        let previews::PreviewedAnswer { outcome, confidence, title, url } = answer;
        Self { outcome: outcome.into(), confidence, title, url }
    }
}

impl From<previews::PreviewedQuestion> for PreviewedQuestion {
    fn from(row: previews::PreviewedQuestion) -> Self {
        Self {
            effect: row.effect.into(),
            question: row.question,
            count: int(row.count),
            before: row.before.into(),
            after: row.after.into(),
        }
    }
}

/// A preview of a site. `None` when the site has no preview with this ID.
pub(crate) async fn load(access: &Access, site: SiteId, named: &ID) -> Result<Option<ChangePreview>> {
    let found = access.loaders.preview(site, ids::read(named)).await.map_err(loaders::failed)?;
    Ok(found.map(|row| ChangePreview { row, access: access.clone() }))
}

async fn questions(
    access: &Access,
    preview: &previews::ChangePreview,
    effect: Option<previews::PreviewEffect>,
    args: &PageArgs,
) -> Result<PreviewedQuestionConnection> {
    let counts = preview.counts;
    let count = async move { Ok(previews::listed_count(counts, effect)) };
    let rows = |part| previews::questions(&access.services, &access.viewer, preview, effect, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(PreviewedQuestionConnection::new(page, total, |row| {
        let position = row.seq.to_string();
        (row.into(), position)
    }))
}
