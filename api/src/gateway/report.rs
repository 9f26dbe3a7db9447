//! What an operation cost and how far it came, told by the schema while it runs; and the place where
//! an event that was told to others already is not resolved again.
//!
//! async-graphql's response does not say whether it was executed (`data` is null for a document
//! that was refused as for a root field that failed), and the transports must know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::{Response, ServerError, ValidationResult};

use super::Telling;

/// How far one operation has come; request data, written by [`Report`].
#[derive(Debug, Default)]
pub(super) struct Progress {
    executed: AtomicBool,
    // One more than the complexity, so that zero says "not validated".
    validated: AtomicUsize,
}

impl Progress {
    /// Whether it was executed, that is, whether its response has data.
    pub(super) fn is_executed(&self) -> bool {
        self.executed.load(Ordering::Acquire)
    }

    /// The complexity, once the document was validated.
    pub(super) fn complexity(&self) -> Option<usize> {
        self.validated.load(Ordering::Acquire).checked_sub(1)
    }
}

/// The extension that writes [`Progress`].
pub(super) struct Report;

impl ExtensionFactory for Report {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Report)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Report {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if let Some(progress) = ctx.data_opt::<Arc<Progress>>() {
            progress.validated.store(result.complexity + 1, Ordering::Release);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(progress) = ctx.data_opt::<Arc<Progress>>() {
            progress.executed.store(true, Ordering::Release);
        }
        // Each event of a subscription is executed by itself.
        match ctx.data_opt::<Arc<Telling>>() {
            Some(telling) => telling.tell(next.run(ctx, operation_name)).await,
            None => next.run(ctx, operation_name).await,
        }
    }
}
