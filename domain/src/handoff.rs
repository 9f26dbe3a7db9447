//! Handoffs over time: when a human was requested, when a member took over, first replied and resolved the conversation, and how
//! the visitor rated the help.
//!
//! A conversation has a record for each of its handoffs, because one that was resolved can be opened again.
//! [`HandoffStatus`](crate::conversation::HandoffStatus) is the state of the last one.

use std::time::Duration;

use crate::Timestamp;
use crate::conversation::Conversation;
use crate::ids::{ConversationId, MemberId, SiteId};
use crate::satisfaction::Rating;

/// Time after the resolution in which the visitor can give and change the rating: a visitor who reads the last reply by mail
/// answers within days, and a later rating would change metrics that were reported already.
pub const RATING_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// One handoff of a conversation, from its beginning to its resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffRecord {
    /// Site of the conversation.
    pub site_id: SiteId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Number of the handoff in its conversation, from 1.
    pub number: i64,
    /// When the visitor asked for a human, or a member joined or reopened the conversation.
    pub began_at: Timestamp,
    /// Whether a visitor asked for a human, and has waited since. Only these handoffs have response times.
    pub is_requested: bool,
    /// When a member first took the handoff.
    pub assigned_at: Option<Timestamp>,
    /// When the team first wrote after the beginning.
    pub first_reply_at: Option<Timestamp>,
    /// When the handoff was resolved.
    pub resolved_at: Option<Timestamp>,
    /// The member who has the handoff, or who had it when it was resolved.
    pub member_id: Option<MemberId>,
    /// How the visitor rates the help.
    pub rating: Option<Rating>,
    /// What the visitor wrote about the rating.
    pub comment: Option<String>,
    /// When the visitor last rated the help.
    pub rated_at: Option<Timestamp>,
}

/// What happens to a handoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoffStep {
    /// A visitor asks for a human.
    Request,
    /// A member joins a conversation in which nobody asked for a human.
    Join(Option<MemberId>),
    /// A member takes the handoff, or gets it.
    Assign(Option<MemberId>),
    /// The handoff returns to the queue.
    Unassign,
    /// The team writes a message. An API key may belong to no member.
    Reply(Option<MemberId>),
    /// The handoff is resolved, by a member or an API key.
    Resolve(Option<MemberId>),
    /// A member reopens the conversation.
    Reopen,
}

impl HandoffRecord {
    /// Returns the last handoff of a conversation after a step. A request and a reopening begin another one.
    #[must_use]
    pub fn after(last: Option<&Self>, of: &Conversation, step: HandoffStep, now: Timestamp) -> Self {
        let begins = matches!(step, HandoffStep::Request | HandoffStep::Join(_) | HandoffStep::Reopen);
        let mut record = match last.filter(|last| !begins && last.resolved_at.is_none()) {
            Some(open) => open.clone(),
            None => Self {
                site_id: of.site_id,
                conversation_id: of.id,
                number: last.map_or(0, |last| last.number) + 1,
                // The beginning of a handoff that an earlier version has not recorded.
                began_at: if begins { now } else { of.handoff_at.unwrap_or(now) },
                is_requested: step == HandoffStep::Request,
                assigned_at: None,
                first_reply_at: None,
                resolved_at: None,
                member_id: None,
                rating: None,
                comment: None,
                rated_at: None,
            },
        };
        match step {
            HandoffStep::Request | HandoffStep::Reopen => {}
            HandoffStep::Join(member) | HandoffStep::Assign(member) => {
                record.assigned_at.get_or_insert(now);
                record.member_id = member;
            }
            HandoffStep::Unassign => record.member_id = None,
            HandoffStep::Reply(member) => {
                record.first_reply_at.get_or_insert(now);
                if let (Some(member), None) = (member, record.member_id) {
                    record.assigned_at.get_or_insert(now);
                    record.member_id = Some(member);
                }
            }
            HandoffStep::Resolve(member) => {
                record.resolved_at = Some(now);
                record.member_id = record.member_id.or(member);
            }
        }
        record
    }

    /// Returns until when the visitor can rate the help. `None` while the handoff is open.
    pub fn rating_ends_at(&self) -> Option<Timestamp> {
        self.resolved_at.map(|at| at.plus(RATING_WINDOW))
    }

    /// Returns how long the visitor waited until the given time of this handoff. `None` when the visitor did not ask for
    /// a human.
    fn waited(&self, until: Option<Timestamp>) -> Option<Duration> {
        until.filter(|_| self.is_requested).map(|until| until.since(self.began_at))
    }

    /// Returns how long the visitor waited until a member took the handoff.
    pub fn time_to_assignment(&self) -> Option<Duration> {
        self.waited(self.assigned_at)
    }

    /// Returns how long the visitor waited for the first reply.
    pub fn time_to_first_reply(&self) -> Option<Duration> {
        self.waited(self.first_reply_at)
    }

    /// Returns how long it took until the handoff was resolved.
    pub fn time_to_resolution(&self) -> Option<Duration> {
        self.waited(self.resolved_at)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn conversation() -> Conversation {
        let (site, id) = (SiteId::from_uuid(Uuid::nil()), ConversationId::from_uuid(Uuid::nil()));
        Conversation { handoff_at: Some(at(5)), ..Conversation::beginning(site, id, String::new(), at(0)) }
    }

    fn after(steps: &[(HandoffStep, i64)]) -> HandoffRecord {
        let mut last: Option<HandoffRecord> = None;
        for (step, seconds) in steps {
            last = Some(HandoffRecord::after(last.as_ref(), &conversation(), *step, at(*seconds)));
        }
        last.expect("a step")
    }

    fn member(number: u128) -> Option<MemberId> {
        Some(MemberId::from_uuid(Uuid::from_u128(number)))
    }

    #[test]
    fn the_first_time_of_each_kind_counts() {
        let (ann, bob) = (member(1), member(2));
        let record = after(&[
            (HandoffStep::Request, 10),
            (HandoffStep::Assign(ann), 20),
            (HandoffStep::Unassign, 30),
            (HandoffStep::Reply(bob), 40),
            (HandoffStep::Reply(ann), 50),
            (HandoffStep::Resolve(ann), 60),
        ]);

        assert_eq!((record.number, record.member_id), (1, bob));
        let times = [record.time_to_assignment(), record.time_to_first_reply(), record.time_to_resolution()];
        assert_eq!(times, [10, 30, 50].map(|seconds| Some(Duration::from_secs(seconds))));
        assert_eq!(record.rating_ends_at(), Some(at(60).plus(RATING_WINDOW)));
    }

    #[test]
    fn a_request_after_the_resolution_is_another_handoff() {
        let ann = member(1);
        let record = after(&[(HandoffStep::Request, 10), (HandoffStep::Resolve(ann), 20), (HandoffStep::Request, 30)]);

        assert_eq!((record.number, record.began_at, record.member_id), (2, at(30), None));
        assert_eq!(record.rating_ends_at(), None);
    }

    #[test]
    fn nobody_waits_for_a_member_who_joins_or_reopens() {
        let ann = member(1);
        let joined = after(&[(HandoffStep::Join(ann), 10), (HandoffStep::Reply(ann), 20)]);
        assert_eq!((joined.assigned_at, joined.time_to_first_reply()), (Some(at(10)), None));

        let reopened =
            after(&[(HandoffStep::Request, 10), (HandoffStep::Resolve(None), 20), (HandoffStep::Reopen, 30)]);
        assert_eq!((reopened.number, reopened.is_requested, reopened.resolved_at), (2, false, None));
    }

    #[test]
    fn a_handoff_of_an_earlier_version_has_no_response_times() {
        let record = after(&[(HandoffStep::Resolve(None), 60)]);

        assert_eq!((record.began_at, record.resolved_at, record.time_to_resolution()), (at(5), Some(at(60)), None));
    }
}
