//! The mutations that save, delete and run test questions.

use async_graphql::{Context, ID, MaybeUndefined, Object, Result};
use helpbot_services::knowledge::evaluation::{self, NewCase};

use super::{Evaluation, EvaluationCase, EvaluationResult};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{changed_number, finish, input, payload};

/// The mutations that manage test questions.
#[derive(Default)]
pub struct EvaluationMutation;

input! {
    /// Arguments that `addEvaluationCase` accepts. All expectations must be met. When `sourceId`, `url`
    /// and `entryId` are absent, HelpBot must reply that it does not know the answer.
    AddEvaluationCaseInput {
        /// Question in the words of a visitor, which must have 1 to 1,000 characters.
        question: String,
        /// ID of the source that the answer must come from. By default no source is expected.
        source_id: Option<ID>,
        /// Address of the page that the answer must come from. A fragment names the place on the page. By
        /// default no page is expected.
        url: Option<String>,
        /// ID of the FAQ entry that the answer must come from. By default no FAQ entry is expected.
        entry_id: Option<ID>,
    }
}

payload! {
    /// Result that `addEvaluationCase` returns.
    AddEvaluationCasePayload {
        /// The test question that was saved. It is null when the mutation failed.
        case: Option<EvaluationCase>,
    }
}

input! {
    /// Arguments that `deleteEvaluationCase` accepts.
    DeleteEvaluationCaseInput {
        /// ID of the test question that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteEvaluationCase` returns.
    DeleteEvaluationCasePayload {
        /// ID of the test question that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

input! {
    /// Arguments that `updateEvaluationSettings` accepts. Fields that are absent stay unchanged.
    UpdateEvaluationSettingsInput {
        /// Number of test questions that pass now and that a sync may break. It must be 0 or more. A sync
        /// that would break more fails. With null, syncs are not checked. The setting stays unchanged when
        /// this field is absent.
        allowed_losses: MaybeUndefined<i32>,
    }
}

payload! {
    /// Result that `updateEvaluationSettings` returns.
    UpdateEvaluationSettingsPayload {
        /// The test questions with their changed settings. It is null when the mutation failed.
        evaluation: Option<Evaluation>,
    }
}

input! {
    /// Arguments that `runEvaluation` accepts.
    RunEvaluationInput {}
}

payload! {
    /// Result that `runEvaluation` returns.
    RunEvaluationPayload {
        /// Results of all test questions, in the order in which the questions were saved. It is null when
        /// the mutation failed.
        results: Option<Vec<EvaluationResult>>,
        /// Number of test questions that passed. It is null when the mutation failed.
        passed_count: Option<i32>,
    }
}

#[Object]
impl EvaluationMutation {
    /// Saves a test question. Requires the `WRITE_SOURCES` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field, with `NOT_FOUND` when the source or the entry
    /// does not exist, and with `LIMIT_REACHED` when the site has 1,000 test questions.
    async fn add_evaluation_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddEvaluationCaseInput,
    ) -> Result<AddEvaluationCasePayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let new = NewCase {
            question: input.question,
            source_id: input.source_id.as_ref().map(ids::read),
            url: input.url,
            entry_id: input.entry_id.as_ref().map(ids::read),
        };
        finish(evaluation::add(&access.services, &access.viewer, site, new).await, |row| AddEvaluationCasePayload {
            case: Some(EvaluationCase { row, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Deletes a test question. Requires the `WRITE_SOURCES` scope. Fails with `NOT_FOUND` when the test
    /// question does not exist.
    async fn delete_evaluation_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteEvaluationCaseInput,
    ) -> Result<DeleteEvaluationCasePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = evaluation::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteEvaluationCasePayload { deleted_id: Some(input.id), ..Default::default() })
    }

    /// Sets how many test questions a sync may break. Requires the `WRITE_CONFIG` scope. Fails with
    /// `BAD_USER_INPUT` for a negative number.
    async fn update_evaluation_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateEvaluationSettingsInput,
    ) -> Result<UpdateEvaluationSettingsPayload> {
        let access = Access::of(ctx);
        let allowed = changed_number(&input.allowed_losses);
        let changed = evaluation::set_allowed_losses(&access.services, &access.viewer, input.site(), allowed).await;
        finish(changed, |site| UpdateEvaluationSettingsPayload {
            evaluation: Some(Evaluation { site, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Asks all test questions against the current content of the site and returns the results. Uses no
    /// credits and stores nothing. Requires the `READ_SOURCES` scope.
    async fn run_evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RunEvaluationInput,
    ) -> Result<RunEvaluationPayload> {
        let access = Access::of(ctx);
        let tested = evaluation::run(&access.services, &access.viewer, input.site()).await;
        let tested = tested.and_then(|tested| Ok((access.viewer.site(input.site())?, tested)));
        finish(tested, |(site, tested)| {
            let passed = tested.iter().filter(|tested| tested.is_passed).count();
            RunEvaluationPayload {
                results: Some(tested.into_iter().map(|tested| EvaluationResult::new(tested, site, access)).collect()),
                passed_count: i32::try_from(passed).ok(),
                ..Default::default()
            }
        })
    }
}
