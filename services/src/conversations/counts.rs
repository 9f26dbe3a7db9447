//! Counts of the conversations of a list by several properties at once, as a dashboard shows them.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::{HandoffStatus, Outcome, Vote};
use helpbot_domain::ids::MemberId;
use helpbot_domain::site::Site;

use crate::conversations::listing::{self, ListQuery, require_list};
use crate::{Result, Services, Viewer, boxed};

/// How many conversations of a list have each value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationCounts {
    /// Number of all conversations of the list.
    pub total: i64,
    /// By outcome, with every outcome, in the order of their declaration.
    pub outcomes: Vec<(Outcome, i64)>,
    /// Number of conversations whose answer was found helpful.
    pub helpful: i64,
    /// Number of conversations whose answer was found unhelpful.
    pub unhelpful: i64,
    /// By status of the handoff, with every status, in the order of their declaration.
    pub handoffs: Vec<(HandoffStatus, i64)>,
    /// By member to whom they are assigned, most conversations first.
    pub assignees: Vec<(MemberId, i64)>,
    /// By language, most conversations first. `None` is an unknown language.
    pub languages: Vec<(Option<String>, i64)>,
}

/// Returns the counts of the conversations of a list. One statement reads all of them.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn counts(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    query: &ListQuery,
) -> Result<ConversationCounts> {
    require_list(viewer, site)?;
    let mut c = services.db.reader().await?;
    let conditions = listing::stored(&mut c, site.id, query).await?;
    let groups = db::conversations::groups(&mut c, site.id, &conditions).await?;
    let sum = |is_counted: &dyn Fn(&db::conversations::ConversationGroup) -> bool| -> i64 {
        groups.iter().filter(|group| is_counted(group)).map(|group| group.count).sum()
    };
    let mut assignees: HashMap<MemberId, i64> = HashMap::new();
    let mut languages: HashMap<Option<String>, i64> = HashMap::new();
    for group in &groups {
        if let Some(member) = group.assignee {
            *assignees.entry(member).or_default() += group.count;
        }
        *languages.entry(group.language.clone()).or_default() += group.count;
    }
    Ok(ConversationCounts {
        total: sum(&|_| true),
        outcomes: Outcome::ALL.map(|outcome| (outcome, sum(&|group| group.outcome == outcome))).to_vec(),
        helpful: sum(&|group| group.vote == Some(Vote::Yes)),
        unhelpful: sum(&|group| group.vote == Some(Vote::No)),
        handoffs: HandoffStatus::ALL.map(|status| (status, sum(&|group| group.handoff == Some(status)))).to_vec(),
        assignees: largest_first(assignees),
        languages: largest_first(languages),
    })
}

/// The counts in descending order. Equal counts are sorted by what they count.
fn largest_first<T: Ord>(counts: HashMap<T, i64>) -> Vec<(T, i64)> {
    let mut counts: Vec<(T, i64)> = counts.into_iter().collect();
    counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    counts
}
