//! Serves all routes in the same way.
//!
//! Checks are made in the order of the contract: a body that is too large or not JSON, then everything
//! that the gateway rejects (key, rate limit, permission, plan, values, absence). A key in the header or
//! the query string is checked before the body is read, so that only a valid key can make the server wait
//! for a body; a body that may contain the key has the same limits.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use helpbot_api::transport::response_headers::write_allowance;
use helpbot_api::transport::served;
use helpbot_api::{AdmittedCaller, ApiError, Gateway, StoredOperation};
use serde::Deserialize;
use serde_json::Value;

use crate::answer_cache::AnswerCache;
use crate::endpoint::{BASE, Caching, Endpoint, EndpointVisitor};
use crate::error::RestError;
use crate::request::{Incoming, IncomingHead};
use crate::respond::{self, CacheableAnswer};

/// Adds the routes to a router.
pub(crate) struct RouteBuilder {
    gateway: Gateway,
    /// The routes that were added.
    pub router: Router,
}

impl RouteBuilder {
    /// Creates a builder without routes.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway, router: Router::new() }
    }
}

impl EndpointVisitor for RouteBuilder {
    fn visit<E: Endpoint>(&mut self) {
        let (name, text) = E::OPERATION;
        let operation = StoredOperation::parse(name, text).expect("stored operations can be parsed, as a test shows");
        let route = Arc::new(Route { gateway: self.gateway.clone(), operation, cache: AnswerCache::default() });
        let filter = MethodFilter::try_from(E::METHOD).expect("the contract uses only standard methods");
        let handler = async move |request: Request| serve::<E>(&route, request).await;
        let path = format!("{BASE}{}", E::PATH);
        let router = std::mem::take(&mut self.router);
        self.router = router.route(&path, on(filter, handler.clone())).route(&format!("{path}/"), on(filter, handler));
    }
}

struct Route {
    gateway: Gateway,
    operation: StoredOperation,
    cache: AnswerCache,
}

/// The data of every stored operation, whose root field has an alias.
#[derive(Deserialize)]
struct RootField<T> {
    result: Option<T>,
}

/// Serves one request.
async fn serve<E: Endpoint>(route: &Route, request: Request) -> Response {
    let (incoming, caller) = match admit::<E>(&route.gateway, request).await {
        Ok(admitted) => admitted,
        Err(error) => return error.into_response(),
    };
    let answer = match E::CACHING {
        _ if caller.viewer.site_id.is_none() => Err(no_site()),
        Caching::NoStore => answer::<E>(route, &incoming, &caller).await,
        Caching::Minute => cacheable_answer::<E>(route, &incoming, &caller).await,
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    write_allowance(response.headers_mut(), caller.allowance);
    served::note(&mut response, Some(route.operation.name().into()), caller.viewer.site_id);
    response
}

async fn admit<E: Endpoint>(gateway: &Gateway, request: Request) -> Result<(Incoming, AdmittedCaller), RestError> {
    let head = IncomingHead::read(gateway, &request);
    if let Some(caller) = head.caller_with_key() {
        let admitted = gateway.admit(caller).await.map_err(E::error)?;
        return Ok((head.with_body(request).await?, admitted));
    }
    let incoming = head.with_body(request).await?;
    let admitted = gateway.admit(&incoming.caller).await.map_err(E::error)?;
    Ok((incoming, admitted))
}

async fn answer<E: Endpoint>(
    route: &Route,
    incoming: &Incoming,
    caller: &AdmittedCaller,
) -> Result<Response, RestError> {
    let request: E::Request = incoming.parse()?;
    let variables = match E::variables(&request) {
        Ok(variables) => variables,
        Err(invalid) => {
            route.gateway.require(caller, invalid.permission).await.map_err(E::error)?;
            return Err(RestError::bad_request(invalid.message));
        }
    };
    let mut data = parse::<E>(route.gateway.run(&route.operation, variables, caller).await)?;
    while let Some(variables) = E::next_page(&data) {
        let page = parse::<E>(route.gateway.run(&route.operation, variables, caller).await)?;
        E::append(&mut data, page);
    }
    let credits = E::credits(&data);
    let mut response = respond::json(&E::answer(&request, data))?;
    respond::write_credits(response.headers_mut(), credits);
    Ok(response)
}

/// An answer that depends only on the key and the settings of its site is computed once while these
/// stay the same.
async fn cacheable_answer<E: Endpoint>(
    route: &Route,
    incoming: &Incoming,
    caller: &AdmittedCaller,
) -> Result<Response, RestError> {
    let snapshot = route.gateway.settings_snapshot(&caller.viewer).await;
    let request: E::Request = incoming.parse()?;
    let variant = E::variant(&request);
    if let Some(answer) = snapshot.as_ref().and_then(|snapshot| route.cache.get(snapshot, &variant)) {
        return Ok(answer.into_response(incoming.if_none_match.as_ref()));
    }
    let variables = E::variables(&request).map_err(|invalid| RestError::bad_request(invalid.message))?;
    let data = parse::<E>(route.gateway.run(&route.operation, variables, caller).await)?;
    let answer = CacheableAnswer::new(&E::answer(&request, data))?;
    if let Some(snapshot) = snapshot {
        route.cache.put(snapshot, variant, answer.clone());
    }
    Ok(answer.into_response(incoming.if_none_match.as_ref()))
}

fn parse<E: Endpoint>(result: Result<Value, ApiError>) -> Result<E::Data, RestError> {
    let data = result.map_err(E::error)?;
    let root = serde_json::from_value::<RootField<E::Data>>(data).map_err(|error| {
        tracing::error!(%error, operation = E::OPERATION.0, "a stored operation returned data of an unexpected shape");
        RestError::internal()
    })?;
    root.result.ok_or_else(no_site)
}

/// The key of an operator belongs to no site, and REST has no parameter for one.
fn no_site() -> RestError {
    RestError::forbidden("This key does not belong to a site")
}
