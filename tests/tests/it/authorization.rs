//! The authorization matrix: every operation of the schema and every field of a site, for every kind of viewer. The matrix is
//! compared with the schema, so that a new operation without a row fails.

use helpbot_domain::key::{KeyKind, Role, Scope};
use helpbot_services::accounts::{keys, members};
use helpbot_tests::{Client, Socket, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

on_both_backends!(
    every_operation_lets_in_whom_it_should,
    a_key_of_another_site_finds_nothing_of_this_one,
    every_subscription_lets_in_whom_it_should,
    every_operation_of_the_schema_has_a_row,
);

/// Who may.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// Any key that opens.
    AnyKey,
    /// A key with this scope.
    Scope(Scope),
    /// A key with either scope.
    Either(Scope, Scope),
    /// A key with both scopes.
    Both(Scope, Scope),
    /// The operator of the installation.
    Operator,
}

use Needs::{AnyKey, Both, Either, Operator, Scope as One};

/// The operations: the field, what is to be run, who may. `$site` is the site, named by all.
pub(crate) const OPERATIONS: &[(&str, &str, Needs)] = &[
    ("Query.viewer", "{ viewer { kind scopes } }", AnyKey),
    ("Query.site", "query ($site: ID) { site(id: $site) { id name } }", AnyKey),
    ("Query.sites", "{ sites { nodes { id } } }", Operator),
    ("Query.batchJobs", "{ batchJobs { nodes { id } } }", Operator),
    ("Query.node", "query ($site: ID!) { node(id: $site) { id } }", AnyKey),
    ("Query.nodes", "query ($site: ID!) { nodes(ids: [$site]) { id } }", AnyKey),
    (
        "Mutation.askQuestion",
        "mutation ($site: ID) { askQuestion(input: {siteId: $site, question: \"Hi?\"}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.submitFeedback",
        "mutation ($site: ID) { submitFeedback(input: {siteId: $site, conversationId: \"x\", feedback: HELPFUL}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.requestHandoff",
        "mutation ($site: ID) { requestHandoff(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.rateHandoff",
        "mutation ($site: ID) { rateHandoff(input: {siteId: $site, conversationId: \"x\", rating: 5}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.sendMessage",
        "mutation ($site: ID) { sendMessage(input: {siteId: $site, conversationId: \"x\", text: \"Hi\"}) { userErrors { code } } }",
        Either(Scope::Chat, Scope::WriteConversations),
    ),
    (
        "Mutation.sendTranscript",
        "mutation ($site: ID) { sendTranscript(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        Either(Scope::Chat, Scope::WriteConversations),
    ),
    (
        "Mutation.requestTranscriptCode",
        "mutation ($site: ID) { requestTranscriptCode(input: {siteId: $site, conversationId: \"x\", email: \"a@b.example\"}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.confirmTranscriptCode",
        "mutation ($site: ID) { confirmTranscriptCode(input: {siteId: $site, conversationId: \"x\", email: \"a@b.example\", code: \"1\"}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.blockVisitor",
        "mutation ($site: ID) { blockVisitor(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.unblockVisitor",
        "mutation ($site: ID) { unblockVisitor(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.updateCreditCaps",
        "mutation ($site: ID) { updateCreditCaps(input: {siteId: $site, perDay: -1}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.addTrustedDocuments",
        "mutation ($site: ID) { addTrustedDocuments(input: {siteId: $site, documents: []}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.removeTrustedDocuments",
        "mutation ($site: ID) { removeTrustedDocuments(input: {siteId: $site, documentIds: []}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.setTyping",
        "mutation ($site: ID) { setTyping(input: {siteId: $site, conversationId: \"x\", isTyping: true}) { userErrors { code } } }",
        Either(Scope::Chat, Scope::ReadConversations),
    ),
    (
        "Mutation.markRead",
        "mutation ($site: ID) { markRead(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        Either(Scope::Chat, Scope::ReadConversations),
    ),
    (
        "Mutation.assignConversation",
        "mutation ($site: ID) { assignConversation(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.updateBusinessHours",
        "mutation ($site: ID) { updateBusinessHours(input: {siteId: $site, businessHours: {timeZone: \"Nowhere\", periods: []}}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.unassignConversation",
        "mutation ($site: ID) { unassignConversation(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.updateConversation",
        "mutation ($site: ID) { updateConversation(input: {siteId: $site, conversationId: \"x\", priority: HIGH}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.addNote",
        "mutation ($site: ID) { addNote(input: {siteId: $site, conversationId: \"x\", text: \"Hi\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.deleteNote",
        "mutation ($site: ID) { deleteNote(input: {siteId: $site, noteId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.addCannedReply",
        "mutation ($site: ID) { addCannedReply(input: {siteId: $site, name: \"\", text: \"Hi\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.updateCannedReply",
        "mutation ($site: ID) { updateCannedReply(input: {siteId: $site, cannedReplyId: \"x\", name: \"Hi\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.deleteCannedReply",
        "mutation ($site: ID) { deleteCannedReply(input: {siteId: $site, cannedReplyId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.resolveConversation",
        "mutation ($site: ID) { resolveConversation(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.reopenConversation",
        "mutation ($site: ID) { reopenConversation(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteConversations),
    ),
    (
        "Mutation.addAnswerRule",
        "mutation ($site: ID) { addAnswerRule(input: {siteId: $site, question: \"\", entryId: \"x\", kind: PIN}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.deleteAnswerRule",
        "mutation ($site: ID) { deleteAnswerRule(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.dismissTopic",
        "mutation ($site: ID) { dismissTopic(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        Both(Scope::WriteConversations, Scope::ReadAnalytics),
    ),
    (
        "Mutation.restoreTopic",
        "mutation ($site: ID) { restoreTopic(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        Both(Scope::WriteConversations, Scope::ReadAnalytics),
    ),
    (
        "Mutation.previewChange",
        "mutation ($site: ID) { previewChange(input: {siteId: $site, deleteEntryId: \"x\"}) { userErrors { code } } }",
        Both(Scope::ReadConversations, Scope::WriteSources),
    ),
    (
        "Mutation.cancelPreview",
        "mutation ($site: ID) { cancelPreview(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        Both(Scope::ReadConversations, Scope::WriteSources),
    ),
    (
        "Mutation.publishChange",
        "mutation ($site: ID) { publishChange(input: {siteId: $site, previewId: \"x\"}) { userErrors { code } } }",
        One(Scope::ReadConversations),
    ),
    (
        "Mutation.addEvaluationCase",
        "mutation ($site: ID) { addEvaluationCase(input: {siteId: $site, question: \"\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.deleteEvaluationCase",
        "mutation ($site: ID) { deleteEvaluationCase(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.updateEvaluationSettings",
        "mutation ($site: ID) { updateEvaluationSettings(input: {siteId: $site, allowedLosses: -1}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.runEvaluation",
        "mutation ($site: ID) { runEvaluation(input: {siteId: $site}) { userErrors { code } } }",
        One(Scope::ReadSources),
    ),
    (
        "Mutation.addSource",
        "mutation ($site: ID) { addSource(input: {siteId: $site, url: \"ftp://x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.addTextSource",
        "mutation ($site: ID) { addTextSource(input: {siteId: $site, title: \"\", text: \"\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.uploadSource",
        "mutation ($site: ID) { uploadSource(input: {siteId: $site, file: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.importFaqEntries",
        "mutation ($site: ID) { importFaqEntries(input: {siteId: $site, file: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.updateSource",
        "mutation ($site: ID) { updateSource(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.syncSource",
        "mutation ($site: ID) { syncSource(input: {siteId: $site, sourceId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.cancelSync",
        "mutation ($site: ID) { cancelSync(input: {siteId: $site, sourceId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.deleteSource",
        "mutation ($site: ID) { deleteSource(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.addFaqEntry",
        "mutation ($site: ID) { addFaqEntry(input: {siteId: $site, question: \"\", answer: \"\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.updateFaqEntry",
        "mutation ($site: ID) { updateFaqEntry(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.deleteFaqEntry",
        "mutation ($site: ID) { deleteFaqEntry(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.addPhrasing",
        "mutation ($site: ID) { addPhrasing(input: {siteId: $site, entryId: \"x\", phrasing: \"y\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.promoteToFaq",
        "mutation ($site: ID) { promoteToFaq(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        One(Scope::WriteSources),
    ),
    (
        "Mutation.createSite",
        "mutation { createSite(input: {name: \"\", ownerEmail: \"\"}) { userErrors { code } } }",
        Operator,
    ),
    (
        "Mutation.updateSite",
        "mutation ($site: ID!) { updateSite(input: {id: $site}) { userErrors { code } } }",
        Operator,
    ),
    ("Mutation.deleteSite", "mutation { deleteSite(input: {id: \"x\"}) { userErrors { code } } }", Operator),
    (
        "Mutation.updateWidgetConfig",
        "mutation ($site: ID) { updateWidgetConfig(input: {siteId: $site}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.setWidgetTexts",
        "mutation ($site: ID) { setWidgetTexts(input: {siteId: $site, language: \"\"}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.deleteWidgetTexts",
        "mutation ($site: ID) { deleteWidgetTexts(input: {siteId: $site, language: \"de\"}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.draftReply",
        "mutation ($site: ID) { draftReply(input: {siteId: $site, conversationId: \"x\"}) { userErrors { code } } }",
        Both(Scope::ReadConversations, Scope::WriteConversations),
    ),
    (
        "Mutation.updateAnswerSettings",
        "mutation ($site: ID) { updateAnswerSettings(input: {siteId: $site, targetPrecision: 7}) { userErrors { code } } }",
        One(Scope::WriteConfig),
    ),
    (
        "Mutation.createApiKey",
        "mutation ($site: ID) { createApiKey(input: {siteId: $site, kind: MEMBER}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.updateApiKey",
        "mutation ($site: ID) { updateApiKey(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.revokeApiKey",
        "mutation ($site: ID) { revokeApiKey(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.addMember",
        "mutation ($site: ID) { addMember(input: {siteId: $site, name: \"\", email: \"\", role: AGENT}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.inviteMember",
        "mutation ($site: ID) { inviteMember(input: {siteId: $site, name: \"\", email: \"\", role: AGENT}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.resendInvitation",
        "mutation ($site: ID) { resendInvitation(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    ("Mutation.signOut", "mutation ($site: ID) { signOut(input: {siteId: $site}) { userErrors { code } } }", AnyKey),
    (
        "Mutation.updateMember",
        "mutation ($site: ID) { updateMember(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.removeMember",
        "mutation ($site: ID) { removeMember(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.reportVisit",
        "mutation ($site: ID) { reportVisit(input: {siteId: $site}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.identifyVisitor",
        "mutation ($site: ID) { identifyVisitor(input: {siteId: $site, token: \"x\"}) { userErrors { code } } }",
        One(Scope::Chat),
    ),
    (
        "Mutation.createIdentitySecret",
        "mutation ($site: ID) { createIdentitySecret(input: {siteId: $site}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.deleteIdentitySecret",
        "mutation ($site: ID) { deleteIdentitySecret(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.eraseContact",
        "mutation ($site: ID) { eraseContact(input: {siteId: $site, contactId: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.eraseSession",
        "mutation ($site: ID) { eraseSession(input: {siteId: $site, sessionId: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.eraseVisitor",
        "mutation ($site: ID) { eraseVisitor(input: {siteId: $site, email: \"x\"}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.updateDataRetention",
        "mutation ($site: ID) { updateDataRetention(input: {siteId: $site, eventDays: 0}) { userErrors { code } } }",
        One(Scope::Admin),
    ),
    (
        "Mutation.createWebhook",
        "mutation ($site: ID) { createWebhook(input: {siteId: $site, url: \"x\", events: []}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.updateWebhook",
        "mutation ($site: ID) { updateWebhook(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.deleteWebhook",
        "mutation ($site: ID) { deleteWebhook(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.rotateWebhookSecret",
        "mutation ($site: ID) { rotateWebhookSecret(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.sendTestEvent",
        "mutation ($site: ID) { sendTestEvent(input: {siteId: $site, webhookId: \"x\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.replayDelivery",
        "mutation ($site: ID) { replayDelivery(input: {siteId: $site, id: \"x\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
    (
        "Mutation.replayFailedDeliveries",
        "mutation ($site: ID) { replayFailedDeliveries(input: {siteId: $site, webhookId: \"x\", since: \"2026-01-01T00:00:00Z\"}) { userErrors { code } } }",
        One(Scope::Webhooks),
    ),
];

/// The subscriptions, each recognized by its first frame. `$after` is a cursor that an event follows.
pub(crate) const SUBSCRIPTIONS: &[(&str, &str, Needs)] = &[
    (
        "Subscription.conversationEvents",
        "subscription ($site: ID, $after: String) { conversationEvents(siteId: $site, after: $after) { cursor } }",
        One(Scope::ReadConversations),
    ),
    (
        "Subscription.contentEvents",
        "subscription ($site: ID, $after: String) { contentEvents(siteId: $site, after: $after) { cursor } }",
        One(Scope::ReadSources),
    ),
    (
        "Subscription.answer",
        "subscription ($site: ID) { answer(input: {siteId: $site, question: \"Hi?\"}) {
            ... on AnswerFinished { payload { userErrors { code } } }
        } }",
        One(Scope::Chat),
    ),
    (
        "Subscription.conversationActivity",
        "subscription ($site: ID) { conversationActivity(siteId: $site, conversationId: \"x\") { isTeamHere } }",
        Either(Scope::Chat, Scope::ReadConversations),
    ),
    (
        "Subscription.sourceProgress",
        "subscription { sourceProgress(sourceId: \"x\") { isFinished } }",
        One(Scope::ReadSources),
    ),
];

/// The operations that introspection does not show, as in `OPERATIONS`.
pub(crate) const HIDDEN_OPERATIONS: &[(&str, &str, Needs)] = &[
    ("Query._service", "{ _service { sdl } }", AnyKey),
    (
        "Query._entities",
        "query ($site: ID!) { _entities(representations: [{__typename: \"Site\", id: $site}]) { ... on Site { id } } }",
        AnyKey,
    ),
];

/// The fields of a site: what is to be selected, who may.
pub(crate) const SITE_FIELDS: &[(&str, &str, Needs)] = &[
    ("Site.id", "id", AnyKey),
    ("Site.name", "name", AnyKey),
    ("Site.plan", "plan", AnyKey),
    ("Site.createdAt", "createdAt", AnyKey),
    ("Site.credits", "credits { used }", AnyKey),
    ("Site.ownerEmail", "ownerEmail", One(Scope::Admin)),
    ("Site.widget", "widget { botName }", One(Scope::ReadConfig)),
    ("Site.widgetTexts", "widgetTexts(languages: [\"de\"]) { language }", One(Scope::ReadConfig)),
    ("Site.answerSettings", "answerSettings { targetPrecision }", One(Scope::ReadConfig)),
    ("Site.answerPromise", "answerPromise { judgedAnswers }", One(Scope::ReadConfig)),
    ("Site.embeddings", "embeddings { embedded total }", One(Scope::ReadConfig)),
    ("Site.sources", "sources { totalCount nodes { id } }", One(Scope::ReadSources)),
    ("Site.faqEntries", "faqEntries { totalCount nodes { id } }", One(Scope::ReadSources)),
    ("Site.conversations", "conversations { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.conversationCounts", "conversationCounts { totalCount }", One(Scope::ReadConversations)),
    ("Site.blockedVisitors", "blockedVisitors { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.businessHours", "businessHours { timeZone }", One(Scope::ReadConfig)),
    ("Site.expectedReply", "expectedReply { isTeamHere }", One(Scope::ReadConfig)),
    ("Site.conversationTags", "conversationTags { name }", One(Scope::ReadConversations)),
    ("Site.cannedReplies", "cannedReplies { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.sessions", "sessions { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.contacts", "contacts { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.identitySecrets", "identitySecrets { id }", One(Scope::Admin)),
    ("Site.creditCaps", "creditCaps { perDay }", One(Scope::Admin)),
    ("Site.dataRetention", "dataRetention { conversationDays }", One(Scope::Admin)),
    ("Site.visitorRecords", "visitorRecords(sessionId: \"x\") { totalCount nodes { body } }", One(Scope::Admin)),
    ("Site.apiKeys", "apiKeys { totalCount nodes { id } }", One(Scope::Admin)),
    ("Site.trustedDocuments", "trustedDocuments { totalCount nodes { documentId } }", One(Scope::Admin)),
    ("Site.waitingMails", "waitingMails { totalCount nodes { kind } }", One(Scope::Admin)),
    ("Site.auditLog", "auditLog { totalCount nodes { action } }", One(Scope::Admin)),
    ("Site.members", "members { totalCount nodes { id } }", One(Scope::ReadConversations)),
    ("Site.analytics", "analytics { overview { totalQuestions } }", One(Scope::ReadAnalytics)),
    ("Site.eventCursor", "eventCursor", Either(Scope::Chat, Scope::ReadConversations)),
    ("Site.changePreview", "changePreview(id: \"x\") { id }", One(Scope::ReadConversations)),
    ("Site.answerRules", "answerRules { totalCount nodes { id } }", One(Scope::ReadSources)),
    ("Site.evaluation", "evaluation { cases { totalCount nodes { id } } }", One(Scope::ReadSources)),
    ("Site.webhooks", "webhooks { id }", One(Scope::Webhooks)),
];

struct Caller {
    name: &'static str,
    client: Client,
    scopes: &'static [Scope],
    is_operator: bool,
}

async fn callers(app: &TestApp, site: &TestSite<'_>) -> Vec<Caller> {
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadAnalytics]).create().await;
    let agent = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let (_, agent) = agent.await.expect("a member");
    let reader = members::add(app.services(), app.operator(), Some(site.id), "Ben", "ben@example.com", Role::Reader);
    let (_, reader) = reader.await.expect("a member");
    let caller = |name, client, scopes| Caller { name, client, scopes, is_operator: false };
    vec![
        caller("widget key", site.visitor(), &Scope::WIDGET),
        caller("secret key", site.owner(), &Scope::ALL),
        caller("secret key with one scope", app.client(&narrow), &[Scope::ReadAnalytics]),
        caller("agent", app.client(&agent), &Scope::AGENT),
        caller("reader", app.client(&reader), &Scope::READER),
        Caller { is_operator: true, ..caller("operator", app.operator_client(), &Scope::ALL) },
    ]
}

impl Caller {
    fn may(&self, needs: Needs) -> bool {
        match needs {
            AnyKey => true,
            One(scope) => self.scopes.contains(&scope),
            Either(one, other) => self.scopes.contains(&one) || self.scopes.contains(&other),
            Both(one, other) => self.scopes.contains(&one) && self.scopes.contains(&other),
            Operator => self.is_operator,
        }
    }
}

async fn every_operation_lets_in_whom_it_should(app: &TestApp) {
    let site = app.site().create().await;
    let variables = json!({ "site": site.id });
    let mut wrong = Vec::new();

    for caller in callers(app, &site).await {
        for (name, document, needs) in operations() {
            let reply = caller.client.graphql(&document, variables.clone()).await;
            let is_let_in = !reply.codes().contains(&"FORBIDDEN");
            let is_clean = reply.codes().iter().all(|code| *code == "FORBIDDEN");
            if is_let_in != caller.may(needs) || !is_clean {
                wrong.push(format!("{name} with {}: {:?}", caller.name, reply.errors));
            }
        }
    }
    for (key, name) in no_keys(app, &site).await {
        for (operation, document, _) in operations() {
            let client = key.as_ref().map_or_else(|| app.anonymous(), |key| app.client(key));
            let reply = client.graphql(&document, variables.clone()).await;
            if reply.codes() != ["UNAUTHENTICATED"] || reply.reply.status != 401 {
                wrong.push(format!("{operation} with {name}: {:?}", reply.errors));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn every_subscription_lets_in_whom_it_should(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let asked = "mutation { askQuestion(input: {question: \"Hi?\"}) { userErrors { code } } }";
    site.visitor().graphql(asked, json!({})).await.ok();
    let entry = "mutation { addFaqEntry(input: {question: \"Hi?\", answer: \"Hi.\"}) { userErrors { code } } }";
    site.owner().graphql(entry, json!({})).await.ok();
    let variables = json!({ "site": site.id, "after": site.beginning() });
    let mut wrong = Vec::new();

    for caller in callers(app, &site).await {
        let mut socket = caller.client.socket().await;
        for (name, document, needs) in SUBSCRIPTIONS {
            let code = first_code(&mut socket, document, variables.clone()).await;
            if (code.as_deref() != Some("FORBIDDEN")) != caller.may(*needs) {
                wrong.push(format!("{name} with {}: {code:?}", caller.name));
            }
        }
    }
    let mut socket = other.owner().socket().await;
    for (name, document, _) in SUBSCRIPTIONS {
        let code = first_code(&mut socket, document, variables.clone()).await;
        if code.as_deref() != Some("NOT_FOUND") {
            wrong.push(format!("{name} with the key of another site: {code:?}"));
        }
    }
    for (key, name) in no_keys(app, &site).await {
        let mut socket = app.anonymous().raw_socket().await;
        let payload = key.map_or_else(|| json!({}), |key| json!({ "apiKey": key }));
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        let closed = socket.closed().await;
        if closed.code != Some(4403) {
            wrong.push(format!("a socket with {name}: {closed:?}"));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code of the error that the first frame of a subscription brings, if it brings one.
async fn first_code(socket: &mut Socket, document: &str, variables: Value) -> Option<String> {
    let id = socket.subscribe(document, variables).await;
    let frame = socket.frame_of(&id).await;
    let errors = if frame["type"] == "error" { &frame["payload"] } else { &frame["payload"]["errors"] };
    // The payload of a response contains the errors caused by the input.
    let code =
        errors[0]["extensions"]["code"].as_str().or(frame.to_string().contains("NOT_FOUND").then_some("NOT_FOUND"));
    let code = code.map(str::to_owned);
    socket.complete(&id).await;
    code
}

/// What opens nothing: no key, one that was never made, a revoked one, an expired one.
async fn no_keys(app: &TestApp, site: &TestSite<'_>) -> Vec<(Option<String>, &'static str)> {
    let (id, revoked) = site.key(KeyKind::Secret).create().await;
    keys::revoke(app.services(), app.operator(), Some(site.id), id).await.expect("a key to revoke");
    let soon = app.now().plus(Duration::from_secs(60));
    let (_, expired) = site.key(KeyKind::Secret).expires(soon).create().await;
    app.pass(Duration::from_secs(60));
    vec![
        (None, "no key"),
        (Some("sk_live_00000000000000000000000000000000000000".into()), "a key that was never made"),
        (Some(revoked), "a revoked key"),
        (Some(expired), "an expired key"),
    ]
}

async fn a_key_of_another_site_finds_nothing_of_this_one(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let variables = json!({ "site": site.id });

    for (name, document, needs) in operations() {
        if !document.contains("$site") || matches!(needs, Operator) {
            continue;
        }
        let reply = other.owner().graphql(&document, variables.clone()).await;
        let told = reply.data.to_string();
        let is_null = matches!(&reply.data, Value::Object(fields) if fields.values().all(is_nothing));
        let is_hidden = is_null || told.contains("NOT_FOUND") || reply.codes() == ["NOT_FOUND"];
        assert!(is_hidden, "{name}: {told} {:?}", reply.errors);
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(Value::is_null),
        _ => false,
    }
}

async fn every_operation_of_the_schema_has_a_row(app: &TestApp) {
    let site = app.site().create().await;
    let document = "{ __schema { types { name fields(includeDeprecated: true) { name } } } }";

    let schema = site.owner().graphql(document, Value::Null).await.ok();

    let mut fields = BTreeSet::new();
    for of in ["Query", "Mutation", "Subscription", "Site"] {
        let types = schema["__schema"]["types"].as_array().expect("types");
        let found = types.iter().find(|known| known["name"] == of).expect("the type");
        let names = found["fields"].as_array().expect("fields").iter().filter_map(|field| field["name"].as_str());
        fields.extend(names.map(|name| format!("{of}.{name}")));
    }
    let rows: BTreeSet<String> = OPERATIONS.iter().chain(SITE_FIELDS).map(|(name, ..)| (*name).to_owned()).collect();
    let rows: BTreeSet<String> =
        rows.into_iter().chain(SUBSCRIPTIONS.iter().map(|(name, ..)| (*name).to_owned())).collect();
    let without: Vec<_> = fields.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&fields).collect();
    assert!(without.is_empty() && stale.is_empty(), "without a row: {without:?}; no longer there: {stale:?}");
}

fn operations() -> impl Iterator<Item = (&'static str, String, Needs)> {
    let of_site = SITE_FIELDS.iter().map(|(name, selection, needs)| {
        (*name, format!("query ($site: ID) {{ site(id: $site) {{ {selection} }} }}"), *needs)
    });
    let at_root = OPERATIONS.iter().chain(HIDDEN_OPERATIONS);
    at_root.map(|(name, document, needs)| (*name, (*document).to_owned(), *needs)).chain(of_site)
}
