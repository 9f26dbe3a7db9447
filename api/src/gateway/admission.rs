//! Admission: from the credentials of a request to a viewer whose operation was counted against its
//! rate limit.

use async_graphql::parser::types::OperationType;
use axum::http::{Extensions, HeaderMap};
use helpbot_domain::key::KeyKind;
use helpbot_domain::limit::LimitKind;
use helpbot_services::Viewer;
use helpbot_services::accounts::{access, limit_notices};

use super::caller::{AdmittedCaller, Caller};
use super::execution::Gateway;
use super::request::PreparedOperation;
use crate::error::{self, ApiError, ErrorCode};
use crate::limits::allowance::RateAllowance;
use crate::limits::{MAX_MUTATIONS, MAX_WIDGET_MUTATIONS};

impl Gateway {
    /// Reads the caller from the headers of a request.
    pub fn caller(&self, headers: &HeaderMap, extensions: &Extensions) -> Caller {
        Caller::read(headers, extensions, &self.settings().trusted_proxies)
    }

    /// Authenticates the caller and counts one operation against its rate limit.
    ///
    /// # Errors
    /// The errors of [`Gateway::authenticate`] and [`Gateway::count_operation`].
    pub async fn admit(&self, caller: &Caller) -> Result<AdmittedCaller, ApiError> {
        let viewer = self.authenticate(caller).await?;
        let allowance = self.count_operation(&viewer, caller).await?;
        Ok(caller.admitted(viewer, allowance))
    }

    /// Returns the identity that the caller's credentials prove.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for invalid credentials; `RATE_LIMITED` when the address sent too many of
    /// them; `UNAVAILABLE` and `INTERNAL` when the credentials cannot be checked.
    pub async fn authenticate(&self, caller: &Caller) -> Result<Viewer, ApiError> {
        match access::authenticate(self.services(), &caller.credentials).await {
            Ok(viewer) => Ok(viewer),
            Err(rejected) => {
                if matches!(rejected, helpbot_services::Error::Unauthenticated(_)) {
                    self.count_without_key(caller).await?;
                }
                error::log(&rejected, &caller.request_id);
                let error = ApiError::from(&rejected);
                self.measures().rejected(&error);
                Err(error)
            }
        }
    }

    /// Counts a request that carries no key, like rejected credentials.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the address sent too many of them.
    pub async fn count_without_key(&self, caller: &Caller) -> Result<(), ApiError> {
        let counted = self.rates().rejected(caller.peer).await.map_err(ApiError::from);
        counted.inspect_err(|error| self.measures().rejected(error))
    }

    /// Checks and counts what an operation does beyond the one operation that was counted on admission.
    ///
    /// # Errors
    /// `COMPLEXITY_LIMIT` for a mutation with more root fields than the kind of key allows; `RATE_LIMITED`
    /// when a limit is used up.
    pub(super) async fn charge(&self, operation: &PreparedOperation, caller: &AdmittedCaller) -> Result<(), ApiError> {
        if operation.operation_type() == OperationType::Query {
            return Ok(());
        }
        let work = operation.work();
        let limit = match caller.viewer.kind {
            KeyKind::Widget => MAX_WIDGET_MUTATIONS,
            KeyKind::Secret | KeyKind::Member | KeyKind::SignIn | KeyKind::Operator | KeyKind::Legacy => MAX_MUTATIONS,
        };
        if work.mutations > limit {
            let message = format!("A mutation with this kind of key can have at most {limit} root fields.");
            return Err(ApiError::new(ErrorCode::ComplexityLimit, message));
        }
        self.rates().work(&caller.viewer, caller.peer, work).await.map_err(|exceeded| {
            if let (KeyKind::Widget, Some(site), 1..) = (caller.viewer.kind, caller.viewer.site_id, work.questions) {
                let services = self.services().clone();
                // In its own task: the refusal does not wait for the database.
                tokio::spawn(async move { limit_notices::notify(&services, site, LimitKind::QuestionRate).await });
            }
            ApiError::from(exceeded)
        })
    }

    /// Counts one operation of `viewer`. Returns what remains of its rate limit, if it has one.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the limit is used up.
    pub async fn count_operation(&self, viewer: &Viewer, caller: &Caller) -> Result<Option<RateAllowance>, ApiError> {
        let counted = self.rates().operation(viewer, caller.peer).await;
        counted.map_err(ApiError::from).inspect_err(|error| self.measures().rejected(error))
    }
}
