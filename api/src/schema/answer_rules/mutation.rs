//! The mutations that add and delete answer rules.

use async_graphql::{Context, ID, Object, Result};
use helpbot_services::knowledge::answer_rules;

use super::AnswerRule;
use crate::schema::access::Access;
use crate::schema::enums::AnswerRuleKind;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutations that manage answer rules.
#[derive(Default)]
pub struct AnswerRuleMutation;

input! {
    /// Arguments that `addAnswerRule` accepts.
    AddAnswerRuleInput {
        /// Question in the words of a visitor, which must have 1 to 1,000 characters.
        question: String,
        /// ID of the FAQ entry that always or never answers the question.
        entry_id: ID,
        /// Effect that the answer rule has on the entry.
        kind: AnswerRuleKind,
    }
}

payload! {
    /// Result that `addAnswerRule` returns.
    AddAnswerRulePayload {
        /// The answer rule that was added. It is null when the mutation failed.
        rule: Option<AnswerRule>,
    }
}

input! {
    /// Arguments that `deleteAnswerRule` accepts.
    DeleteAnswerRuleInput {
        /// ID of the answer rule that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteAnswerRule` returns.
    DeleteAnswerRulePayload {
        /// ID of the answer rule that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

#[Object]
impl AnswerRuleMutation {
    /// Pins an entry to a question, or forbids it for the question. It applies to the next question that a
    /// visitor asks. Of two pins for one question the newer one counts, and a forbidden entry is never
    /// pinned. Requires the `WRITE_SOURCES` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid question, with `NOT_FOUND` when the entry does not exist,
    /// and with `LIMIT_REACHED` when the site has 500 answer rules.
    async fn add_answer_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddAnswerRuleInput,
    ) -> Result<AddAnswerRulePayload> {
        let access = Access::of(ctx);
        let (site, entry) = (input.site(), ids::read(&input.entry_id));
        let Access { services, viewer, .. } = access;
        let added = answer_rules::add(services, viewer, site, input.kind.into(), &input.question, entry).await;
        finish(added, |row| AddAnswerRulePayload {
            rule: Some(AnswerRule { row, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Deletes an answer rule. Requires the `WRITE_SOURCES` scope. Fails with `NOT_FOUND` when the answer
    /// rule does not exist.
    async fn delete_answer_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteAnswerRuleInput,
    ) -> Result<DeleteAnswerRulePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = answer_rules::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteAnswerRulePayload { deleted_id: Some(input.id), ..Default::default() })
    }
}
