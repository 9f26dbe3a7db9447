//! The public interfaces, wired to the installation: GraphQL and the REST that maps onto it.

use async_graphql::{Data, Schema};
use axum::Router;
use helpbot_api::Gateway;
use helpbot_api::access::Access;
use helpbot_api::gateway::{GatewaySettings, TrustedDocuments};
use helpbot_api::limits::{Network, RateSettings};
use helpbot_api::schema::{Mutation, Query, Subscription};
use helpbot_api::transport::{self, TransportSettings};
use helpbot_services::Viewer;
use tokio_util::sync::CancellationToken;

use crate::error::StartError;
use crate::installation::Installation;

/// Fields inside fields; the standard introspection query needs 15.
const DEPTH: usize = 15;
/// Directives on one field.
const DIRECTIVES: usize = 50;

/// Where something in front of the server limits rates.
const NO_RATES: RateSettings = RateSettings { visitor: None, key: None, address: None, refused: None };

/// `/graphql`, `/graphql/stream` and everything under `/api`. Sockets end when `stop` is
/// cancelled.
pub(crate) fn api(installation: &Installation, stop: CancellationToken) -> Result<Router, StartError> {
    let gateway = gateway(installation)?;
    let graphql = transport::router(gateway.clone(), stop, TransportSettings::default());
    Ok(graphql.merge(helpbot_rest_compat::router(gateway)))
}

fn gateway(installation: &Installation) -> Result<Gateway, StartError> {
    let services = installation.services.clone();
    let settings = GatewaySettings {
        trusted_proxies: trusted_proxies(&installation.settings.trusted_proxies)?,
        rates: if installation.settings.has_rate_limits { RateSettings::default() } else { NO_RATES },
        ..GatewaySettings::default()
    };
    let schema = Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(DEPTH)
        .limit_directives(DIRECTIVES);
    let of_request = services.clone();
    let request_data = move |viewer: &Viewer| {
        let mut data = Data::default();
        data.insert(Access::new(of_request.clone(), viewer.clone()));
        data
    };
    Ok(Gateway::new(schema, services, request_data, TrustedDocuments::default(), settings))
}

fn trusted_proxies(entries: &[String]) -> Result<Vec<Network>, StartError> {
    let read = |entry: &String| entry.parse().map_err(|error| StartError::Setting(format!("trusted_proxies: {error}")));
    entries.iter().map(read).collect()
}
