//! Runs an embedding model from a folder of sentence-transformers in this process, as an
//! alternative to a server. The setting `embed_model_dir` names the folder. It requires the feature
//! `local-model`, which adds about sixty crates to a build.
//!
//! There are two callers: questions of visitors, with one or two short texts, and the job that
//! embeds the chunks of a site, with sixty texts at a time. Both run on blocking threads and take
//! turns. The job never has more than one small batch in progress, so that a question always gets a
//! turn.
//!
//! Guarantees: a vector depends only on its text and the files of the folder, and the name of the
//! model changes with any of these files. The folder is not trusted: damage is reported as an error
//! with the name of the file. The folder is read once at start and never written.

mod encoder;
mod folder;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokenizers::{Tokenizer, TruncationParams};
use tokio::sync::Semaphore;

use crate::model::{Embedder, ModelError};
use encoder::Encoder;
use folder::{Folder, Pooling};

pub use folder::LocalModelError;

/// Maximum number of tokens in a batch of more than one text. A small model processes them in about
/// a tenth of a second on one core, a large one in a second. A question may have to wait that long.
/// Larger batches are not faster.
const BATCH_TOKENS: usize = 512;
/// Calls with more texts than a question has wait behind those of questions. A question has two
/// texts: itself, and itself with the question before.
const QUESTION_TEXTS: usize = 2;
/// Number of concurrent batches on a machine with one core: one of a job and one of a question.
const MIN_TURNS: usize = 2;
/// Number of concurrent batches on a large machine. Each uses some megabytes.
const MAX_TURNS: usize = 16;
/// Maximum number of tokens of a text. Attention costs the square of it, and the texts have at most
/// 2,000 characters (`external_embeddings.rs`).
const MAX_TOKENS: usize = 512;
/// Text that every model embeds once before it is used.
const TRIAL: &str = "Is this a question?";

/// A model of a folder, in memory. Cloning is cheap.
#[derive(Clone)]
pub struct LocalModel {
    model: Arc<Model>,
    /// One permit per batch.
    turns: Arc<Semaphore>,
    /// One permit for a batch of a job, taken before the turn. There is only one, so that all jobs
    /// together leave turns to questions.
    job_turns: Arc<Semaphore>,
}

struct Model {
    name: String,
    tokenizer: Tokenizer,
    is_lower_cased: bool,
    encoder: Encoder,
    pooling: Pooling,
    is_normalized: bool,
}

impl LocalModel {
    /// Reads the model of a folder. It blocks until all files are read.
    ///
    /// # Errors
    /// Returns a [`LocalModelError`] when a file is missing, damaged, too large or not supported.
    pub fn load(path: &Path) -> Result<Self, LocalModelError> {
        let folder = Folder::read(path)?;
        let weights_path = folder.weights_path.clone();
        let model = Arc::new(Model::new(folder)?);
        // Damaged tensors and invalid indexes are found by running the model once.
        let trial = unpanicked(|| model.batch(&[TRIAL.to_owned()]));
        trial.map_err(|cause| LocalModelError::Weights { path: weights_path, cause })?;
        let cores = std::thread::available_parallelism().map_or(MIN_TURNS, usize::from);
        let turns = Arc::new(Semaphore::new(cores.clamp(MIN_TURNS, MAX_TURNS)));
        Ok(Self { model, turns, job_turns: Arc::new(Semaphore::new(1)) })
    }

    /// Length of a vector.
    pub fn dims(&self) -> usize {
        self.model.encoder.hidden_size()
    }

    /// Returns the vectors of the next texts, as many as make a batch and at least one. `texts` is
    /// not empty.
    async fn next_batch(&self, texts: &Arc<[String]>, from: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        const OPEN: &str = "nobody closes these semaphores";
        let job_turn = match texts.len() > QUESTION_TEXTS {
            true => Some(Arc::clone(&self.job_turns).acquire_owned().await.expect(OPEN)),
            false => None,
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect(OPEN);
        let (model, texts) = (Arc::clone(&self.model), Arc::clone(texts));
        let done = tokio::task::spawn_blocking(move || {
            // The permits are held until the work is done, even when the caller has gone.
            let _held = (job_turn, turn);
            model.batch(&texts[from..])
        });
        done.await.map_err(|error| ModelError::Local(error.to_string()))?.map_err(ModelError::Local)
    }
}

impl Embedder for LocalModel {
    fn model(&self) -> &str {
        &self.model.name
    }

    fn embed(&self, model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        let is_ours = model == self.model.name;
        let other = (!is_ours).then(|| ModelError::OtherModel(model.to_owned()));
        async move {
            if let Some(error) = other {
                return Err(error);
            }
            let texts: Arc<[String]> = texts.into();
            let mut vectors = Vec::with_capacity(texts.len());
            while vectors.len() < texts.len() {
                vectors.extend(self.next_batch(&texts, vectors.len()).await?);
            }
            Ok(vectors)
        }
        .boxed()
    }
}

impl Model {
    fn new(folder: Folder) -> Result<Self, LocalModelError> {
        let path = folder.tokenizer_path;
        let tokenizer_error = |cause| LocalModelError::Tokenizer { path: path.clone(), cause };
        let max_tokens = folder.max_tokens.min(MAX_TOKENS);
        let tokenizer = unpanicked(|| tokenizer(&folder.tokenizer, max_tokens)).map_err(tokenizer_error)?;
        let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or_default() as usize;
        if highest >= folder.shape.vocab_size {
            let vocab_size = folder.shape.vocab_size;
            return Err(tokenizer_error(format!(
                "it has token ID {highest}, but the model has only {vocab_size} tokens"
            )));
        }
        let (shape, weights) = (&folder.shape, folder.weights);
        let encoder = unpanicked(|| {
            let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu);
            weights.and_then(|weights| Encoder::new(&weights, shape)).map_err(|error| first_line(&error))
        });
        let encoder = encoder.map_err(|cause| LocalModelError::Weights { path: folder.weights_path, cause })?;
        Ok(Self {
            name: folder.name,
            tokenizer,
            is_lower_cased: folder.is_lower_cased,
            encoder,
            pooling: folder.pooling,
            is_normalized: folder.is_normalized,
        })
    }

    /// Returns the vectors of the first texts, as many as make a batch and at least one. A text
    /// without tokens gets zeros.
    fn batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        let mut tokens: Vec<Vec<u32>> = Vec::new();
        let mut total = 0;
        for text in texts {
            let next = self.tokens(text)?;
            total += next.len();
            if !tokens.is_empty() && total > BATCH_TOKENS {
                break;
            }
            tokens.push(next);
        }
        let vectors = self.encoder.vectors(&tokens, self.pooling).map_err(|error| first_line(&error))?;
        let finished = |mut vector: Vec<f32>| {
            if self.is_normalized {
                normalize(&mut vector);
            }
            let is_finite = vector.iter().all(|number| number.is_finite());
            is_finite.then_some(vector).ok_or_else(|| "it returns values that are not finite numbers".to_owned())
        };
        vectors.into_iter().map(finished).collect()
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, String> {
        let encoding = match self.is_lower_cased {
            true => self.tokenizer.encode_fast(text.to_lowercase(), true),
            false => self.tokenizer.encode_fast(text, true),
        };
        Ok(encoding.map_err(|error| error.to_string())?.get_ids().to_vec())
    }
}

/// Reads the tokenizer. Padding and truncation of the file come from training. Nothing is padded
/// here, and the maximum length is that of the model.
fn tokenizer(bytes: &[u8], max_tokens: usize) -> Result<Tokenizer, String> {
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
    Ok(tokenizer)
}

/// Scales a vector to length 1. Zeros stay.
fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// Returns the message of candle without the stack that it adds when `RUST_BACKTRACE` is set.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Runs the work, and turns a panic into an error. The crates that read the files index into tables
/// from these files.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the reader of the file panicked".to_owned()))
}
