//! An event that is resolved once for all subscriptions with the same selection.
//!
//! Ten thousand visitors of one site may have the same subscription. The first of them that reaches an
//! event resolves it; the others get the JSON of its result (docs/decisions/0011).

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use bytes::Bytes;

use super::ConversationEvent;
use crate::gateway::audience::Audience;
use crate::gateway::guard::shape::ResultShape;

/// A [`ConversationEvent`] and the audience that shares its result.
pub struct SharedEvent {
    pub(super) event: ConversationEvent,
    /// `None` when nothing is shared.
    pub(super) audience: Option<Arc<Audience>>,
}

impl OutputType for SharedEvent {
    fn type_name() -> Cow<'static, str> {
        <ConversationEvent as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        ConversationEvent::create_type_info(registry)
    }

    /// Returns the shared JSON as [`Value::Binary`], which the gateway writes into the response as it
    /// is. A result with errors is not shared and returned as it is.
    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(audience) = &self.audience else { return self.event.resolve(ctx, field).await };
        let json = audience.event_json(self.event.event.seq, async {
            let mut result = self.event.resolve(ctx, field).await;
            if let (Ok(value), Some(shape)) = (&mut result, ctx.data_opt::<Arc<ResultShape>>()) {
                shape.arrange_event(value);
            }
            match &result {
                Ok(value) if has_no_errors(ctx) => {
                    Ok(Bytes::from(serde_json::to_vec(value).expect("GraphQL values are JSON")))
                }
                _ => Err(result),
            }
        });
        match json.await {
            Ok(json) => Ok(Value::Binary(json)),
            Err(result) => result,
        }
    }
}

/// Whether no field of the event failed so far.
fn has_no_errors(ctx: &ContextSelectionSet<'_>) -> bool {
    ctx.query_env.errors.lock().is_ok_and(|errors| errors.is_empty())
}
