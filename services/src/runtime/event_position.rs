//! Where a subscriber is in the event log of a site, and what it does next. Pure: [`events`](super::events) reads the log and
//! waits, and the [simulation](super::simulation) does the same with a clock, a network and a database of its own.

use std::sync::Arc;

use helpbot_domain::event::Event;
use helpbot_domain::ids::SiteId;

use crate::runtime::bus::Bus;
use crate::runtime::event_cursor::{EventCursor, mark_of, not_a_cursor};
use crate::{Error, Result};

/// A position in an event log.
#[derive(Debug, Clone)]
pub(super) struct EventPosition {
    /// The last event that was passed.
    after: EventCursor,
    /// Newest number when the subscription began. Events up to it must follow.
    newest: i64,
    /// Number of rewrites of the log, as the bus noticed them, that this subscriber has checked.
    rewrites: u64,
    /// Whether the log must be read before the bus is trusted: the last event that was passed was not in it.
    must_read: bool,
}

/// What a subscriber does next.
#[derive(Debug)]
pub(super) enum NextStep {
    /// These events follow.
    Take(Vec<Arc<Event>>),
    /// No event follows yet.
    Wait,
    /// The log must be read, from the event after [`EventPosition::read_after`].
    Read,
}

/// What a page of the log contains.
#[derive(Debug)]
pub(super) enum PageContent {
    /// These events follow.
    Events(Vec<Event>),
    /// No event follows yet.
    Nothing,
    /// Events should follow, or the last one that was passed is not there. [`EventPosition::expect`] decides with the ends of
    /// the log.
    Missing,
}

impl EventPosition {
    /// The position after the newest event of the log, whose mark is `mark`.
    pub(super) fn at_end(last: i64, mark: Option<u64>) -> Self {
        Self { after: EventCursor { seq: last, mark }, newest: last, rewrites: 0, must_read: false }
    }

    /// The position after `cursor` in a log from `oldest` to `last`, which has an event with the mark `stored` there.
    ///
    /// # Errors
    /// `CursorExpired` when the log was restored, or has lost events after the cursor; `Invalid` for a cursor that the site
    /// never returned.
    pub(super) fn resume(cursor: EventCursor, last: i64, oldest: Option<i64>, stored: Option<u64>) -> Result<Self> {
        if cursor.seq > last {
            // The site returned the cursor of an event that its log lost.
            let lost = Error::CursorExpired;
            return Err(cursor.mark.map_or_else(|| not_a_cursor().into(), |_| lost));
        }
        let is_other = matches!((cursor.mark, stored), (Some(mark), Some(stored)) if mark != stored);
        if cursor.seq + 1 < oldest.unwrap_or(last + 1) || is_other {
            return Err(Error::CursorExpired);
        }
        Ok(Self { after: EventCursor { mark: stored, ..cursor }, newest: last, rewrites: 0, must_read: false })
    }

    /// The cursor of the last event that was passed.
    #[cfg(test)]
    pub(super) fn cursor(&self) -> EventCursor {
        self.after
    }

    /// Decides from what the bus has in memory. `known` is the newest number that the bus reported to the subscriber, 0 for none.
    pub(super) fn next(&mut self, bus: &Bus, site: SiteId, known: i64) -> NextStep {
        let (recent, rewrites) = bus.recent(site, self.after.seq);
        if rewrites != self.rewrites || self.must_read {
            // Another event may have the number of the last one that was passed. Only the log knows.
            self.rewrites = rewrites;
            self.must_read = false;
            return NextStep::Read;
        }
        match recent {
            recent if !recent.is_empty() => NextStep::Take(recent),
            _ if known != 0 && known <= self.after.seq => NextStep::Wait,
            _ => NextStep::Read,
        }
    }

    /// Number after which the log is read. The last event is read again: another one in its place shows that the log was
    /// restored.
    pub(super) fn read_after(&self) -> i64 {
        self.after.seq - 1
    }

    /// Decides from a page that was read.
    ///
    /// # Errors
    /// `CursorExpired` when the log was restored, or when events were deleted that the subscriber had not read.
    pub(super) fn read(&self, mut page: Vec<Event>, known: i64) -> Result<PageContent> {
        let after = self.after.seq;
        let is_there = page.first().is_some_and(|first| first.seq == after);
        if is_there {
            let again = page.remove(0);
            if self.after.mark.is_some_and(|mark| mark != mark_of(again.id)) {
                return Err(Error::CursorExpired);
            }
        }
        match page.first() {
            Some(first) if first.seq != after + 1 => Err(Error::CursorExpired),
            Some(_) => Ok(PageContent::Events(page)),
            None if after < self.newest.max(known) || !is_there => Ok(PageContent::Missing),
            None => Ok(PageContent::Nothing),
        }
    }

    /// Decides when a page was empty although events should follow, with the newest and the oldest number of the log:
    /// all of them were deleted, or the log lost its end, or an event was written after the page was read, in which case it
    /// is read next. Returns whether there is something to read.
    ///
    /// # Errors
    /// `CursorExpired`.
    pub(super) fn expect(&mut self, last: i64, oldest: Option<i64>, known: i64) -> Result<bool> {
        let is_deleted = self.after.seq + 1 < oldest.unwrap_or(last + 1);
        let is_lost = last < self.newest.max(known).max(self.after.seq);
        if is_deleted || is_lost {
            return Err(Error::CursorExpired);
        }
        // The page is older than the ends: the log may have lost the event that was passed and continued since.
        self.must_read = true;
        Ok(last > self.after.seq || oldest.is_some_and(|oldest| oldest <= self.after.seq))
    }

    /// Passes an event.
    pub(super) fn pass(&mut self, event: &Event) {
        self.after = EventCursor { seq: event.seq, mark: Some(mark_of(event.id)) };
    }
}
