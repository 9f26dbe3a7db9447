//! An OpenAI-compatible model server (Ollama, vLLM, llama.cpp or a hosted one) behind the guarded
//! client: streamed chat and embeddings.
//!
//! This is the only file of this crate that speaks HTTP. It never retries, because the visitor is
//! waiting and the engine can answer without the model.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::try_unfold;
use futures_util::{FutureExt, StreamExt};
use helpbot_domain::measurement::{Counter, Histogram};
use helpbot_outbound::{ByteStream, Client, FetchError, HeaderMap, HeaderValue, StreamLimits, Streamed};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::model::{ChatMessage, ChatRole, CompletionRequest, Delta, Deltas, Embedder, ModelClient, ModelError};

/// Maximum length of one line of a stream. A longer line is not a piece of an answer.
const MAX_LINE_BYTES: usize = 256 * 1024;
/// Low, because the answer must come from the passages. Not 0, where some small models repeat
/// themselves endlessly.
const TEMPERATURE: f32 = 0.1;
/// The `finish_reason` of a text that was stopped at `max_tokens`.
const LENGTH: &str = "length";

/// Address and limits of a model server.
#[derive(Clone)]
pub struct ServerSettings {
    /// Address up to and including the version, for example `http://127.0.0.1:11434/v1`.
    pub base_url: Url,
    /// API key that is sent as a bearer token.
    pub api_key: Option<String>,
    /// Name of the model on the server.
    pub model: String,
    /// Limits of one request.
    pub limits: StreamLimits,
}

/// The requests to a model server since the start of the process.
#[derive(Debug, Default)]
pub struct ModelCalls {
    /// Requests that the server accepted.
    pub accepted: Counter,
    /// Requests that the server did not answer in time.
    pub timed_out: Counter,
    /// Requests that failed in another way.
    pub failed: Counter,
    /// Time until the server began to respond, or until the request failed.
    pub seconds: Histogram,
}

/// A model on a server. Cloning is cheap.
#[derive(Clone)]
pub struct OpenAi {
    client: Client,
    settings: Arc<ServerSettings>,
    calls: Arc<ModelCalls>,
}

impl OpenAi {
    /// Creates a model that is reached through `client`, whose policy must allow the server.
    pub fn new(client: Client, settings: ServerSettings) -> Self {
        Self { client, settings: Arc::new(settings), calls: Arc::default() }
    }

    /// Counts the requests to the server in `calls`.
    #[must_use]
    pub fn counting(self, calls: Arc<ModelCalls>) -> Self {
        Self { calls, ..self }
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> Result<Streamed, ModelError> {
        let started = Instant::now();
        let response = self.send(path, body).await;
        self.calls.seconds.record(started.elapsed());
        match &response {
            Ok(_) => self.calls.accepted.add_one(),
            Err(ModelError::TimedOut) => self.calls.timed_out.add_one(),
            Err(_) => self.calls.failed.add_one(),
        }
        response
    }

    async fn send(&self, path: &str, body: serde_json::Value) -> Result<Streamed, ModelError> {
        let base = self.settings.base_url.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{path}")).map_err(|error| ModelError::Protocol(error.to_string()))?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.settings.api_key {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value = value.map_err(|_| {
                ModelError::Protocol("the API key has characters that an HTTP header cannot contain".into())
            })?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        let body = body.to_string().into();
        let response = self.client.post_json_stream(&url, headers, body, &self.settings.limits).await;
        let response = response.map_err(unreachable)?;
        match response.status {
            200..300 => Ok(response),
            status => Err(ModelError::Status { status }),
        }
    }
}

impl ModelClient for OpenAi {
    fn chat(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Deltas, ModelError>> {
        async move {
            let messages: Vec<_> = request.messages.iter().map(message).collect();
            let body = json!({
                "model": self.settings.model,
                "messages": messages,
                "max_tokens": request.max_tokens,
                "temperature": TEMPERATURE,
                "stream": true,
            });
            let response = self.post("chat/completions", body).await?;
            let is_stream = response.content_type.as_deref().is_some_and(|kind| kind.starts_with("text/event-stream"));
            if is_stream { Ok(events(response.body)) } else { whole(response.body).await }
        }
        .boxed()
    }
}

impl Embedder for OpenAi {
    fn model(&self) -> &str {
        &self.settings.model
    }

    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        let body = json!({ "model": model, "input": texts, "encoding_format": "float" });
        async move {
            let response = self.post("embeddings", body).await?;
            let bytes = read_all(response.body).await?;
            let mut parsed: EmbeddingsResponse = parse(&bytes)?;
            parsed.data.sort_by_key(|embedding| embedding.index);
            let vectors: Vec<Vec<f32>> = parsed.data.into_iter().map(|embedding| embedding.embedding).collect();
            let dims = vectors.first().map_or(0, Vec::len);
            let is_even = |vector: &Vec<f32>| vector.len() == dims && vector.iter().all(|number| number.is_finite());
            let is_whole = vectors.len() == texts.len() && dims > 0 && vectors.iter().all(is_even);
            is_whole
                .then_some(vectors)
                .ok_or_else(|| ModelError::Protocol("vectors are missing or differ in length".into()))
        }
        .boxed()
    }
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Content>,
    finish_reason: Option<String>,
}

impl Choice {
    /// Returns the text of the choice, if there is one, and whether it was cut off at the token
    /// limit.
    fn deltas(self) -> impl Iterator<Item = Delta> {
        let is_cut_off = self.finish_reason.as_deref() == Some(LENGTH);
        let text = self.delta.and_then(|delta| delta.content).filter(|text| !text.is_empty());
        text.map(Delta::Text).into_iter().chain(is_cut_off.then_some(Delta::CutOff))
    }
}

#[derive(Deserialize)]
struct Content {
    content: Option<String>,
}

#[derive(Deserialize)]
struct EmbeddingsResponse {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    #[serde(default)]
    index: usize,
    embedding: Vec<f32>,
}

/// A stream of server-sent events that is parsed into pieces of text.
struct EventStream {
    body: ByteStream,
    line: Vec<u8>,
    ready: VecDeque<Delta>,
    /// Whether the server has reported that the text is complete.
    is_finished: bool,
}

fn events(body: ByteStream) -> Deltas {
    let reading = EventStream { body, line: Vec::new(), ready: VecDeque::new(), is_finished: false };
    try_unfold(reading, next_delta).boxed()
}

async fn next_delta(mut reading: EventStream) -> Result<Option<(Delta, EventStream)>, ModelError> {
    loop {
        if let Some(delta) = reading.ready.pop_front() {
            return Ok(Some((delta, reading)));
        }
        let Some(bytes) = reading.body.next().await else {
            let rest = std::mem::take(&mut reading.line);
            reading.take_line(&rest)?;
            if let Some(delta) = reading.ready.pop_front() {
                return Ok(Some((delta, reading)));
            }
            // Half an answer is not used, because its next word could be "but".
            let cause = || ModelError::Unreachable("the stream ended before the answer was complete".into());
            return if reading.is_finished { Ok(None) } else { Err(cause()) };
        };
        for &byte in bytes.map_err(unreachable)?.iter() {
            if byte == b'\n' {
                let line = std::mem::take(&mut reading.line);
                reading.take_line(&line)?;
            } else {
                reading.line.push(byte);
            }
        }
        if reading.line.len() > MAX_LINE_BYTES {
            return Err(ModelError::Protocol("a line of the stream is too long".into()));
        }
    }
}

impl EventStream {
    fn take_line(&mut self, line: &[u8]) -> Result<(), ModelError> {
        let line = std::str::from_utf8(line).map_err(|_| ModelError::Protocol("the stream is not UTF-8".into()))?;
        // Comments, event names and empty lines carry no text.
        let Some(data) = line.strip_prefix("data:").map(str::trim) else { return Ok(()) };
        if data == "[DONE]" {
            self.is_finished = true;
            return Ok(());
        }
        let completion: Completion = parse(data.as_bytes())?;
        for choice in completion.choices {
            self.is_finished |= choice.finish_reason.is_some();
            self.ready.extend(choice.deltas());
        }
        Ok(())
    }
}

/// Reads the response of a server that does not stream.
async fn whole(body: ByteStream) -> Result<Deltas, ModelError> {
    let completion: Completion = parse(&read_all(body).await?)?;
    let deltas = completion.choices.into_iter().take(1).flat_map(Choice::deltas).map(Ok);
    Ok(futures_util::stream::iter(deltas.collect::<Vec<_>>()).boxed())
}

async fn read_all(mut body: ByteStream) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(unreachable)?);
    }
    Ok(bytes)
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ModelError> {
    serde_json::from_slice(bytes).map_err(|error| ModelError::Protocol(error.to_string()))
}

fn message(message: &ChatMessage) -> serde_json::Value {
    let role = match message.role {
        ChatRole::System => "system",
        ChatRole::User => "user",
        ChatRole::Assistant => "assistant",
    };
    json!({ "role": role, "content": message.content })
}

fn unreachable(error: FetchError) -> ModelError {
    if error.is_timeout() { ModelError::TimedOut } else { ModelError::Unreachable(error.to_string()) }
}
