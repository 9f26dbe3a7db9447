//! The list of all routes, for the router and the OpenAPI document.

use crate::endpoint::EndpointVisitor;
use crate::{analytics, chat, config, conversations, sources, webhooks};

/// Visits all routes in the order of the reference page.
pub(crate) fn for_each_endpoint(visitor: &mut impl EndpointVisitor) {
    visitor.visit::<chat::Chat>();
    visitor.visit::<chat::SubmitFeedback>();
    visitor.visit::<chat::RequestHandoff>();
    visitor.visit::<sources::ListSources>();
    visitor.visit::<sources::AddSource>();
    visitor.visit::<sources::DeleteSource>();
    visitor.visit::<sources::RescrapeSource>();
    visitor.visit::<config::ReadConfig>();
    visitor.visit::<config::UpdateConfig>();
    visitor.visit::<analytics::ReadAnalyticsOverview>();
    visitor.visit::<analytics::ReadAnalyticsActivity>();
    visitor.visit::<conversations::ListConversations>();
    visitor.visit::<webhooks::ListWebhooks>();
    visitor.visit::<webhooks::CreateWebhook>();
    visitor.visit::<webhooks::DeleteWebhook>();
}
