//! How many objects the lists of the schema can contain that have neither `first` nor `last`.
//!
//! The guard computes the cost of an operation from these numbers. A list without an entry counts for a
//! page of the default size.

/// Highest number of items by `Type.field`. Where a list is usually far shorter than a rule allows, the
/// number is clearly more than is usual, so that ordinary operations are not refused.
pub const LIST_BOUNDS: &[(&str, usize)] = &[
    // A site has at most five webhooks.
    ("Site.webhooks", 5),
    // 200 members are allowed; a team has about ten.
    ("Site.members", 50),
    // At most 50 keys are valid; revoked keys are listed too.
    ("Site.apiKeys", 50),
    // 500 blocks are allowed; a site has a few.
    ("Site.blockedVisitors", 100),
    // Two periods a day are usual.
    ("BusinessHours.periods", 14),
    // 200 tags are returned; a site has about twenty.
    ("Site.conversationTags", 50),
    // The list returns at most a hundred mails.
    ("Site.waitingMails", 100),
    // Days of a year. A longer range costs the database the same.
    ("Analytics.activity", 365),
    // A topic has at most 20 wordings, usually two or three.
    ("QuestionTopic.questions", 10),
    ("PromoteToFaqPayload.answeredNow", 10),
    // A delivery has at most ten attempts before it fails. Replays are rare.
    ("WebhookDelivery.attempts", 10),
    // HelpBot sends about ten headers, and most receivers answer with fewer.
    ("DeliveryAttempt.requestHeaders", 10),
    ("DeliveryAttempt.responseHeaders", 10),
];
