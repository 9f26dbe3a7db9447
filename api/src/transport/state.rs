//! The state that all transports share.

use super::connection_slots::ConnectionSlots;
use super::connections::Connections;
use super::settings::TransportSettings;
use super::upload_slots::UploadSlots;
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
}
