//! What the engine wants of a model server: chat that streams, and embeddings.
//!
//! Implementations: an OpenAI-compatible server through the outbound client, for embeddings a model
//! in a local folder too, and the scripted ones of the tests. A model gets passages and a question, never a tool.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// Who speaks in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatRole {
    /// The rules.
    System,
    /// The visitor, with the passages.
    User,
    /// An earlier answer.
    Assistant,
}

/// One turn of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: ChatRole,
    /// What is said.
    pub content: String,
}

/// What a model is asked to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionRequest {
    /// The turns, rules first.
    pub messages: Vec<ChatMessage>,
    /// Where the model stops.
    pub max_tokens: u32,
}

/// A model server that did not do what was asked; the text is for logs.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No connection, or it broke off.
    #[error("the model server cannot be reached: {0}")]
    Unreachable(String),
    /// An answer with a status that is no success.
    #[error("the model server answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not in the protocol.
    #[error("the model server answered nonsense: {0}")]
    Protocol(String),
    /// Nothing in time.
    #[error("the model server took too long")]
    TimedOut,
    /// Vectors are wanted of a model that is not the one at hand, and never will be.
    #[error("{0} is not the model at hand")]
    OtherModel(String),
    /// The model in this process.
    #[error("the local model failed: {0}")]
    Local(String),
}

/// What comes of a text while the model writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// The next piece.
    Text(String),
    /// The model was stopped at its cap: the text ends anywhere, and nothing follows.
    CutOff,
}

/// A text as the model writes it.
pub type Deltas = BoxStream<'static, Result<Delta, ModelError>>;

/// A chat model.
pub trait ModelClient: Send + Sync {
    /// Starts writing. The stream ends when the model has finished; an error ends it too.
    fn chat(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Deltas, ModelError>>;
}

/// A server of embedding models, or a model in this process.
pub trait Embedder: Send + Sync {
    /// The name under which vectors are made and stored: those of different names never mix.
    fn model(&self) -> &str;

    /// A vector for each text, in order, all of one length, by `model`: the present one, or one
    /// of earlier days whose vectors still serve.
    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>>;
}
