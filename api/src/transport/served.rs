//! What a response is about, for the line that the server logs about its request. The server cannot know it: the
//! site follows from the key, and the operation from the body.

use std::borrow::Cow;

use axum::response::Response;
use helpbot_domain::ids::SiteId;

/// Maximum length of the name of an operation in the log. A client chooses the name.
const NAME_CHARS: usize = 64;

/// In the extensions of a response: the operation and the site.
#[derive(Debug, Clone)]
pub struct Served {
    /// Name of the operation, or its first root field when it has none. `None` when the request was refused before
    /// its operation was known.
    pub operation: Option<Cow<'static, str>>,
    /// The site of the API key. `None` for the key of an operator.
    pub site: Option<SiteId>,
}

/// Notes what a response is about, unless that was noted before.
pub fn note(response: &mut Response, operation: Option<Cow<'static, str>>, site: Option<SiteId>) {
    response.extensions_mut().get_or_insert_with(|| Served { operation, site });
}

/// A name that a client chose, as the log contains it. Names in GraphQL consist of ASCII letters, digits and `_`.
pub(crate) fn shortened(name: &str) -> Cow<'static, str> {
    Cow::Owned(name.chars().take(NAME_CHARS).collect())
}
