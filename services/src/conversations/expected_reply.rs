//! The expected reply: what a visitor who asks for a human can expect, so that a widget never says "online" when nobody
//! is there.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::business_hours::BusinessHours;
use helpbot_domain::key::Scope;
use helpbot_domain::site::Site;

use crate::{Result, Services, Viewer, boxed};

/// Period whose handoffs count.
const PERIOD: Duration = Duration::from_secs(30 * 86_400);
/// Number of the last handoffs that count.
const HANDOFFS: i64 = 50;
/// Minimum number of handoffs with a reply from which on a typical time is given.
const REPLIES_MIN: usize = 5;

/// What a visitor who asks for a human can expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedReply {
    /// Whether a member is connected to any node.
    pub is_team_here: bool,
    /// Whether it is within business hours. `None` when the site has none.
    pub is_open: Option<bool>,
    /// Beginning of the next business hours. `None` within them, and without any.
    pub opens_at: Option<Timestamp>,
    /// Typical time until the first reply. `None` with too few replies.
    pub typical: Option<Duration>,
}

/// Returns what a visitor can expect now.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn of(services: &Services, viewer: &Viewer, site: &Site) -> Result<ExpectedReply> {
    viewer.require(Scope::ReadConfig)?;
    let (site, now) = (viewer.site(Some(site.id))?, services.now());
    let mut c = services.db.reader().await?;
    let hours: Option<BusinessHours> = db::business_hours::of(&mut c, site).await?;
    let recent = db::reply_times::recent(&mut c, site, now.minus(PERIOD), HANDOFFS).await?;
    let times = recent.into_iter().filter_map(|(asked, replied)| replied.map(|replied| replied.since(asked)));
    Ok(ExpectedReply {
        is_team_here: services.team.is_anybody_here(site),
        is_open: hours.as_ref().map(|hours| hours.is_open(now)),
        opens_at: hours.and_then(|hours| hours.next_opening(now)),
        typical: median(times.collect()),
    })
}

/// Returns the median, which a handoff that waited over a weekend hardly changes.
fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort();
    (times.len() >= REPLIES_MIN).then(|| times[times.len() / 2])
}
