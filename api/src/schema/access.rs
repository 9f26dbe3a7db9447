//! What resolvers work with: the use cases, who is asking, and the loaders of this request.
//!
//! Objects carry it, so that what belongs to one event of a subscription is loaded for that
//! event: a subscription lives long, and a cache of its first event would be stale at its second.

use std::sync::Arc;

use async_graphql::Context;
use helpbot_services::{Services, Viewer};

use crate::schema::loaders::Loaders;

/// The use cases as one viewer sees them, for one request or one event.
#[derive(Clone)]
pub struct Access {
    /// The use cases.
    pub services: Services,
    /// Who is asking.
    pub viewer: Arc<Viewer>,
    /// Batches and remembers what this request loads.
    pub loaders: Arc<Loaders>,
}

impl Access {
    /// For a new request of `viewer`.
    pub fn new(services: Services, viewer: Viewer) -> Self {
        let viewer = Arc::new(viewer);
        let loaders = Arc::new(Loaders::new(&services, &viewer));
        Self { services, viewer, loaders }
    }

    /// With loaders that remember nothing.
    pub fn fresh(&self) -> Self {
        let loaders = Arc::new(Loaders::new(&self.services, &self.viewer));
        Self { loaders, ..self.clone() }
    }

    /// That of the request being resolved.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<Self>()
    }
}
