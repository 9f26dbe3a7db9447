//! What the engine needs from a model server: streamed chat and embeddings.
//!
//! Implementations are an OpenAI-compatible server through the outbound client, a model in a local
//! folder for embeddings, and the scripted models of the tests. A model gets passages and a
//! question, and never a tool.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// The author of a chat message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatRole {
    /// The rules of the answer.
    System,
    /// The visitor, with the passages.
    User,
    /// An earlier answer.
    Assistant,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Author of the message.
    pub role: ChatRole,
    /// Text of the message.
    pub content: String,
}

/// A request for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionRequest {
    /// The messages, with the rules first.
    pub messages: Vec<ChatMessage>,
    /// Number of tokens after which the model must stop.
    pub max_tokens: u32,
}

/// A failure of a model server. The text is meant for logs.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The connection failed or was closed early.
    #[error("the model server cannot be reached: {0}")]
    Unreachable(String),
    /// The server returned an error status.
    #[error("the model server returned status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The response does not follow the protocol.
    #[error("the response of the model server is not valid: {0}")]
    Protocol(String),
    /// The server did not respond in time.
    #[error("the model server did not respond in time")]
    TimedOut,
    /// Vectors of a model were requested that is not the configured one. Retrying does not help.
    #[error("{0} is not the configured model")]
    OtherModel(String),
    /// The model in this process failed.
    #[error("the local model failed: {0}")]
    Local(String),
}

/// A piece of a text while the model writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// The next characters of the text.
    Text(String),
    /// The model was stopped at its token limit. The text may end anywhere, and nothing follows.
    CutOff,
}

/// A text as a stream of pieces.
pub type Deltas = BoxStream<'static, Result<Delta, ModelError>>;

/// A chat model.
pub trait ModelClient: Send + Sync {
    /// Starts to write a text. The stream ends when the model has finished or after an error.
    fn chat(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Deltas, ModelError>>;
}

/// A server of embedding models, or an embedding model in this process.
pub trait Embedder: Send + Sync {
    /// Name under which vectors are made and stored. Vectors of different names are never compared.
    fn model(&self) -> &str;

    /// Returns one vector for each text, in order and of equal length. `model` is the configured
    /// model, or an earlier one whose vectors are still in use.
    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>>;
}
