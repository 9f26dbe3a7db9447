//! Saving, deleting and running test questions.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::knowledge::evaluation::{self, NewCase};

use super::{Evaluation, EvaluationCase, EvaluationResult};
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::ids;

/// Changing and running test questions.
#[derive(Default)]
pub struct EvaluationMutation;

/// A test question to be saved. All that is expected holds together; with nothing expected, the
/// site is to say that it does not know.
#[derive(InputObject)]
pub struct AddEvaluationCaseInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// As a visitor would ask it, 1 to 1000 characters.
    question: String,
    /// The source that the answer must come from.
    source_id: Option<ID>,
    /// The page that it must come from; with a fragment, the place on the page.
    url: Option<String>,
    /// The entry that it must come from.
    entry_id: Option<ID>,
}

/// The test question, or why it was not saved.
#[derive(Default, SimpleObject)]
pub struct AddEvaluationCasePayload {
    /// The test question.
    case: Option<EvaluationCase>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The test question to delete.
#[derive(InputObject)]
pub struct DeleteEvaluationCaseInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The id of the deleted test question, or why it was not deleted.
#[derive(Default, SimpleObject)]
pub struct DeleteEvaluationCasePayload {
    /// The id that is gone.
    deleted_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// What the test questions are to decide.
#[derive(InputObject)]
pub struct UpdateEvaluationSettingsInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// How many test questions that pass a new reading of a source may lose before it is held
    /// back; null holds none back.
    allowed_losses: Option<i32>,
}

/// The settings as they are now, or why they were not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateEvaluationSettingsPayload {
    /// The test questions with their settings.
    evaluation: Option<Evaluation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// Whose test questions to run.
#[derive(InputObject)]
pub struct RunEvaluationInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
}

/// How the test questions did, or why they were not run.
#[derive(Default, SimpleObject)]
pub struct RunEvaluationPayload {
    /// One for each test question, in the order of saving.
    results: Option<Vec<EvaluationResult>>,
    /// How many passed.
    passed_count: Option<i32>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl EvaluationMutation {
    /// Saves a test question.
    async fn add_evaluation_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddEvaluationCaseInput,
    ) -> Result<AddEvaluationCasePayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        let new = NewCase {
            question: input.question,
            source_id: input.source_id.as_ref().map(ids::read),
            url: input.url,
            entry_id: input.entry_id.as_ref().map(ids::read),
        };
        Ok(match evaluation::add(&access.services, &access.viewer, site, new).await {
            Ok(row) => {
                let case = Some(EvaluationCase { row, access: access.clone() });
                AddEvaluationCasePayload { case, ..Default::default() }
            }
            Err(error) => AddEvaluationCasePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Deletes a test question.
    async fn delete_evaluation_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteEvaluationCaseInput,
    ) -> Result<DeleteEvaluationCasePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match evaluation::delete(services, viewer, site, id).await {
            Ok(()) => DeleteEvaluationCasePayload { deleted_id: Some(input.id), ..Default::default() },
            Err(error) => DeleteEvaluationCasePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Sets when a new reading of a source is held back by the test questions.
    async fn update_evaluation_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEvaluationSettingsInput,
    ) -> Result<UpdateEvaluationSettingsPayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        let allowed = input.allowed_losses.map(i64::from);
        Ok(match evaluation::set_allowed_losses(&access.services, &access.viewer, site, allowed).await {
            Ok(site) => {
                let evaluation = Some(Evaluation { site, access: access.clone() });
                UpdateEvaluationSettingsPayload { evaluation, ..Default::default() }
            }
            Err(error) => UpdateEvaluationSettingsPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Runs the saved test questions against what the site knows now; costs no credits.
    async fn run_evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to run.")] input: RunEvaluationInput,
    ) -> Result<RunEvaluationPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        Ok(match evaluation::run(services, viewer, ids::site(input.site_id.as_ref())).await {
            Ok(tested) => {
                let passed = tested.iter().filter(|tested| tested.is_passed).count();
                RunEvaluationPayload {
                    results: Some(tested.into_iter().map(EvaluationResult::from).collect()),
                    passed_count: i32::try_from(passed).ok(),
                    user_errors: Vec::new(),
                }
            }
            Err(error) => RunEvaluationPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
