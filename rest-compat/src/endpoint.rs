//! What a route is, and the one way in which each of them is served.
//!
//! The order of checks is the contract's: a body that is too large or not JSON, then whatever
//! the gateway refuses (key, right, plan, value, absence, rate). Values that GraphQL's types
//! cannot carry must not be refused before the key is looked at; see [`Variables::misfit`].

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use helpbot_api::limits::Standing;
use helpbot_api::{Caller, Failure, Gateway, Operation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::Refusal;
use crate::kept::Kept;
use crate::request::Incoming;
use crate::respond::Reusable;
use crate::{BASE, respond};

/// A route of the contract.
pub(crate) trait Endpoint: Sized + 'static {
    /// GET and DELETE are read from the query, POST and PATCH from the body.
    const METHOD: Method;
    /// Below [`BASE`].
    const PATH: &'static str;
    /// The name of the stored operation, and its text. The root field is called `result`.
    const OPERATION: (&'static str, &'static str);
    /// What the OpenAPI document says beside the types.
    const DOC: Doc;
    /// How long the answer may be reused.
    const CACHING: Caching = Caching::NoStore;
    /// Whether headers tell the month's credits.
    const CREDITS: Credits = Credits::Untold;
    /// What the caller sends; a value of a wrong type counts as absent.
    type Request: DeserializeOwned + ToSchema + Send + Sync;
    /// What the operation gives under `result`.
    type Data: DeserializeOwned + Send;
    /// What the caller gets.
    type Answer: Serialize + ToSchema;

    /// The operation's variables.
    fn variables(request: &Self::Request) -> Variables;

    /// The documented JSON.
    fn answer(request: &Self::Request, data: Self::Data) -> Self::Answer;

    /// The variables of the page after `data`, for lists that REST gives in one piece.
    fn next_page(_data: &Self::Data) -> Option<Value> {
        None
    }

    /// Adds a page that was asked for by [`Endpoint::next_page`].
    fn append(_data: &mut Self::Data, _page: Self::Data) {}

    /// The month's credits, where [`Endpoint::CREDITS`] says that they are told.
    fn credits(_data: &Self::Data) -> Option<CreditsLeft> {
        None
    }

    /// A failure of the gateway as this route documents it.
    fn refuse(failure: Failure) -> Refusal {
        failure.into()
    }
}

/// Whether headers tell the month's credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credits {
    /// They don't.
    Untold,
    /// Of so many, so many are left.
    Told,
}

/// The month's credits, as headers tell them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct CreditsLeft {
    /// Questions that the month may have.
    pub limit: i64,
    /// Questions left.
    pub remaining: i64,
}

/// How long an answer may be reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Not at all.
    NoStore,
    /// By the browser, for a minute; then asked again with its entity tag. Of answers that rest on
    /// the key and the settings of its site alone, whatever is sent with them.
    Minute,
}

/// Prose of a route for the OpenAPI document.
pub(crate) struct Doc {
    /// The family.
    pub tag: &'static str,
    /// The `operationId`.
    pub id: &'static str,
    /// A line.
    pub summary: &'static str,
    /// Some sentences.
    pub description: &'static str,
    /// What 200 means.
    pub success: &'static str,
    /// Statuses of this route beside those that each can give, with their meaning.
    pub errors: &'static [(u16, &'static str)],
}

/// The variables of an operation.
pub(crate) struct Variables {
    values: Value,
    misfit: Option<String>,
}

impl Variables {
    /// Variables that the use case is certain to refuse, in place of a value that GraphQL's
    /// types cannot carry, with what REST says about that value. So 401 and 403 are decided
    /// where they always are, and before the 400, without a rule being told twice.
    pub fn misfit(values: Value, message: impl Into<String>) -> Self {
        Self { values, misfit: Some(message.into()) }
    }

    /// The values and, if one did not fit, what is said about it.
    #[cfg(test)]
    pub fn parts(self) -> (Value, Option<String>) {
        (self.values, self.misfit)
    }
}

impl From<Value> for Variables {
    fn from(values: Value) -> Self {
        Self { values, misfit: None }
    }
}

/// Something that looks at each route in turn.
pub(crate) trait Visitor {
    /// Looks at one.
    fn visit<E: Endpoint>(&mut self);
}

/// Puts the routes into a router.
pub(crate) struct Mount {
    gateway: Gateway,
    /// The routes so far.
    pub router: Router,
}

impl Mount {
    /// No routes yet.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway, router: Router::new() }
    }
}

impl Visitor for Mount {
    fn visit<E: Endpoint>(&mut self) {
        let (name, text) = E::OPERATION;
        let operation = Operation::parse(name, text).expect("the stored operations parse, as a test shows");
        let stored = Arc::new(Stored { gateway: self.gateway.clone(), operation, kept: Kept::default() });
        let filter = MethodFilter::try_from(E::METHOD).expect("the contract's methods are the usual ones");
        let handler = async move |request: Request| {
            let mut standing = None;
            let answer = stored.serve::<E>(request, &mut standing).await;
            let mut response = answer.unwrap_or_else(IntoResponse::into_response);
            respond::tell_standing(response.headers_mut(), standing);
            response
        };
        let path = format!("{BASE}{}", E::PATH);
        let router = std::mem::take(&mut self.router);
        self.router = router.route(&path, on(filter, handler.clone())).route(&format!("{path}/"), on(filter, handler));
    }
}

struct Stored {
    gateway: Gateway,
    operation: Operation,
    kept: Kept,
}

/// The answer to each stored operation, whose root field is aliased.
#[derive(Deserialize)]
struct Root<T> {
    result: Option<T>,
}

impl Stored {
    async fn serve<E: Endpoint>(&self, request: Request, standing: &mut Option<Standing>) -> Result<Response, Refusal> {
        let incoming = Incoming::read(&self.gateway, request).await?;
        let asked: E::Request = incoming.parse()?;
        if E::CACHING == Caching::Minute {
            return self.serve_kept::<E>(&incoming, &asked, standing).await;
        }
        let Variables { values, misfit } = E::variables(&asked);
        let found = self.run::<E>(values, &incoming.caller, standing).await;
        let mut data = match misfit {
            Some(message) => return Err(refused_misfit::<E>(found, message)),
            None => found?,
        };
        while let Some(values) = E::next_page(&data) {
            E::append(&mut data, self.run::<E>(values, &incoming.caller, standing).await?);
        }
        let credits = E::credits(&data);
        let mut response = respond::json(&E::answer(&asked, data))?;
        respond::tell_credits(response.headers_mut(), credits);
        Ok(response)
    }

    /// An answer that rests on the key and the settings of its site alone is made once for as long
    /// as these are the same.
    async fn serve_kept<E: Endpoint>(
        &self,
        incoming: &Incoming,
        asked: &E::Request,
        standing: &mut Option<Standing>,
    ) -> Result<Response, Refusal> {
        let viewer = self.gateway.enter(&incoming.caller, standing).await.map_err(E::refuse)?;
        let ground = self.gateway.ground(&viewer).await;
        if let Some(answer) = ground.as_ref().and_then(|ground| self.kept.get(ground)) {
            return Ok(answer.response(incoming.if_none_match.as_ref()));
        }
        let Variables { values, .. } = E::variables(asked);
        let data = Self::data::<E>(self.gateway.run_as(viewer, &self.operation, values, &incoming.caller).await)?;
        let answer = Reusable::new(&E::answer(asked, data))?;
        if let Some(ground) = ground {
            self.kept.put(ground, answer.clone());
        }
        Ok(answer.response(incoming.if_none_match.as_ref()))
    }

    async fn run<E: Endpoint>(
        &self,
        variables: Value,
        caller: &Caller,
        standing: &mut Option<Standing>,
    ) -> Result<E::Data, Refusal> {
        Self::data::<E>(self.gateway.run(&self.operation, variables, caller, standing).await)
    }

    fn data<E: Endpoint>(ran: Result<Value, Failure>) -> Result<E::Data, Refusal> {
        let data = ran.map_err(E::refuse)?;
        let root = serde_json::from_value::<Root<E::Data>>(data).map_err(|error| {
            tracing::error!(%error, operation = E::OPERATION.0, "a stored operation gave data of another shape");
            Refusal::internal()
        })?;
        // An operator's key opens no site of its own, and REST has no way to name one.
        root.result.ok_or_else(|| Refusal::forbidden("This key does not belong to a site"))
    }
}

/// What is answered to a value that did not fit: the use case's own refusal where that comes
/// first, else `message`.
fn refused_misfit<E: Endpoint>(found: Result<E::Data, Refusal>, message: String) -> Refusal {
    match found {
        Err(refusal) if !refusal.is_about_values() => refusal,
        Err(_) => Refusal::bad_request(message),
        Ok(_) => {
            tracing::error!(operation = E::OPERATION.0, "a value that had to be refused was taken");
            Refusal::internal()
        }
    }
}
