//! An async-graphql extension that adds `extensions.cost` to every response that was executed.
//!
//! async-graphql's response does not say whether it was executed: `data` is null for a document that
//! was rejected as well as for a root field that failed. The transports must know the difference, and
//! this extension sees it: its `execute` runs only after validation succeeded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::{Response, ServerError, ValidationResult, value};

const COST: &str = "cost";

/// Creates the extension for each request.
pub(super) struct CostReport {
    /// Maximum complexity of an operation.
    pub limit: usize,
}

impl ExtensionFactory for CostReport {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(RequestCost { limit: self.limit, complexity: AtomicUsize::new(0) })
    }
}

/// Whether the response is the result of an execution.
pub(super) fn is_executed(response: &Response) -> bool {
    response.extensions.contains_key(COST)
}

/// Removes the cost from an event of a subscription: it is the same for every event.
pub(super) fn remove(response: &mut Response) {
    response.extensions.remove(COST);
}

struct RequestCost {
    limit: usize,
    complexity: AtomicUsize,
}

#[async_graphql::async_trait::async_trait]
impl Extension for RequestCost {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        self.complexity.store(result.complexity, Ordering::Release);
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let response = next.run(ctx, operation_name).await;
        let complexity = self.complexity.load(Ordering::Acquire);
        response.extension(COST, value!({ "complexity": complexity, "limit": self.limit }))
    }
}
