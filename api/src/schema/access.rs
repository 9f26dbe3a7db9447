//! What every resolver needs: the use cases, the viewer, and the loaders of this request.
//!
//! The gateway puts an [`Access`] into each request. Objects keep a copy of it, because each event
//! of a subscription needs its own: a subscription stays open for hours, and values that were
//! loaded for the first event would be outdated for the second one.

use std::sync::Arc;

use async_graphql::Context;
use helpbot_services::{Services, Viewer};

use crate::schema::loaders::Loaders;

/// The use cases as one viewer may use them, for one request or one event.
#[derive(Clone)]
pub struct Access {
    /// The use cases of the installation.
    pub services: Services,
    /// The identity that the request acts as.
    pub viewer: Arc<Viewer>,
    /// Batch and cache what this request loads.
    pub loaders: Arc<Loaders>,
}

impl Access {
    /// Access for a new request of `viewer`.
    pub fn new(services: Services, viewer: Viewer) -> Self {
        let viewer = Arc::new(viewer);
        let loaders = Arc::new(Loaders::new(&services, &viewer));
        Self { services, viewer, loaders }
    }

    /// The same access with empty loaders.
    pub fn fresh(&self) -> Self {
        let loaders = Arc::new(Loaders::new(&self.services, &self.viewer));
        Self { loaders, ..self.clone() }
    }

    /// The access of the request that is being resolved.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<Self>()
    }
}
