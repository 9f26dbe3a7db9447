//! The state that all transports share.

use axum::http::header;
use axum::http::request::Parts;

use super::connection_slots::ConnectionSlots;
use super::connections::Connections;
use super::key_source;
use super::settings::TransportSettings;
use super::upload_slots::UploadSlots;
use crate::error::ApiError;
use crate::gateway::caller::Caller;
use crate::gateway::execution::Gateway;

/// The state that all transports share.
pub(super) struct Transport {
    pub gateway: Gateway,
    pub settings: TransportSettings,
    pub connection_slots: ConnectionSlots,
    pub upload_slots: UploadSlots,
    pub connections: Connections,
}

impl Transport {
    pub fn new(gateway: Gateway, connections: Connections, settings: TransportSettings) -> Self {
        let connection_slots = ConnectionSlots::new(gateway.services().clone(), &settings);
        let upload_slots = UploadSlots::new(&settings.uploads);
        Self { gateway, settings, connection_slots, upload_slots, connections }
    }

    /// Reads the caller of a GraphQL request. Its key comes from a header, and never from the URL.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for a key in the URL, which proxies and browsers store.
    pub fn caller(&self, head: &Parts) -> Result<Caller, ApiError> {
        let mut caller = self.gateway.caller(&head.headers, &head.extensions);
        // A socket sends its key later, in `connection_init`.
        let is_key_elsewhere = caller.credentials.key.is_some() || head.headers.contains_key(header::UPGRADE);
        key_source::check_url(&head.uri, is_key_elsewhere)?;
        let own_origin = self.settings.own_origin.as_deref();
        caller.credentials.is_from_other_site = key_source::is_from_other_site(&head.headers, &head.uri, own_origin);
        Ok(caller)
    }
}
