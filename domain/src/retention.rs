//! How long a site keeps its data: the settings of its owner, and what follows from them.

use crate::Timestamp;

/// The highest number of days that an owner can set, ten years. More is the same as no limit.
pub const RETENTION_DAYS_MAX: i64 = 3_650;

/// After how many days the data of a site is deleted. `None` means that the owner has set no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataRetention {
    /// Days since the last change of a conversation.
    pub conversation_days: Option<i64>,
    /// Days since an event.
    pub event_days: Option<i64>,
    /// Days since a webhook delivery was created.
    pub delivery_days: Option<i64>,
    /// Time of the last change of these settings. `None` when they were never changed.
    pub changed_at: Option<Timestamp>,
}

impl DataRetention {
    /// Returns whether the owner has set a limit.
    pub const fn has_limit(&self) -> bool {
        self.conversation_days.is_some() || self.event_days.is_some() || self.delivery_days.is_some()
    }

    /// Returns the days after which events are deleted. Events contain the texts of conversations, so they are kept no longer than
    /// those, and no longer than the `installation` keeps them.
    pub fn event_days_in_effect(&self, installation: i64) -> i64 {
        self.shortest(self.event_days, installation)
    }

    /// Same as [`Self::event_days_in_effect`], for webhook deliveries, whose bodies contain events.
    pub fn delivery_days_in_effect(&self, installation: i64) -> i64 {
        self.shortest(self.delivery_days, installation)
    }

    fn shortest(&self, own: Option<i64>, installation: i64) -> i64 {
        [own, self.conversation_days].into_iter().flatten().fold(installation, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_conversations_are_kept_no_longer_than_the_conversations() {
        let set = |conversation_days, event_days, delivery_days| DataRetention {
            conversation_days,
            event_days,
            delivery_days,
            changed_at: None,
        };
        let in_effect = |set: DataRetention| (set.event_days_in_effect(90), set.delivery_days_in_effect(90));

        assert_eq!(in_effect(DataRetention::default()), (90, 90));
        assert_eq!(in_effect(set(None, Some(30), Some(7))), (30, 7));
        assert_eq!(in_effect(set(Some(14), Some(30), None)), (14, 14));
        assert_eq!(in_effect(set(Some(400), Some(365), Some(365))), (90, 90));
    }
}
