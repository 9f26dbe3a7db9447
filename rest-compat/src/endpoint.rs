//! The definition of a route. Each file of routes implements [`Endpoint`]; [`serve`](crate::serve) and
//! [`openapi`](crate::openapi) read it.

use axum::http::Method;
use helpbot_api::{ApiError, Permission};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::RestError;

/// The path below which all routes are.
pub(crate) const BASE: &str = "/api/v1";

/// A route of the contract.
pub(crate) trait Endpoint: Sized + 'static {
    /// The method. GET and DELETE read their input from the query string, POST and PATCH from the body.
    const METHOD: Method;
    /// The path below [`BASE`].
    const PATH: &'static str;
    /// The name of the stored operation, and its text. The root field has the alias `result`.
    const OPERATION: (&'static str, &'static str);
    /// Texts for the OpenAPI document.
    const DOC: EndpointDoc;
    /// Whether clients may cache the answer.
    const CACHING: Caching = Caching::NoStore;
    /// Whether the answer carries the headers with the credits of the month.
    const CREDIT_HEADERS: CreditHeaders = CreditHeaders::Absent;
    /// The input. A value of the wrong type counts as absent.
    type Request: DeserializeOwned + ToSchema + Send + Sync;
    /// What the operation returns under `result`.
    type Data: DeserializeOwned + Send;
    /// The documented JSON.
    type Answer: Serialize + ToSchema;

    /// The variables of the operation.
    ///
    /// # Errors
    /// `InvalidInput` for a value that GraphQL's types cannot carry.
    fn variables(request: &Self::Request) -> Result<Value, InvalidInput>;

    /// Shapes the documented JSON.
    fn answer(request: &Self::Request, data: Self::Data) -> Self::Answer;

    /// What the answer depends on beside the key and the settings of its site. Only for [`Caching::Minute`].
    fn variant(_request: &Self::Request) -> String {
        String::new()
    }

    /// The variables for the page after `data`, for lists that REST returns as a whole.
    fn next_page(_data: &Self::Data) -> Option<Value> {
        None
    }

    /// Adds a page that [`Endpoint::next_page`] requested.
    fn append(_data: &mut Self::Data, _page: Self::Data) {}

    /// The credits of the month, if [`Endpoint::CREDIT_HEADERS`] are present.
    fn credits(_data: &Self::Data) -> Option<CreditBalance> {
        None
    }

    /// Converts an error of the gateway to the one that this route documents.
    fn error(error: ApiError) -> RestError {
        error.into()
    }
}

/// An input that cannot become variables of the operation, because GraphQL's types cannot carry it.
///
/// The contract puts 401 and 403 before 400. The route therefore checks the permission that the
/// operation would check first, and only then reports the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidInput {
    /// The permission that the operation requires.
    pub permission: Permission,
    /// A sentence that describes the error.
    pub message: String,
}

impl InvalidInput {
    /// Creates the error.
    pub fn new(permission: Permission, message: impl Into<String>) -> Self {
        Self { permission, message: message.into() }
    }
}

/// Whether an answer carries the headers with the credits of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreditHeaders {
    /// The answer does not carry them.
    Absent,
    /// The answer carries the limit and the remaining credits.
    Present,
}

/// The contract has no null for a site without a limit: it says this number.
const UNLIMITED: i64 = 2_147_483_647;

/// The credits of the month, as GraphQL returns them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct CreditBalance {
    /// Number of questions that the site has asked in this month.
    pub used: i64,
    limit: Option<i64>,
    remaining: Option<i64>,
}

impl CreditBalance {
    /// Number of questions that the site may ask in this month.
    pub(crate) fn limit(&self) -> i64 {
        self.limit.unwrap_or(UNLIMITED)
    }

    /// Number of questions that remain.
    pub(crate) fn remaining(&self) -> i64 {
        self.remaining.unwrap_or(UNLIMITED - self.used)
    }
}

/// Whether clients may cache an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Clients may not store the answer.
    NoStore,
    /// Browsers may use the answer for a minute, and then revalidate it with its entity tag. Only for
    /// answers that depend on nothing but the key, the settings of its site and [`Endpoint::variant`].
    Minute,
}

/// Texts of a route for the OpenAPI document.
pub(crate) struct EndpointDoc {
    /// The group of the route.
    pub tag: &'static str,
    /// The `operationId`.
    pub id: &'static str,
    /// A title.
    pub summary: &'static str,
    /// A description in sentences.
    pub description: &'static str,
    /// The meaning of status 200.
    pub success: &'static str,
    /// Statuses that only this route returns, or that have a special meaning here.
    pub errors: &'static [(u16, &'static str)],
}

/// Something that visits every route.
pub(crate) trait EndpointVisitor {
    /// Visits one route.
    fn visit<E: Endpoint>(&mut self);
}
