//! Business hours of a site, and what a visitor who asks for a human can expect.

use async_graphql::{Context, InputObject, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain::business_hours as rules;
use helpbot_domain::business_hours::{OpeningPeriod as Period, minutes, time_of_day};
use helpbot_domain::{Invalid, Timestamp};
use helpbot_services::accounts::business_hours;
use helpbot_services::conversations::expected_reply;

use crate::schema::access::Access;
use crate::schema::enums::Weekday;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::scalars::{DateTime, int};
use crate::schema::sites::Site;

/// The mutation of business hours.
#[derive(Default)]
pub struct BusinessHoursMutation;

/// Business hours of a site, in which its team is usually there. All times are local times of the time zone.
#[derive(OutputObject)]
pub struct BusinessHours {
    /// Name that the time zone has in the IANA database, for example `Europe/Berlin`.
    time_zone: String,
    /// Periods of a week in which the team is there, from Monday to Sunday.
    periods: Vec<OpeningPeriod>,
    /// Days on which the team is not there, in order, each written `YYYY-MM-DD`.
    holidays: Vec<String>,
    /// Whether it is within business hours now.
    is_open: bool,
    /// Time at which the next business hours begin. It is null within business hours, and when there are none in
    /// the next 400 days.
    next_opening_at: Option<DateTime>,
}

/// A period of a weekday in which the team is there.
#[derive(OutputObject)]
pub struct OpeningPeriod {
    /// Day of the week that the period belongs to, in local time.
    day: Weekday,
    /// Local time at which the period begins, written `HH:MM`.
    opens_at: String,
    /// Local time at which the period ends, written `HH:MM`, up to `24:00`.
    closes_at: String,
}

impl BusinessHours {
    /// The business hours as seen at `now`.
    pub(crate) fn at(hours: rules::BusinessHours, now: Timestamp) -> Self {
        let period = |period: &Period| OpeningPeriod {
            day: period.day.into(),
            opens_at: time_of_day(period.opens_at_min),
            closes_at: time_of_day(period.closes_at_min),
        };
        Self {
            is_open: hours.is_open(now),
            next_opening_at: hours.next_opening(now).map(DateTime::from),
            periods: hours.periods.iter().map(period).collect(),
            time_zone: hours.time_zone,
            holidays: hours.holidays,
        }
    }
}

/// Tells a visitor who asks for a human what to expect.
#[derive(OutputObject)]
pub struct ExpectedReply {
    /// Whether a member of the team follows the conversations of the site at the moment, on any server node. Behind a
    /// connection pooler in transaction mode, nodes do not know the members of other nodes.
    is_team_here: bool,
    /// Whether it is within business hours. It is null when the site has no business hours.
    is_open: Option<bool>,
    /// Time at which the next business hours begin. It is null within business hours, and when the site has none.
    opens_at: Option<DateTime>,
    /// Number of minutes until the first reply, which half of the last 50 visitors of 30 days waited at most. It is
    /// null when fewer than five of them received a reply.
    typical_minutes: Option<i32>,
}

impl From<expected_reply::ExpectedReply> for ExpectedReply {
    fn from(expected: expected_reply::ExpectedReply) -> Self {
        let minutes = |time: std::time::Duration| int(i64::try_from(time.as_secs().div_ceil(60)).unwrap_or(i64::MAX));
        Self {
            is_team_here: expected.is_team_here,
            is_open: expected.is_open,
            opens_at: expected.opens_at.map(DateTime::from),
            typical_minutes: expected.typical.map(minutes),
        }
    }
}

/// A period of a weekday in which the team is there.
#[derive(InputObject)]
pub struct OpeningPeriodInput {
    /// Day of the week that the period belongs to, in local time.
    day: Weekday,
    /// Local time at which the period begins, written `HH:MM`.
    opens_at: String,
    /// Local time at which the period ends, written `HH:MM`, later than `opensAt` and up to `24:00`. A period over
    /// midnight is written as two periods.
    closes_at: String,
}

/// Business hours that a site has.
#[derive(InputObject)]
pub struct BusinessHoursInput {
    /// Name that the time zone has in the IANA database, for example `Europe/Berlin`.
    time_zone: String,
    /// Periods of a week in which the team is there, at most 50. With an empty list, the team is never there.
    periods: Vec<OpeningPeriodInput>,
    /// Days on which the team is not there, each written `YYYY-MM-DD`, at most 400. By default there are no holidays.
    holidays: Option<Vec<String>>,
}

input! {
    /// Arguments that `updateBusinessHours` accepts.
    UpdateBusinessHoursInput {
        /// Business hours that replace the earlier ones. Null or an absent field removes them.
        business_hours: Option<BusinessHoursInput>,
    }
}

payload! {
    /// Result that `updateBusinessHours` returns.
    UpdateBusinessHoursPayload {
        /// The site with its business hours. It is null when the mutation failed.
        site: Option<Site>,
    }
}

#[Object]
impl BusinessHoursMutation {
    /// Sets or removes the business hours of a site. Requires the `WRITE_CONFIG` scope. Fails with `BAD_USER_INPUT` for an
    /// unknown time zone, an invalid period or an invalid holiday.
    async fn update_business_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateBusinessHoursInput,
    ) -> Result<UpdateBusinessHoursPayload> {
        let access = Access::of(ctx);
        let (site, hours) = (input.site(), input.business_hours.map(checked));
        let changed = business_hours::set(&access.services, &access.viewer, site, hours).await;
        finish(changed, |row| UpdateBusinessHoursPayload {
            site: Some(Site { row, access: access.clone() }),
            ..Default::default()
        })
    }
}

/// The business hours of an input. Errors name its fields.
fn checked(input: BusinessHoursInput) -> Result<rules::BusinessHours, Invalid> {
    let period = |period: OpeningPeriodInput| {
        Ok(Period {
            day: period.day.into(),
            opens_at_min: minutes("periods", &period.opens_at)?,
            closes_at_min: minutes("periods", &period.closes_at)?,
        })
    };
    let periods = input.periods.into_iter().map(period).collect::<Result<Vec<_>, Invalid>>()?;
    rules::BusinessHours::checked(&input.time_zone, periods, &input.holidays.unwrap_or_default())
}
