//! Permission checks without an operation.
//!
//! A request whose values GraphQL's types cannot carry never becomes an operation, but its caller must
//! still learn first that it lacks the permission (REST contract, decision 12). `rest-compat` asks here.
//! The rules are those of the use cases; this file only says which use case checks which permission.

use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_services::accounts::sites;
use helpbot_services::{Services, Viewer, sources, webhooks};

use super::caller::AdmittedCaller;
use super::execution::Gateway;
use crate::error::{self, ApiError};

/// Something that a viewer may be allowed to do on the site of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Ask questions, give feedback and request a handoff.
    Chat,
    /// Upload files. Which operation may use them depends on the plan too.
    Upload,
    /// Add, sync and delete sources.
    WriteSources,
    /// Create, change and delete webhooks.
    ManageWebhooks,
    /// Change the configuration of the widget.
    WriteConfig,
    /// Change the configuration of the widget and hide the branding.
    HideBranding,
}

impl Gateway {
    /// Checks that the caller has `permission`.
    ///
    /// # Errors
    /// `FORBIDDEN`, `PLAN_REQUIRED` or `NOT_FOUND`, as the operation itself would report them.
    pub async fn require(&self, caller: &AdmittedCaller, permission: Permission) -> Result<(), ApiError> {
        check(self.services(), &caller.viewer, permission).await.map_err(|error| {
            error::log(&error, &caller.request_id);
            ApiError::from(&error)
        })
    }
}

async fn check(services: &Services, viewer: &Viewer, permission: Permission) -> Result<(), helpbot_services::Error> {
    match permission {
        Permission::Chat => {
            viewer.require(Scope::Chat)?;
            viewer.site(None).map(drop)
        }
        Permission::Upload => viewer.require(Scope::WriteSources),
        Permission::WriteSources => sources::may_add(services, viewer, None).await,
        Permission::ManageWebhooks => webhooks::may_manage(services, viewer, None).await,
        Permission::WriteConfig => {
            viewer.require(Scope::WriteConfig)?;
            viewer.site(None).map(drop)
        }
        Permission::HideBranding => {
            viewer.require(Scope::WriteConfig)?;
            sites::require_feature(&sites::get(services, viewer, None).await?, Feature::RemoveBranding)
        }
    }
}
