//! The authorization matrix of fields: every field of every object of the schema, queried by every kind of viewer on a site
//! that has one of everything. The matrix is compared with the schema, so that a new field without a row fails.
//! Operations and the fields of `Site` are in `authorization.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helpbot_domain::key::{KeyKind, Role, Scope};
use helpbot_services::accounts::{keys, members};
use helpbot_tests::{Client, Page, Pages, Receiver, TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Value, json};

use crate::{contacts, visits};

on_both_backends!(every_field_is_given_to_whom_it_should, every_field_of_the_schema_has_a_row,);

/// Objects by the way to them, `@` in place of their fields; the scopes that the way needs; their
/// fields, each with the scope that it needs beyond that.
const OBJECTS: &[(&str, &str, &[Scope], &str)] = &[
    ("Viewer", "viewer { @ }", &[], "kind member role scopes sessionId site"),
    ("Credits", "site(id: $site) { credits { @ } }", &[], "limit remaining resetAt used"),
    (
        "WidgetConfig",
        "site(id: $site) { widget { @ } }",
        &[Scope::ReadConfig],
        "aiLanguage backgroundColor botName emailPlaceholder emailSendText emailSkipText errorText feedbackNoText \
         feedbackYesText foregroundColor greeting handoffSentText handoffText inputPlaceholder networkErrorText \
         onlineText position primaryColor primaryForeground secondaryColor secondaryForeground showBranding starterQuestions \
         typingText",
    ),
    (
        "WidgetTexts",
        "site(id: $site) { widgetTexts { @ } }",
        &[Scope::ReadConfig],
        "botName emailPlaceholder emailSendText emailSkipText errorText fallback feedbackNoText feedbackYesText greeting \
         handoffSentText handoffText inputPlaceholder language networkErrorText onlineText starterQuestions typingText",
    ),
    (
        "AnswerSettings",
        "site(id: $site) { answerSettings { @ } }",
        &[Scope::ReadConfig],
        "maxWrongAnswers targetPrecision",
    ),
    (
        "AnswerPromise",
        "site(id: $site) { answerPromise { @ } }",
        &[Scope::ReadConfig],
        "isKept judgedAnswers maxWrongAnswers testAnswers threshold wrongAnswers wrongShare",
    ),
    (
        "ApiKey",
        "site(id: $site) { apiKeys { nodes { @ } } }",
        &[Scope::Admin],
        "createdAt expiresAt id kind last4 lastUsedAt member:read_conversations name origins revokedAt scopes",
    ),
    ("CreditCaps", "site(id: $site) { creditCaps { @ } }", &[Scope::Admin], "perAddressPerDay perDay usedToday"),
    (
        "DataRetention",
        "site(id: $site) { dataRetention { @ } }",
        &[Scope::Admin],
        "conversationDays deliveryDays deliveryDaysInEffect eventDays eventDaysInEffect",
    ),
    (
        "WaitingMail",
        "site(id: $site) { waitingMails { nodes { @ } } }",
        &[Scope::Admin],
        "attemptCount createdAt error kind nextAttemptAt",
    ),
    (
        "Member",
        "site(id: $site) { members { nodes { @ } } }",
        &[Scope::ReadConversations],
        "createdAt email id invitationExpiresAt name role",
    ),
    (
        "AuditEntry",
        "site(id: $site) { auditLog { nodes { @ } } }",
        &[Scope::Admin],
        "action address apiKey createdAt keyKind member:read_conversations memberName objectId userAgent",
    ),
    (
        "Conversation",
        "site(id: $site) { conversations { nodes { @ } } }",
        &[Scope::ReadConversations],
        "answer citations confidence createdAt feedback feedbackComment feedbackReason handoff id isUnanswered isVisitorHere language messages \
         notes outcome priority question session sessionId sources tags unreadCount updatedAt visitorLastSeenAt",
    ),
    (
        "Note",
        "site(id: $site) { conversations { nodes { notes { nodes { @ } } } } }",
        &[Scope::ReadConversations],
        "author authorName createdAt id text",
    ),
    (
        "Session",
        "site(id: $site) { sessions { nodes { @ } } }",
        &[Scope::ReadConversations],
        "browser contact conversations createdAt id isVisitorHere language lastSeenAt pageUrl referrer sessionId",
    ),
    (
        "Contact",
        "site(id: $site) { contacts { nodes { @ } } }",
        &[Scope::ReadConversations],
        "attributes createdAt email externalId id name sessions updatedAt",
    ),
    (
        "ContactAttribute",
        "site(id: $site) { contacts { nodes { attributes { @ } } } }",
        &[Scope::ReadConversations],
        "name value",
    ),
    ("IdentitySecret", "site(id: $site) { identitySecrets { @ } }", &[Scope::Admin], "createdAt id last4"),
    ("ConversationTag", "site(id: $site) { conversationTags { @ } }", &[Scope::ReadConversations], "count name"),
    (
        "ExpectedReply",
        "site(id: $site) { expectedReply { @ } }",
        &[Scope::ReadConfig],
        "isOpen isTeamHere opensAt typicalMinutes",
    ),
    (
        "BusinessHours",
        "site(id: $site) { businessHours { @ } }",
        &[Scope::ReadConfig],
        "holidays isOpen nextOpeningAt periods timeZone",
    ),
    (
        "OpeningPeriod",
        "site(id: $site) { businessHours { periods { @ } } }",
        &[Scope::ReadConfig],
        "closesAt day opensAt",
    ),
    (
        "CannedReply",
        "site(id: $site) { cannedReplies { nodes { @ } } }",
        &[Scope::ReadConversations],
        "createdAt id name text updatedAt",
    ),
    (
        "ConversationCounts",
        "site(id: $site) { conversationCounts { @ } }",
        &[Scope::ReadConversations],
        "assignees handoffStatuses helpfulCount languages outcomes totalCount unhelpfulCount",
    ),
    (
        "OutcomeCount",
        "site(id: $site) { conversationCounts { outcomes { @ } } }",
        &[Scope::ReadConversations],
        "count outcome",
    ),
    (
        "HandoffStatusCount",
        "site(id: $site) { conversationCounts { handoffStatuses { @ } } }",
        &[Scope::ReadConversations],
        "count status",
    ),
    (
        "AssigneeCount",
        "site(id: $site) { conversationCounts { assignees { @ } } }",
        &[Scope::ReadConversations],
        "count member",
    ),
    (
        "LanguageCount",
        "site(id: $site) { conversationCounts { languages { @ } } }",
        &[Scope::ReadConversations],
        "count language",
    ),
    (
        "Citation",
        "site(id: $site) { conversations { nodes { citations { @ } } } }",
        &[Scope::ReadConversations],
        "quote score source textFragment title url",
    ),
    (
        "Handoff",
        "site(id: $site) { conversations { nodes { handoff { @ } } } }",
        &[Scope::ReadConversations],
        "assignedAt assignee customerEmail firstReplyAt isMailed ratedAt rating ratingComment ratingEndsAt requestedAt \
         resolvedAt status",
    ),
    (
        "Message",
        "site(id: $site) { conversations { nodes { messages { nodes { @ } } } } }",
        &[Scope::ReadConversations],
        "agentName author createdAt id member seq text",
    ),
    (
        "Source",
        "site(id: $site) { sources { nodes { @ } } }",
        &[Scope::ReadSources],
        "chunkCount crawlReport createdAt documentCount error id kind lastSync lastSyncedAt maxDepth maxPages \
         nextSyncAt pageCount pages schedule scope status title updatedAt url",
    ),
    (
        "SourceSync",
        "site(id: $site) { sources { nodes { lastSync { @ } } } }",
        &[Scope::ReadSources],
        "failed fetched finishedAt leftOut planned remaining skipped startedAt unchanged",
    ),
    (
        "Page",
        "site(id: $site) { sources(first: 2) { nodes { pages(first: 5) { nodes { @ } } } } }",
        &[Scope::ReadSources],
        "chunkCount entries fetchedAt id lastChange omitted outcome passages reason title url",
    ),
    (
        "FaqEntry",
        "site(id: $site) { faqEntries { nodes { @ } } }",
        &[Scope::ReadSources],
        "answer categories id phrasings question source url",
    ),
    ("Evaluation", "site(id: $site) { evaluation { @ } }", &[], "allowedLosses:read_config cases:read_sources"),
    (
        "AnswerRule",
        "site(id: $site) { answerRules { nodes { @ } } }",
        &[Scope::ReadSources],
        "createdAt entry entryQuestion id kind question",
    ),
    (
        "EvaluationCase",
        "site(id: $site) { evaluation { cases { nodes { @ } } } }",
        &[Scope::ReadSources],
        "createdAt expectedQuestion expectedSource expectedUrl id question",
    ),
    (
        "Analytics",
        "site(id: $site) { analytics { @ } }",
        &[Scope::ReadAnalytics],
        "activity days feedbackReasons handoffs languages members overview range sources timeZone \
         topQuestions:read_conversations topics:read_conversations unansweredTopics:read_conversations",
    ),
    ("DailyMetrics", "site(id: $site) { analytics { days { @ } } }", &[Scope::ReadAnalytics], "date questions"),
    (
        "QuestionMetrics",
        "site(id: $site) { analytics { days { questions { @ } } } }",
        &[Scope::ReadAnalytics],
        "answeredCount handoffCount helpfulCount totalCount unansweredCount unhelpfulCount",
    ),
    (
        "LanguageMetrics",
        "site(id: $site) { analytics { languages { @ } } }",
        &[Scope::ReadAnalytics],
        "language questions",
    ),
    (
        "SourceMetrics",
        "site(id: $site) { analytics { sources { @ } } }",
        &[Scope::ReadAnalytics],
        "questions source:read_sources sourceId",
    ),
    (
        "MemberMetrics",
        "site(id: $site) { analytics { members { @ } } }",
        &[Scope::ReadAnalytics],
        "handoffs member:read_conversations memberId",
    ),
    (
        "HandoffMetrics",
        "site(id: $site) { analytics { handoffs { @ } } }",
        &[Scope::ReadAnalytics],
        "assignmentTimes averageRating count firstReplyTimes ratingCount resolutionTimes resolvedCount satisfactionRate",
    ),
    (
        "TimeMetrics",
        "site(id: $site) { analytics { handoffs { resolutionTimes { @ } } } }",
        &[Scope::ReadAnalytics],
        "count medianSeconds percentile90Seconds",
    ),
    (
        "FeedbackReasonCount",
        "site(id: $site) { analytics { feedbackReasons { @ } } }",
        &[Scope::ReadAnalytics],
        "count reason",
    ),
    (
        "AnalyticsOverview",
        "site(id: $site) { analytics { overview { @ } } }",
        &[Scope::ReadAnalytics],
        "handoffCount handoffRate helpfulCount questionsLast7Days questionsPrevious7Days satisfactionRate \
         totalFeedback totalQuestions unansweredCount weekOverWeekChange",
    ),
    ("DailyActivity", "site(id: $site) { analytics { activity { @ } } }", &[Scope::ReadAnalytics], "count date"),
    (
        "QuestionTopic",
        "site(id: $site) { analytics { unansweredTopics { @ } } }",
        &[Scope::ReadAnalytics, Scope::ReadConversations],
        "count isDismissed label questions unansweredCount",
    ),
    (
        "TopicQuestion",
        "site(id: $site) { analytics { unansweredTopics { questions { @ } } } }",
        &[Scope::ReadAnalytics, Scope::ReadConversations],
        "conversation count isAnsweredNow text unansweredCount",
    ),
    (
        "Webhook",
        "site(id: $site) { webhooks { @ } }",
        &[Scope::Webhooks],
        "createdAt deliveries description disabledReason events failingSince id isEnabled lastReplay pausedUntil \
         redactedSecret rotation updatedAt url",
    ),
    (
        "WebhookSecretRotation",
        "site(id: $site) { webhooks { rotation { @ } } }",
        &[Scope::Webhooks],
        "endsAt isStaged redactedSecret",
    ),
    (
        "WebhookReplay",
        "site(id: $site) { webhooks { lastReplay { @ } } }",
        &[Scope::Webhooks],
        "checked createdAt event finishedAt id replayed since total",
    ),
    (
        "WebhookDelivery",
        "site(id: $site) { webhooks { deliveries { nodes { @ } } } }",
        &[Scope::Webhooks],
        "attemptCount attempts body createdAt event eventId finishedAt id isTest nextAttemptAt sequence status webhook",
    ),
    (
        "DeliveryAttempt",
        "site(id: $site) { webhooks { deliveries(first: 3) { nodes { attempts(first: 3) { nodes { @ } } } } } }",
        &[Scope::Webhooks],
        "connectMs dnsMs error errorCode firstByteMs number requestHeaders responseBody responseHeaders startedAt statusCode totalMs url",
    ),
    (
        "HttpHeader",
        "site(id: $site) { webhooks { deliveries(first: 3) { nodes { attempts(first: 3) { nodes { requestHeaders { @ } } } } } } }",
        &[Scope::Webhooks],
        "name value",
    ),
];

/// Objects that exist only inside the response to an operation, or to a field of `Site` that is null here. The operation or
/// field has its own row, and a viewer with access to it may read all of these fields. Objects among their fields have
/// their own rows above.
const ANSWERS: &[(&str, &str)] = &[
    ("AnswerDelta", "text"),
    ("AnswerFinished", "payload"),
    ("AnswerRestart", "isRestart"),
    ("ConversationActivity", "isTeamHere isTeamTyping isVisitorHere isVisitorTyping typingMember typingMembers"),
    ("ContentEvent", "createdAt cursor entry entryId id source sourceId type"),
    ("ConversationEvent", "actor conversation conversationId createdAt cursor id message sessionId type"),
    ("BatchJob", "createdAt doneRows error id kind siteId totalRows"),
    ("BlockedVisitor", "by conversation createdAt id note"),
    ("VisitorRecord", "body conversationId kind sessionId"),
    ("EmbeddingProgress", "embedded model total"),
    ("EraseSessionPayload", "erasedCount"),
    ("EraseContactPayload", "erasedCount erasedId"),
    ("IdentifyVisitorPayload", "sessionId"),
    ("ReportVisitPayload", "sessionId"),
    ("CreateIdentitySecretPayload", "identitySecret secret"),
    ("DeleteIdentitySecretPayload", "deletedId"),
    ("EraseVisitorPayload", "conversationCount sessionCount"),
    ("EvaluationResult", "case confidence foundTitle foundUrl isPassed outcome question rank"),
    ("ChunkChange", "after before isEntry kind title"),
    ("LeftOut", "count reason"),
    ("Omission", "reason sample"),
    ("PageChange", "changedAt chunks totalCount"),
    ("PageInfo", "endCursor hasNextPage hasPreviousPage startCursor"),
    ("Passage", "headings id text url"),
    ("SourceProgress", "isFinished source"),
    ("TrustedDocument", "body createdAt documentId"),
    ("AppliedAnswerRule", "kind question ruleId"),
    ("ChangePreview", "changedCount createdAt doneQuestions gainedCount id lostCount questions status totalQuestions"),
    ("PreviewedAnswer", "confidence outcome title url"),
    ("PreviewedQuestion", "after before count effect question"),
    ("UserError", "code field message"),
    ("ReplyDraft", "citations questions text"),
    ("DraftReplyPayload", "draft"),
    ("SetWidgetTextsPayload", "texts"),
    ("DeleteWidgetTextsPayload", "deletedLanguage"),
    // Needs an argument; tested in `triage`.
    ("CannedReply", "renderedText"),
    ("AddCannedReplyPayload", "cannedReply"),
    ("AddEvaluationCasePayload", "case"),
    ("AddFaqEntryPayload", "entry"),
    ("AddMemberPayload", "member secret"),
    ("AddNotePayload", "conversation note"),
    ("AddPhrasingPayload", "entry"),
    ("AddSourcePayload", "isNew source"),
    ("AddTextSourcePayload", "isNew source"),
    ("AddAnswerRulePayload", "rule"),
    ("CancelPreviewPayload", "preview"),
    ("PreviewChangePayload", "preview"),
    ("PublishChangePayload", "entry preview"),
    ("AddTrustedDocumentsPayload", "addedCount"),
    ("ImportFaqEntriesPayload", "added unchanged updated"),
    ("UploadSourcePayload", "isNew source"),
    ("AskQuestionPayload", "appliedRules conversation credits sessionToken suggestions"),
    ("AssignConversationPayload", "conversation"),
    ("BlockVisitorPayload", "blockedVisitor"),
    ("CancelSyncPayload", "source"),
    ("ConfirmTranscriptCodePayload", "conversation"),
    ("CreateApiKeyPayload", "apiKey secret"),
    ("CreateSitePayload", "site"),
    ("CreateWebhookPayload", "secret webhook"),
    ("DeleteAnswerRulePayload", "deletedId"),
    ("DismissTopicPayload", "conversationId"),
    ("RestoreTopicPayload", "conversationId"),
    ("DeleteCannedReplyPayload", "deletedId"),
    ("DeleteEvaluationCasePayload", "deletedId"),
    ("DeleteFaqEntryPayload", "deletedId"),
    ("DeleteNotePayload", "deletedId"),
    ("DeleteSitePayload", "deletedId job"),
    ("DeleteSourcePayload", "deletedId"),
    ("DeleteWebhookPayload", "deletedId"),
    ("MarkReadPayload", "conversation"),
    ("PromoteToFaqPayload", "answeredNow entry"),
    ("RemoveMemberPayload", "removedId"),
    ("InviteMemberPayload", "member"),
    ("ResendInvitationPayload", "member"),
    ("SignOutPayload", "isSignedOut"),
    ("RemoveTrustedDocumentsPayload", "removedCount"),
    ("RateHandoffPayload", "conversation"),
    ("ReopenConversationPayload", "conversation"),
    ("ReplayDeliveryPayload", "delivery"),
    ("ReplayFailedDeliveriesPayload", "replay"),
    ("RequestHandoffPayload", "conversation sessionToken"),
    ("RequestTranscriptCodePayload", "expiresAt"),
    ("SyncSourcePayload", "source"),
    ("ResolveConversationPayload", "conversation"),
    ("RevokeApiKeyPayload", "apiKey"),
    ("RotateWebhookSecretPayload", "secret webhook"),
    ("RunEvaluationPayload", "passedCount results"),
    ("SendMessagePayload", "conversation message"),
    ("SendTestEventPayload", "delivery"),
    ("SendTranscriptPayload", "conversation"),
    ("SetTypingPayload", "conversation"),
    ("SubmitFeedbackPayload", "conversation"),
    ("UnassignConversationPayload", "conversation"),
    ("UnblockVisitorPayload", "removedId"),
    ("UpdateAnswerSettingsPayload", "answerSettings"),
    ("UpdateApiKeyPayload", "apiKey"),
    ("UpdateBusinessHoursPayload", "site"),
    ("UpdateCannedReplyPayload", "cannedReply"),
    ("UpdateConversationPayload", "conversation"),
    ("UpdateCreditCapsPayload", "creditCaps"),
    ("UpdateDataRetentionPayload", "dataRetention"),
    ("UpdateEvaluationSettingsPayload", "evaluation"),
    ("UpdateFaqEntryPayload", "entry"),
    ("UpdateMemberPayload", "member"),
    ("UpdateSitePayload", "site"),
    ("UpdateSourcePayload", "source"),
    ("UpdateWebhookPayload", "webhook"),
    ("UpdateWidgetConfigPayload", "updated widget"),
];

/// What every object of such a name has, and how it is given: as what it is made of.
const SHAPES: [(&str, &[&str]); 3] = [
    ("Connection", &["edges", "nodes", "pageInfo", "totalCount"]),
    ("Edge", &["cursor", "node"]),
    ("Payload", &["userErrors"]),
];

/// Roots and `Site` have their rows in `authorization.rs`.
const ELSEWHERE: [&str; 4] = ["Query", "Mutation", "Subscription", "Site"];

/// A field of an object: what to run, and what the caller needs for it.
struct Row {
    name: String,
    document: String,
    needs: Vec<Scope>,
    /// What the way to the object needs: who has that is given the field beside the one in question.
    way_needs: &'static [Scope],
}

fn rows(leaves: &BTreeSet<String>) -> Vec<Row> {
    let of_object = |(object, way, scopes, fields): &(&str, &str, &'static [Scope], &str)| {
        let row = |field: &str| {
            let (field, own) = field.split_once(':').map_or((field, None), |(field, scope)| (field, Some(scope)));
            let own = own.map(|name| *Scope::ALL.iter().find(|scope| scope.as_str() == name).expect("a scope"));
            let name = format!("{object}.{field}");
            let inside = if leaves.contains(&name) { "" } else { " { __typename }" };
            Row {
                document: format!(
                    "query ($site: ID!) {{ s: site(id: $site) {{ id }} {} }}",
                    way.replace('@', &format!("probe: {field}{inside} beside: __typename"))
                ),
                way_needs: scopes,
                needs: scopes.iter().copied().chain(own).collect(),
                name,
            }
        };
        fields.split_whitespace().map(row).collect::<Vec<_>>()
    };
    OBJECTS.iter().flat_map(of_object).collect()
}

async fn every_field_is_given_to_whom_it_should(app: &TestApp) {
    let pages = Pages::of([("/faq", Page::html(FAQ))]).await;
    let mut receiver = Receiver::start().await;
    let site = app.site().create().await;
    let other = app.site().create().await;
    furnish(app, &site, &pages, &mut receiver).await;
    let rows = rows(&leaves(&site.owner()).await);
    let variables = json!({ "site": site.id });
    let mut wrong = Vec::new();

    for (name, client, scopes) in callers(app, &site).await {
        for row in &rows {
            let reply = client.graphql(&row.document, variables.clone()).await;
            let may = row.needs.iter().all(|scope| scopes.contains(scope));
            let is_given = reply.errors.is_empty() && reply.data.to_string().contains("\"probe\":");
            let is_alone = reply.data["s"]["id"] == json!(site.id)
                && (!row.way_needs.iter().all(|scope| scopes.contains(scope))
                    || reply.data.to_string().contains("\"beside\":"));
            let is_refused = reply.codes().contains(&"FORBIDDEN") && told(&reply.data).is_none() && is_alone;
            if (may && !is_given) || (!may && !is_refused) {
                wrong.push(format!("{} with {name}: {} {:?}", row.name, reply.data, reply.errors));
            }
        }
    }
    // Each scope alone is what opens a field: without it, all others do not.
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let (_, key) = site.key(KeyKind::Secret).scopes(&others).create().await;
        for row in rows.iter().filter(|row| row.needs.contains(&scope)) {
            let reply = app.client(&key).graphql(&row.document, variables.clone()).await;
            let is_way_open = !row.way_needs.contains(&scope);
            let is_alone = reply.data["s"]["id"] == json!(site.id)
                && (!is_way_open || reply.data.to_string().contains("\"beside\":"));
            if !reply.codes().contains(&"FORBIDDEN") || told(&reply.data).is_some() || !is_alone {
                wrong.push(format!("{} without {}: {}", row.name, scope.as_str(), reply.data));
            }
        }
    }
    for (key, name) in no_keys(app, &site).await {
        let client = key.as_ref().map_or_else(|| app.anonymous(), |key| app.client(key));
        for row in &rows {
            let reply = client.graphql(&row.document, variables.clone()).await;
            if reply.codes() != ["UNAUTHENTICATED"] || reply.data != Value::Null {
                wrong.push(format!("{} with {name}: {} {:?}", row.name, reply.data, reply.errors));
            }
        }
    }
    for row in rows.iter().filter(|row| row.document.matches("$site").count() > 2) {
        let reply = other.owner().graphql(&row.document, variables.clone()).await;
        if told(&reply.data).is_some() || reply.data["s"] != Value::Null {
            wrong.push(format!("{} with another site's key: {}", row.name, reply.data));
        }
    }

    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The value of `probe` anywhere in a response, if it is not null.
fn told(data: &Value) -> Option<&Value> {
    match data {
        Value::Object(fields) => match fields.get("probe") {
            Some(probe) => Some(probe).filter(|probe| !probe.is_null()),
            None => fields.values().find_map(told),
        },
        Value::Array(items) => items.iter().find_map(told),
        _ => None,
    }
}

async fn callers(app: &TestApp, site: &TestSite<'_>) -> Vec<(&'static str, Client, &'static [Scope])> {
    let agent = members::add(app.services(), app.operator(), Some(site.id), "Bob", "bob@example.com", Role::Agent);
    let (_, agent) = agent.await.expect("a member");
    vec![
        ("widget key", site.visitor(), &Scope::WIDGET),
        ("secret key", site.owner(), &Scope::ALL),
        ("agent", app.client(&agent), &Scope::AGENT),
        ("operator", app.operator_client(), &Scope::ALL),
    ]
}

async fn no_keys(app: &TestApp, site: &TestSite<'_>) -> Vec<(Option<String>, &'static str)> {
    let (id, revoked) = site.key(KeyKind::Secret).create().await;
    keys::revoke(app.services(), app.operator(), Some(site.id), id).await.expect("a key to revoke");
    let soon = app.now().plus(Duration::from_secs(60));
    let (_, expired) = site.key(KeyKind::Secret).expires(soon).create().await;
    app.pass(Duration::from_secs(60));
    vec![(None, "no key"), (Some(revoked), "a revoked key"), (Some(expired), "an expired key")]
}

const FAQ: &str = "<html lang=en><title>Questions</title><h1>Questions</h1>
    <h2>When are you open on Sundays?</h2><p>On Sundays we are open from 8 to 11 in the morning.</p>";

/// Number of questions that [`furnish`] asks, each of which the webhook receives.
const QUESTIONS: usize = 3;

/// Gives a site one of everything that can be read.
async fn furnish(app: &TestApp, site: &TestSite<'_>, pages: &Pages, receiver: &mut Receiver) {
    let owner = site.owner();
    let source = site.source(&pages.url("/faq")).await;
    assert_eq!(source["status"], "INDEXED", "{source}");
    let hook = json!({ "url": receiver.url(), "events": ["conversation.created"] });
    let hook = owner.post("/api/v1/webhooks", &hook).await.ok()["webhook"]["id"].take();
    let (member, _) =
        members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent)
            .await
            .expect("a member");
    let admin = members::add(app.services(), app.operator(), Some(site.id), "Eve", "eve@example.com", Role::Admin);
    let (_, admin) = admin.await.expect("a member");
    let caps = "mutation { updateCreditCaps(input: { perDay: 1000 }) { userErrors { message } } }";
    app.client(&admin).graphql(caps, json!({})).await.ok();
    let unanswered = json!({ "question": "How do I calibrate the flux capacitor of a submarine?" });
    owner.post("/api/v1/chat", &unanswered).await.ok();
    let asked = owner.post("/api/v1/chat", &json!({ "question": "When are you open on Sundays?" })).await.ok();
    let id = &asked["conversationId"];
    let (visitor, _) = visits::visitor(site, "Who am I?").await;
    let visit = json!({ "pageUrl": "https://shop.example/", "referrer": "https://search.example/", "language": "de",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0" });
    visitor.graphql(visits::REPORT, json!({ "visit": visit })).await.ok();
    let (_, secret) = contacts::secret(site).await;
    let person = json!({ "sub": "42", "name": "Ada", "email": "ada@example.com", "attributes": { "plan": "gold" } });
    let identified = contacts::identify(&visitor, &contacts::token(app, site, &secret, &person)).await;
    assert_eq!(identified["userErrors"], json!([]));
    for (document, variables) in [
        (
            "mutation ($id: ID!) { m: requestHandoff(input: { conversationId: $id }) { userErrors { message } } }",
            json!({ "id": id }),
        ),
        (
            "mutation ($id: ID!, $member: ID!) {
                m: assignConversation(input: { conversationId: $id, memberId: $member }) { userErrors { message } }
            }",
            json!({ "id": id, "member": member.id }),
        ),
        (
            "mutation ($id: ID!) {
                m: updateConversation(input: { conversationId: $id, addTags: [\"billing\"] }) { userErrors { message } }
            }",
            json!({ "id": id }),
        ),
        (
            "mutation ($id: ID!) {
                m: addNote(input: { conversationId: $id, text: \"Asks often.\" }) { userErrors { message } }
            }",
            json!({ "id": id }),
        ),
        (
            "mutation { m: updateBusinessHours(input: { businessHours: { timeZone: \"UTC\",
                periods: [{ day: MONDAY, opensAt: \"09:00\", closesAt: \"17:00\" }] } }) { userErrors { message } } }",
            json!({}),
        ),
        (
            "mutation { m: setWidgetTexts(input: { language: \"de\", greeting: \"a\", botName: \"b\", inputPlaceholder: \"c\",
                typingText: \"d\", onlineText: \"e\", handoffText: \"f\", handoffSentText: \"g\", emailPlaceholder: \"h\",
                emailSendText: \"i\", emailSkipText: \"j\", feedbackYesText: \"k\", feedbackNoText: \"l\", errorText: \"m\",
                networkErrorText: \"n\", starterQuestions: [\"o\"] }) { userErrors { message } } }",
            json!({}),
        ),
        (
            "mutation { m: addCannedReply(input: { name: \"hours\", text: \"From 8 to 11.\" }) { userErrors { message } } }",
            json!({}),
        ),
        (
            "mutation ($id: ID!) {
                m: rotateWebhookSecret(input: { id: $id, step: STAGE }) { userErrors { message } }
            }",
            json!({ "id": hook }),
        ),
        (
            "mutation ($id: ID!, $since: DateTime!) {
                m: replayFailedDeliveries(input: { webhookId: $id, since: $since }) { userErrors { message } }
            }",
            json!({ "id": hook, "since": "2026-03-01T00:00:00Z" }),
        ),
        (
            "mutation { m: addEvaluationCase(input: { question: \"Open on Sundays?\" }) { userErrors { message } } }",
            json!({}),
        ),
    ] {
        let done = owner.graphql(document, variables).await.ok();
        assert_eq!(done["m"]["userErrors"], json!([]), "{document}");
    }
    let mut found = owner.graphql("{ site { faqEntries(first: 1) { nodes { id } } } }", json!({})).await.ok();
    let pin = "mutation ($id: ID!) {
        addAnswerRule(input: { question: \"Open?\", entryId: $id, kind: PIN }) { userErrors { message } }
    }";
    let entry = json!({ "id": found["site"]["faqEntries"]["nodes"][0]["id"].take() });
    assert_eq!(owner.graphql(pin, entry).await.ok()["addAnswerRule"]["userErrors"], json!([]));
    for _ in 0..QUESTIONS {
        receiver.next().await;
    }
    wait_for("the record of an attempt", async || {
        let log = "{ site { webhooks { deliveries { nodes { attemptCount } } } } }";
        let log = owner.graphql(log, json!({})).await.ok();
        let nodes = log["site"]["webhooks"][0]["deliveries"]["nodes"].as_array().cloned().unwrap_or_default();
        (nodes.len() == QUESTIONS && nodes.iter().all(|node| node["attemptCount"] == 1)).then_some(())
    })
    .await;
}

/// The fields that have no fields of their own, as `Type.field`.
async fn leaves(client: &Client) -> BTreeSet<String> {
    let of_kind = |kind: &Value| matches!(kind.as_str(), Some("SCALAR" | "ENUM"));
    let mut leaves = BTreeSet::new();
    for (object, fields) in objects(client).await {
        for (field, of) in fields {
            let mut of = &of;
            while of["ofType"].is_object() {
                of = &of["ofType"];
            }
            if of_kind(&of["kind"]) {
                leaves.insert(format!("{object}.{field}"));
            }
        }
    }
    leaves
}

/// The objects of the schema, each with its fields and their types.
async fn objects(client: &Client) -> BTreeMap<String, Vec<(String, Value)>> {
    const SCHEMA: &str = "{ __schema { types { name kind fields(includeDeprecated: true) { name
        type { kind ofType { kind ofType { kind ofType { kind } } } } } } } }";
    let schema = client.graphql(SCHEMA, Value::Null).await.ok();
    let types = schema["__schema"]["types"].as_array().expect("types");
    let own = types.iter().filter(|of| of["kind"] == "OBJECT");
    own.map(|of| (of["name"].as_str().expect("a name").to_owned(), of["fields"].as_array().expect("fields")))
        .filter(|(name, _)| !name.starts_with("__"))
        .map(|(name, fields)| {
            let field = |field: &Value| (field["name"].as_str().expect("a name").to_owned(), field["type"].clone());
            (name, fields.iter().map(field).collect())
        })
        .collect()
}

async fn every_field_of_the_schema_has_a_row(app: &TestApp) {
    let site = app.site().create().await;
    let objects = objects(&site.owner()).await;

    let shaped = |object: &str| {
        SHAPES
            .iter()
            .filter(|(end, _)| object.ends_with(end))
            .flat_map(|(_, fields)| *fields)
            .copied()
            .collect::<Vec<_>>()
    };
    let fields: BTreeSet<String> = objects
        .iter()
        .filter(|(object, _)| !ELSEWHERE.contains(&object.as_str()))
        .flat_map(|(object, fields)| {
            let shaped = shaped(object);
            let own = fields.iter().filter(move |(field, _)| !shaped.contains(&field.as_str()));
            own.map(move |(field, _)| format!("{object}.{field}"))
        })
        .collect();
    let of_answers = ANSWERS
        .iter()
        .flat_map(|(object, fields)| fields.split_whitespace().map(move |field| format!("{object}.{field}")));
    let has_row: BTreeSet<String> = rows(&BTreeSet::new()).into_iter().map(|row| row.name).chain(of_answers).collect();
    let without: Vec<_> = fields.difference(&has_row).collect();
    let stale: Vec<_> = has_row.difference(&fields).collect();
    assert!(without.is_empty() && stale.is_empty(), "without a row: {without:?}; no longer there: {stale:?}");
}
