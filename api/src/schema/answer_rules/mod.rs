//! Answer rules: entries that the owner pinned to a question, or forbade for it.

pub mod mutation;

use async_graphql::{Description, ID, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_domain::key::Scope;
use helpbot_services::conversations::Explanation;
use helpbot_services::knowledge::answer_rules::{self, AppliedRule};

use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::entries::FaqEntry;
use crate::schema::enums::AnswerRuleKind;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// An instruction of the owner for one question: an entry that always answers it, or never answers it.
/// It also applies to near-identical questions, which have the same words apart from function words,
/// ask for the same and are negated alike.
#[derive(Clone, Description)]
pub struct AnswerRule {
    pub(crate) row: answer_rules::AnswerRule,
    pub(crate) access: Access,
}

connection! {
    /// A list of answer rules, which is sorted by the time of creation, oldest first.
    AnswerRuleConnection,
    /// An edge that connects the list to an answer rule.
    AnswerRuleEdge, AnswerRule
}

#[Object(use_type_description)]
impl AnswerRule {
    /// Global ID of the answer rule, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Effect that the answer rule has on the entry.
    async fn kind(&self) -> AnswerRuleKind {
        self.row.kind.into()
    }

    /// Question that the answer rule applies to, in the words of a visitor.
    async fn question(&self) -> &str {
        &self.row.question
    }

    /// Question of the entry when the answer rule was added.
    async fn entry_question(&self) -> &str {
        &self.row.entry_question
    }

    /// Entry that the answer rule names. It is null when the entry was deleted, or changed on its page. The
    /// answer rule then applies to an entry with the same question, if the site has one.
    async fn entry(&self) -> Nullable<FaqEntry> {
        let (site, entry) = (self.row.site_id, self.row.entry_id);
        perhaps(async {
            let found = self.access.loaders.chunk(site, entry).await.map_err(loaders::failed)?;
            let found = found.filter(|row| row.chunk.question.is_some());
            Ok(found.map(|row| FaqEntry { row, access: self.access.clone() }))
        })
        .await
    }

    /// Time at which the answer rule was added.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// A page of the answer rules of a site.
pub(crate) async fn list(access: &Access, site: &domain::site::Site, args: &PageArgs) -> Result<AnswerRuleConnection> {
    let (counted, of) = (access.clone(), site.clone());
    let count = async move { answer_rules::total(&counted.services, &counted.viewer, &of).await };
    let rows = |part| answer_rules::list(&access.services, &access.viewer, site, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(AnswerRuleConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (AnswerRule { row, access: access.clone() }, position)
    }))
}

/// An answer rule that was applied to a question.
#[derive(OutputObject)]
pub struct AppliedAnswerRule {
    /// Global ID of the answer rule, which `node` accepts.
    rule_id: ID,
    /// Effect that the answer rule had on its entry.
    kind: AnswerRuleKind,
    /// Question of the answer rule, to which the question of the visitor is equal or near-identical.
    question: String,
}

/// The rules that were applied to a question, for a viewer who may read them.
pub(crate) fn applied(access: &Access, explain: &Explanation) -> Option<Vec<AppliedAnswerRule>> {
    access.viewer.require(Scope::ReadSources).ok()?;
    let rules = explain.retrieval.iter().flat_map(|retrieval| &retrieval.rules);
    let applied = |rule: &AppliedRule| AppliedAnswerRule {
        rule_id: id(rule.id),
        kind: rule.kind.into(),
        question: rule.question.clone(),
    };
    Some(rules.map(applied).collect())
}
