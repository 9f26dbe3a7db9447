//! Sites: the object, its settings, its credits.

pub mod mail;
pub mod mutation;
pub mod query;
pub mod widget;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use helpbot_services as services;
use helpbot_services::accounts::{keys, members, sites, usage};
use helpbot_services::conversations::analytics;
use helpbot_services::knowledge::vectors;
use helpbot_services::runtime::events;

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::analytics::{Analytics, AnalyticsRange};
use crate::schema::conversations::{ConversationConnection, ConversationFilter};
use crate::schema::entries::FaqEntryConnection;
use crate::schema::enums::{ConversationOrder, Plan};
use crate::schema::evaluation::Evaluation;
use crate::schema::ids::id;
use crate::schema::keys::ApiKey;
use crate::schema::members::Member;
use crate::schema::page::{PageArgs, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sources::SourceConnection;
use crate::schema::webhooks::{self, Webhook};
use crate::schema::{conversations, entries, page, sources};
use widget::WidgetConfig;

/// A web site and its account.
#[derive(Clone)]
pub struct Site {
    pub(crate) row: services::Site,
    pub(crate) access: Access,
}

connection! {
    /// Sites of the installation, in the order in which they were made.
    SiteConnection,
    /// A site in a list.
    SiteEdge, Site
}

/// A web site and its account.
#[Object]
impl Site {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// As its owner calls it.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it has booked.
    async fn plan(&self) -> Plan {
        self.row.plan.into()
    }

    /// Who is told about handoffs; for keys that may administer the site.
    async fn owner_email(&self) -> Nullable<&str> {
        nullable(async {
            self.access.viewer.require(helpbot_domain::key::Scope::Admin)?;
            Ok(self.row.owner_email.as_str())
        })
        .await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Questions of the present month.
    async fn credits(&self) -> Result<Credits> {
        Ok(usage::credits(&self.access.services, &self.row).await?.into())
    }

    /// Looks and words of the widget, as the plan of the site shows them.
    async fn widget(&self) -> Nullable<WidgetConfig> {
        nullable(async { Ok(sites::widget(&self.access.viewer, &self.row)?.into()) }).await
    }

    /// How the site answers.
    async fn answer_settings(&self) -> Nullable<AnswerSettings> {
        nullable(async {
            let settings = sites::answer_settings(&self.access.viewer, &self.row)?;
            Ok(AnswerSettings { target_precision: settings.target_precision })
        })
        .await
    }

    /// How far the vectors of the embedding model are; null where the built-in ones serve.
    async fn embeddings(&self) -> Nullable<EmbeddingProgress> {
        let progress = vectors::progress(&self.access.services, &self.access.viewer, &self.row).await.transpose()?;
        nullable(async { Ok(progress?.into()) }).await
    }

    /// Where its answers come from, oldest first.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn sources(
        &self,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<SourceConnection> {
        nullable(sources::list(&self.access, &self.row, &PageArgs { first, after, last, before })).await
    }

    /// Questions and answers; by cursors, or by numbered pages with `page`.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    #[allow(clippy::too_many_arguments, reason = "the arguments of the field, each its own in the schema")]
    async fn conversations(
        &self,
        #[graphql(desc = "Which of them.")] filter: Option<ConversationFilter>,
        #[graphql(desc = "Last asked first if not said.")] order_by: Option<ConversationOrder>,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "The page with this number, from 1, each of `first`; instead of cursors.")] page: Option<i32>,
    ) -> Nullable<ConversationConnection> {
        let args = PageArgs { first, after, last, before };
        let query = conversations::query(self.access.services.now(), filter, order_by);
        nullable(async { Ok(conversations::list(&self.access, &self.row, query, &args, page).await?) }).await
    }

    /// Its questions with answers, found on pages or written by the owner, oldest first.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn faq_entries(
        &self,
        #[graphql(desc = "Only with these words in question or answer.")] search: Option<String>,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<FaqEntryConnection> {
        let args = PageArgs { first, after, last, before };
        nullable(entries::list(&self.access, &self.row, search.as_deref(), &args)).await
    }

    /// The place in the log of its events where it ends now: who reads what there is after asking
    /// for it, and follows from it (`conversationEvents(after:)`), misses nothing.
    async fn event_cursor(&self) -> Nullable<String> {
        nullable(async { Ok(events::newest(&self.access.services, &self.access.viewer, &self.row).await?) }).await
    }

    /// Its saved test questions.
    async fn evaluation(&self) -> Evaluation {
        Evaluation { site: self.row.clone(), access: self.access.clone() }
    }

    /// The people who answer its visitors, in the order in which they joined; for the team.
    #[graphql(complexity = "1 + page::MEMBERS * child_complexity")]
    async fn members(&self) -> Nullable<Vec<Member>> {
        nullable(async {
            let found = members::list(&self.access.services, &self.access.viewer, Some(self.row.id)).await?;
            Ok(found.into_iter().map(Member::from).collect())
        })
        .await
    }

    /// Figures about its questions; on the Growth and Scale plans.
    async fn analytics(
        &self,
        #[graphql(desc = "Over which days; the last 30 if not said.")] range: Option<AnalyticsRange>,
    ) -> Nullable<Analytics> {
        let range = range.map(Into::into).unwrap_or_default();
        nullable(async {
            analytics::require(&self.access.viewer, &self.row)?;
            Ok(Analytics { site: self.row.clone(), range, access: self.access.clone() })
        })
        .await
    }

    /// Where its events are sent, oldest first, five at most; on the Growth and Scale plans.
    #[graphql(complexity = "1 + page::WEBHOOKS * child_complexity")]
    async fn webhooks(&self) -> Nullable<Vec<Webhook>> {
        nullable(webhooks::list(&self.access, &self.row)).await
    }

    /// Mails that wait for the mail server, the oldest first, a hundred at most; for keys that may
    /// administer the site.
    #[graphql(complexity = "1 + page::MAILS * child_complexity")]
    async fn waiting_mails(&self) -> Nullable<Vec<mail::WaitingMail>> {
        nullable(async {
            let found =
                services::runtime::mail::waiting(&self.access.services, &self.access.viewer, Some(self.row.id)).await?;
            Ok(found.into_iter().map(mail::WaitingMail::from).collect())
        })
        .await
    }

    /// Its keys, oldest first, revoked ones too; for keys that may administer the site.
    #[graphql(complexity = "1 + page::KEYS * child_complexity")]
    async fn api_keys(&self) -> Nullable<Vec<ApiKey>> {
        nullable(async {
            let found = keys::list(&self.access.services, &self.access.viewer, Some(self.row.id)).await?;
            Ok(found.into_iter().map(ApiKey::from).collect())
        })
        .await
    }
}

impl Site {
    /// The viewer's site; an operator names one.
    pub(crate) async fn load(access: &Access, named: Option<&ID>) -> services::Result<Self> {
        let named = crate::schema::ids::site(named);
        let row = sites::get(&access.services, &access.viewer, named).await?;
        Ok(Self { row, access: access.clone() })
    }

    /// That of the request being resolved.
    pub(crate) async fn of(ctx: &Context<'_>, named: Option<&ID>) -> services::Result<Self> {
        Self::load(Access::of(ctx), named).await
    }
}

/// Questions of a month.
#[derive(SimpleObject)]
pub struct Credits {
    /// Asked so far.
    used: i32,
    /// Of so many; 2147483647 means without limit.
    limit: i32,
    /// What is left.
    remaining: i32,
    /// When the count starts anew: the beginning of the next month, UTC.
    reset_at: DateTime,
}

impl From<usage::Credits> for Credits {
    fn from(credits: usage::Credits) -> Self {
        Self {
            used: int(credits.used),
            limit: int(credits.limit),
            remaining: int(credits.remaining()),
            reset_at: credits.reset_at.into(),
        }
    }
}

/// How a site answers.
#[derive(SimpleObject)]
pub struct AnswerSettings {
    /// The share of answers that should be right, 0 to 1: the higher, the more often HelpBot
    /// says that it does not know.
    target_precision: f64,
}

/// How far the vectors of a site's chunks by the embedding model are. Until all are there, those
/// of the model before serve, or the built-in ones.
#[derive(SimpleObject)]
pub struct EmbeddingProgress {
    /// The model that the installation sets.
    model: String,
    /// Questions and passages that have vectors of it.
    embedded: i32,
    /// Questions and passages of the site.
    total: i32,
}

impl From<vectors::Progress> for EmbeddingProgress {
    fn from(progress: vectors::Progress) -> Self {
        Self { model: progress.model, embedded: int(progress.embedded), total: int(progress.total) }
    }
}

/// A count as GraphQL's `Int` holds it; larger ones are shown as its largest.
pub(crate) fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
