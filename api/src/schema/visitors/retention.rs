//! How long the data of a site is kept: the settings, and the mutation that changes them.

use async_graphql::{Context, MaybeUndefined, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_services as services;
use helpbot_services::conversations::retention::{self, RetentionPatch};

use crate::schema::access::Access;
use crate::schema::mutation::{changed_number, finish, input, payload};
use crate::schema::scalars::int;

/// After how many days the data of a site is deleted. The server deletes old data every hour, in small parts.
/// Statistics are kept.
#[derive(OutputObject)]
pub struct DataRetention {
    /// Days since the last change of a conversation after which it is deleted with its messages and notes. It is
    /// null when conversations are kept.
    conversation_days: Option<i32>,
    /// Days after which events are deleted. It is null when the owner has set no number.
    event_days: Option<i32>,
    /// Days after which webhook deliveries are deleted, also those that were not delivered. It is null when the owner
    /// has set no number.
    delivery_days: Option<i32>,
    /// Days after which events are really deleted: the smallest of `eventDays`, `conversationDays` and the setting
    /// `event_retention_days` of the installation, which defaults to 90.
    event_days_in_effect: i32,
    /// Days after which webhook deliveries are really deleted: the smallest of `deliveryDays`, `conversationDays` and
    /// the setting `event_retention_days` of the installation.
    delivery_days_in_effect: i32,
}

impl DataRetention {
    /// The settings of a site.
    pub(crate) fn of(access: &Access, site: &domain::site::Site) -> services::Result<Self> {
        access.viewer.require(domain::key::Scope::Admin)?;
        let (set, installation) = (site.retention, retention::installation_days(&access.services));
        Ok(Self {
            conversation_days: set.conversation_days.map(int),
            event_days: set.event_days.map(int),
            delivery_days: set.delivery_days.map(int),
            event_days_in_effect: int(set.event_days_in_effect(installation)),
            delivery_days_in_effect: int(set.delivery_days_in_effect(installation)),
        })
    }
}

/// The mutation that changes how long data is kept.
#[derive(Default)]
pub struct RetentionMutation;

input! {
    /// Arguments that `updateDataRetention` accepts. Fields that are absent stay unchanged, and null removes a
    /// number.
    UpdateDataRetentionInput {
        /// Days since the last change of a conversation after which it is deleted, 1 to 3,650. Null keeps
        /// conversations. It stays unchanged when it is absent.
        conversation_days: MaybeUndefined<i32>,
        /// Days after which events are deleted, 1 to 3,650. Null means the setting of the installation. It stays
        /// unchanged when it is absent.
        event_days: MaybeUndefined<i32>,
        /// Days after which webhook deliveries are deleted, 1 to 3,650. Null means the setting of the
        /// installation. It stays unchanged when it is absent.
        delivery_days: MaybeUndefined<i32>,
    }
}

payload! {
    /// Result that `updateDataRetention` returns.
    UpdateDataRetentionPayload {
        /// The settings after the change. They are null when the mutation failed.
        data_retention: Option<DataRetention>,
    }
}

#[Object]
impl RetentionMutation {
    /// Changes after how many days the data of a site is deleted. A change takes effect after one hour, so that a
    /// mistake can be corrected; what was deleted cannot be restored. Requires the `ADMIN` scope. Fails with
    /// `BAD_USER_INPUT` for a number that is out of range.
    async fn update_data_retention(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateDataRetentionInput,
    ) -> Result<UpdateDataRetentionPayload> {
        let access = Access::of(ctx);
        let patch = RetentionPatch {
            conversation_days: changed_number(&input.conversation_days),
            event_days: changed_number(&input.event_days),
            delivery_days: changed_number(&input.delivery_days),
        };
        let updated = retention::update(&access.services, &access.viewer, input.site(), patch).await;
        let changed = updated.and_then(|site| DataRetention::of(access, &site));
        finish(changed, |set| UpdateDataRetentionPayload { data_retention: Some(set), ..Default::default() })
    }
}
