//! Sites: the object that all data of a customer belongs to, and its settings.
//!
//! Fields that need a scope of their own are nullable. A refusal makes only that field null.

pub mod answering;
pub mod mail;
pub mod mutation;
pub mod promise;
pub mod query;
pub mod widget;
pub mod widget_texts;

use async_graphql::{Context, Description, ID, Object, Result};
use helpbot_api_macros::paged;
use helpbot_domain as domain;
use helpbot_domain::chunk::EntryFilter;
use helpbot_services as services;
use helpbot_services::accounts::{sites, usage};
use helpbot_services::conversations::analytics;
use helpbot_services::knowledge::{promises, vectors};
use helpbot_services::runtime::events;

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::analytics::Analytics;
use crate::schema::answer_rules::{self, AnswerRuleConnection};
use crate::schema::audit_log::{self, AuditEntryConnection, AuditLogFilter};
use crate::schema::business_hours::{BusinessHours, ExpectedReply};
use crate::schema::canned_replies::{self, CannedReplyConnection};
use crate::schema::contacts::{self, ContactConnection, IdentitySecret};
use crate::schema::conversations::counts::{self, ConversationCounts};
use crate::schema::conversations::filter::{self, ConversationFilter};
use crate::schema::conversations::triage::ConversationTag;
use crate::schema::conversations::{ConversationConnection, selection};
use crate::schema::entries::FaqEntryConnection;
use crate::schema::enums::{AnalyticsRange, ConversationOrder, Plan};
use crate::schema::evaluation::Evaluation;
use crate::schema::ids::{self, id};
use crate::schema::keys::{self, ApiKeyConnection};
use crate::schema::members::{self, MemberConnection};
use crate::schema::page::{PageArgs, connection};
use crate::schema::previews::{self, ChangePreview};
use crate::schema::scalars::{DateTime, int};
use crate::schema::sessions::{self, SessionConnection, SessionFilter, SessionOrder};
use crate::schema::sources::{SourceConnection, SourceFilter};
use crate::schema::trusted_documents::{self, TrustedDocumentConnection};
use crate::schema::usage::Credits;
use crate::schema::visitors::records::{self, VisitorRecordConnection};
use crate::schema::visitors::retention::DataRetention;
use crate::schema::visitors::{self, BlockedVisitorConnection, CreditCaps};
use crate::schema::webhooks::{self, Webhook};
use crate::schema::{conversations, entries, sources};
use answering::{AnswerSettings, EmbeddingProgress};
use mail::WaitingMailConnection;
use promise::AnswerPromise;
use widget::WidgetConfig;
use widget_texts::WidgetTexts;

/// What every visitor of a site may see: browsers may keep responses that contain nothing else. Whether a
/// key may read the configuration at all is still checked for each request.
pub const PUBLIC_FIELDS: &[&str] = &["Query.site", "Site.id", "Site.name", "Site.widget", "WidgetConfig"];

/// A web site that uses HelpBot, with its sources, conversations, members, API keys and webhooks.
#[derive(Clone, Description)]
pub struct Site {
    pub(crate) row: domain::site::Site,
    pub(crate) access: Access,
}

connection! {
    /// A list of sites, which is sorted by the time of creation, oldest first.
    SiteConnection,
    /// An edge that connects the list to a site.
    SiteEdge, Site
}

#[paged]
#[Object(use_type_description)]
impl Site {
    /// Global ID of the site, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Name that the operator gave to the site.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Plan of the site, which decides the features that it may use.
    async fn plan(&self) -> Plan {
        self.row.plan.into()
    }

    /// E-mail address that receives the notifications of the site, for example about handoffs. Requires
    /// the `ADMIN` scope.
    async fn owner_email(&self) -> Nullable<&str> {
        nullable(async {
            self.access.viewer.require(domain::key::Scope::Admin)?;
            Ok(self.row.owner_email.as_str())
        })
        .await
    }

    /// Time at which the site was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Credits of the current month, which limit how many questions the site may ask.
    async fn credits(&self) -> Result<Credits> {
        Ok(usage::credits(&self.access.services, &self.row).await?.into())
    }

    /// Configuration of the widget as web pages show it. Requires the `READ_CONFIG` scope.
    async fn widget(
        &self,
        #[graphql(
            desc = "Language of the visitor as a BCP 47 tag, for example `de`. A language that the owner has chosen (`WidgetConfig.aiLanguage`) takes precedence. Each text is what the owner has written for the language, else the built-in text of the language while the owner has left the text of the default language as it was, else the text of the default language. Defaults to the default language, and so does a text that is not a tag."
        )]
        language: Option<String>,
    ) -> Nullable<WidgetConfig> {
        nullable(async { Ok(sites::widget(&self.access.viewer, &self.row, language.as_deref())?.into()) }).await
    }

    /// Texts of the widget in further languages, in the order of the tags. Requires the `READ_CONFIG` scope.
    async fn widget_texts(
        &self,
        #[graphql(
            desc = "Tags of the languages to list, at most 30, also those in which the owner has written nothing. Defaults to all languages in which the owner has written texts."
        )]
        languages: Option<Vec<String>>,
    ) -> Nullable<Vec<WidgetTexts>> {
        nullable(async { Ok(widget_texts::list(&self.access, &self.row, languages.as_deref())?) }).await
    }

    /// Settings that decide how cautiously HelpBot answers. Requires the `READ_CONFIG` scope.
    async fn answer_settings(&self) -> Nullable<AnswerSettings> {
        nullable(async {
            let settings = sites::answer_settings(&self.access.viewer, &self.row)?;
            Ok(AnswerSettings::of(settings.target_precision, settings.promised()))
        })
        .await
    }

    /// The promise on wrong answers, and how the site keeps it. Requires the `READ_CONFIG` scope.
    async fn answer_promise(&self) -> Nullable<AnswerPromise> {
        let Access { services, viewer, .. } = &self.access;
        nullable(async { Ok(promises::state(services, viewer, &self.row).await?.into()) }).await
    }

    /// Progress of computing external embeddings. It is null when the installation uses only the built-in
    /// embeddings. Requires the `READ_CONFIG` scope.
    async fn embeddings(&self) -> Nullable<EmbeddingProgress> {
        let progress = vectors::progress(&self.access.services, &self.access.viewer, &self.row).await.transpose()?;
        nullable(async { Ok(progress?.into()) }).await
    }

    /// Sources that answers come from, oldest first. Requires the `READ_SOURCES` scope and the Scale plan.
    async fn sources(
        &self,
        #[graphql(desc = "Conditions that select sources. By default all sources are listed.")] filter: Option<
            SourceFilter,
        >,
        args: PageArgs,
    ) -> Nullable<SourceConnection> {
        nullable(sources::list(&self.access, &self.row, filter, &args)).await
    }

    /// Conversations of the site. The list is read by cursors, or by numbered pages with the argument
    /// `page`. Requires the `READ_CONVERSATIONS` scope and the Growth plan.
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that select conversations. By default all conversations are listed.")]
        filter: Option<ConversationFilter>,
        #[graphql(desc = "Sort order of the list. Defaults to `CREATED_AT_DESC`.")] order_by: Option<ConversationOrder>,
        args: PageArgs,
        #[graphql(
            desc = "Number of the page to return, starting at 1. Pages have `first` items each, and cursors are \
                          ignored. By default the list is read by cursors."
        )]
        page: Option<i32>,
    ) -> Nullable<ConversationConnection> {
        let query = filter::query(self.access.services.now(), filter, order_by);
        let parts = selection::parts(ctx, query.order);
        nullable(async { Ok(conversations::list(&self.access, &self.row, query, &args, page, parts).await?) }).await
    }

    /// Numbers of conversations by outcome, vote, handoff, assignee and language, which the server counts together.
    /// Requires the `READ_CONVERSATIONS` scope and the Growth plan.
    async fn conversation_counts(
        &self,
        #[graphql(desc = "Conditions that select conversations. By default all conversations are counted.")]
        filter: Option<ConversationFilter>,
    ) -> Nullable<ConversationCounts> {
        let query = filter::query(self.access.services.now(), filter, None);
        nullable(counts::read(&self.access, &self.row, &query)).await
    }

    /// Sessions of the site: the visits in which something was asked. Requires the `READ_CONVERSATIONS` scope and the Growth
    /// plan.
    async fn sessions(
        &self,
        #[graphql(desc = "Conditions that select sessions. By default all sessions are listed.")] filter: Option<
            SessionFilter,
        >,
        #[graphql(desc = "Sort order of the list. Defaults to `LAST_SEEN_DESC`.")] order_by: Option<SessionOrder>,
        args: PageArgs,
    ) -> Nullable<SessionConnection> {
        nullable(async { Ok(sessions::list(&self.access, &self.row, filter, order_by, &args).await?) }).await
    }

    /// Visitors whom identity tokens named, newest first. Requires the `READ_CONVERSATIONS` scope and the Growth plan.
    async fn contacts(
        &self,
        #[graphql(
            desc = "Text that the name, the e-mail address or the external ID must contain. Case is ignored, and only                           the first 200 characters are used. By default all contacts are listed."
        )]
        search: Option<String>,
        args: PageArgs,
    ) -> Nullable<ContactConnection> {
        nullable(async { Ok(contacts::list(&self.access, &self.row, search, &args).await?) }).await
    }

    /// Secrets with which the site's own server signs identity tokens, oldest first. A site has at most two. Requires the
    /// `ADMIN` scope.
    async fn identity_secrets(&self) -> Nullable<Vec<IdentitySecret>> {
        nullable(contacts::secrets(&self.access, &self.row)).await
    }

    /// FAQ entries of the site, oldest first: extracted from pages or written by hand. Requires the
    /// `READ_SOURCES` scope.
    async fn faq_entries(
        &self,
        #[graphql(desc = "Words that the question or the answer must contain. By default all entries are listed.")]
        search: Option<String>,
        #[graphql(desc = "ID of the source whose entries are listed. Defaults to all sources.")] source_id: Option<ID>,
        args: PageArgs,
    ) -> Nullable<FaqEntryConnection> {
        let filter = EntryFilter { words: search, source: source_id.as_ref().map(ids::read) };
        nullable(entries::list(&self.access, &self.row, filter, &args)).await
    }

    /// Cursor of the last event in the event log. A client that reads it before it reads a list, and then
    /// subscribes with `conversationEvents(after:)` or `contentEvents(after:)`, misses no change. Requires the `CHAT`,
    /// the `READ_CONVERSATIONS` or the `READ_SOURCES` scope.
    async fn event_cursor(&self) -> Nullable<String> {
        nullable(async { Ok(events::newest(&self.access.services, &self.access.viewer, &self.row).await?) }).await
    }

    /// Test questions of the site, which measure how well it answers.
    async fn evaluation(&self) -> Evaluation {
        Evaluation { site: self.row.clone(), access: self.access.clone() }
    }

    /// Preview of a change, which `previewChange` has begun. Null when the preview does not exist: previews are
    /// deleted after a day, and when a session is erased. Requires the `READ_CONVERSATIONS` scope.
    async fn change_preview(
        &self,
        #[graphql(desc = "ID of the preview that is returned.")] id: ID,
    ) -> Nullable<ChangePreview> {
        perhaps(previews::load(&self.access, self.row.id, &id)).await
    }

    /// Answer rules of the site, oldest first: entries that the owner pinned to a question, or forbade for it.
    /// Requires the `READ_SOURCES` scope.
    async fn answer_rules(&self, args: PageArgs) -> Nullable<AnswerRuleConnection> {
        nullable(answer_rules::list(&self.access, &self.row, &args)).await
    }

    /// Members of the site, in the order in which they were added. Null without the `READ_CONVERSATIONS`
    /// scope.
    async fn members(&self, args: PageArgs) -> Nullable<MemberConnection> {
        nullable(members::list(&self.access, &self.row, &args)).await
    }

    /// Changes of the site, newest first: each says who changed what, when and from where. Entries are kept for 365 days.
    /// Requires the `ADMIN` scope.
    async fn audit_log(
        &self,
        #[graphql(desc = "Conditions that select entries. By default all entries are listed.")] filter: Option<
            AuditLogFilter,
        >,
        args: PageArgs,
    ) -> Nullable<AuditEntryConnection> {
        nullable(audit_log::list(&self.access, &self.row, filter, &args)).await
    }

    /// Metrics about the questions of the site. Requires the `READ_ANALYTICS` scope and the Growth plan.
    async fn analytics(
        &self,
        #[graphql(desc = "Range of days that the metrics cover. Defaults to `LAST_30_DAYS`.")] range: Option<
            AnalyticsRange,
        >,
    ) -> Nullable<Analytics> {
        let range = range.map(Into::into).unwrap_or_default();
        nullable(async {
            analytics::require(&self.access.viewer, &self.row)?;
            Ok(Analytics { site: self.row.clone(), range, access: self.access.clone() })
        })
        .await
    }

    /// Webhooks of the site, oldest first. A site has at most five. Requires the `WEBHOOKS` scope and the
    /// Growth plan.
    async fn webhooks(&self) -> Nullable<Vec<Webhook>> {
        nullable(webhooks::list(&self.access, &self.row)).await
    }

    /// Mails that the mail server has not accepted yet, oldest first. Only the oldest 100 are listed. Requires
    /// the `ADMIN` scope.
    async fn waiting_mails(&self, args: PageArgs) -> Nullable<WaitingMailConnection> {
        nullable(mail::list(&self.access, &self.row, &args)).await
    }

    /// Visitors whom the team has blocked, newest first. A site has at most 500. Requires the
    /// `READ_CONVERSATIONS` scope.
    async fn blocked_visitors(&self, args: PageArgs) -> Nullable<BlockedVisitorConnection> {
        nullable(visitors::list(&self.access, &self.row, &args)).await
    }

    /// Business hours of the team. It is null when the site has none. Requires the `READ_CONFIG` scope.
    async fn business_hours(&self) -> Nullable<BusinessHours> {
        perhaps(async {
            let Access { services, viewer, .. } = &self.access;
            let hours = services::accounts::business_hours::of(services, viewer, &self.row).await?;
            Ok(hours.map(|hours| BusinessHours::at(hours, services.now())))
        })
        .await
    }

    /// Describes what a visitor who asks for a human can expect now. Requires the `READ_CONFIG` scope.
    async fn expected_reply(&self) -> Nullable<ExpectedReply> {
        nullable(async {
            let Access { services, viewer, .. } = &self.access;
            Ok(services::conversations::expected_reply::of(services, viewer, &self.row).await?.into())
        })
        .await
    }

    /// Tags of conversations, the most frequent first. At most 200 are returned. Requires the
    /// `READ_CONVERSATIONS` scope.
    async fn conversation_tags(&self) -> Nullable<Vec<ConversationTag>> {
        nullable(async {
            let Access { services, viewer, .. } = &self.access;
            let found = services::conversations::triage::site_tags(services, viewer, Some(self.row.id)).await?;
            Ok(found.into_iter().map(|(name, count)| ConversationTag { name, count: int(count) }).collect())
        })
        .await
    }

    /// Canned replies of the site, sorted by name. Requires the `READ_CONVERSATIONS` scope.
    async fn canned_replies(&self, args: PageArgs) -> Nullable<CannedReplyConnection> {
        nullable(canned_replies::list(&self.access, &self.row, &args)).await
    }

    /// Limits that the owner has set on the credits of one day (UTC). Requires the `ADMIN` scope.
    async fn credit_caps(&self) -> Nullable<CreditCaps> {
        nullable(async { Ok(CreditCaps::of(&self.access, &self.row).await?) }).await
    }

    /// After how many days the data of the site is deleted. Requires the `ADMIN` scope.
    async fn data_retention(&self) -> Nullable<DataRetention> {
        nullable(async { Ok(DataRetention::of(&self.access, &self.row)?) }).await
    }

    /// Exports everything that the site stores about a visitor, for example to answer a visitor who requests the data. Exactly one of `sessionId`
    /// and `email` must be given. The list is empty when nothing is stored. Requires the `ADMIN` scope.
    async fn visitor_records(
        &self,
        #[graphql(desc = "ID of a session that the visitor had. Defaults to no session; then `email` is required.")]
        session_id: Option<String>,
        #[graphql(
            desc = "E-mail address that the visitor gave for replies or transcripts, in upper or lower case. Defaults to no address; then `sessionId` is required."
        )]
        email: Option<String>,
        args: PageArgs,
    ) -> Nullable<VisitorRecordConnection> {
        nullable(records::list(&self.access, &self.row, session_id.as_deref(), email.as_deref(), &args)).await
    }

    /// GraphQL documents that the team registered, so that requests can name them by their IDs. They are sorted
    /// by ID. Requires the `ADMIN` scope.
    async fn trusted_documents(&self, args: PageArgs) -> Nullable<TrustedDocumentConnection> {
        nullable(trusted_documents::list(&self.access, &self.row, &args)).await
    }

    /// API keys of the site, oldest first, including revoked keys. Requires the `ADMIN` scope.
    async fn api_keys(&self, args: PageArgs) -> Nullable<ApiKeyConnection> {
        nullable(keys::list(&self.access, &self.row, &args)).await
    }
}
