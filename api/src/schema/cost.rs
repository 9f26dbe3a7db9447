//! How many objects the lists of the schema can contain when neither `first` nor `last` is given.
//!
//! The guard computes the cost of an operation from these numbers. A list without an entry counts for a
//! page of the default size.

/// Highest number of items by `Type.field`. Where a list is usually far shorter than a rule allows, the
/// number is clearly more than is usual, so that ordinary operations are not refused.
pub const LIST_BOUNDS: &[(&str, usize)] = &[
    // A site has at most five webhooks.
    ("Site.webhooks", 5),
    ("Site.identitySecrets", 2),
    ("Site.widgetTexts", 30),
    // A draft answers at most three messages, each from a few passages.
    ("ReplyDraft.citations", 10),
    // A contact has at most 20 attributes, usually a few.
    ("Contact.attributes", 10),
    // Four outcomes and three statuses, the members of a team, and usual numbers of languages.
    ("ConversationCounts.outcomes", 4),
    ("ConversationCounts.handoffStatuses", 3),
    ("ConversationCounts.assignees", 20),
    ("ConversationCounts.languages", 10),
    // Two periods a day are usual.
    ("BusinessHours.periods", 14),
    // 200 tags are returned; a site has about twenty.
    ("Site.conversationTags", 50),
    // Days of a year. A longer range costs the database the same.
    ("Analytics.activity", 365),
    ("Analytics.days", 366),
    // Every reason.
    ("Analytics.feedbackReasons", 6),
    // A topic has at most 20 wordings, usually two or three.
    ("QuestionTopic.questions", 10),
    ("PromoteToFaqPayload.answeredNow", 10),
    // A delivery is attempted a few times.
    ("WebhookDelivery.attempts", 10),
    // HelpBot sends about ten headers, and most receivers answer with fewer.
    ("DeliveryAttempt.requestHeaders", 10),
    ("DeliveryAttempt.responseHeaders", 10),
];
