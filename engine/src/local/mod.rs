//! An embedding model out of a folder of sentence-transformers, run in this process: what
//! `embed_model_dir` names, in place of a server. Behind the feature `local-model`, because it adds
//! some sixty crates to a build.
//!
//! Two actors ask: visitors' questions, one or two short texts, and the job that embeds a site's
//! chunks, sixty at a time. Both run on blocking threads, in turns; of the job's texts there is
//! never more than one small batch under way, and a turn is always left to a question.
//!
//! Guarantees: a vector depends on its text and the files of the folder alone; the name of the
//! model changes with any of these files. The folder is not trusted: what is damaged in it is an
//! error with the file's name. It is read once, at start, and never written.

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

/// Tokens that one batch takes together, where it has more than one text. A small model reads so
/// many in about a tenth of a second on one core, a large one in a second: what a question may
/// have to share the processor with. More would save nothing, since a matrix of so many rows is
/// already worth reading the weights for.
const BATCH_TOKENS: usize = 512;
/// A call with more texts than a question has (itself, and itself with the one before) waits for
/// its turn behind those of questions.
const QUESTION_TEXTS: usize = 2;
/// Batches at once on a machine of one core: one of a job and one of a question.
const MIN_TURNS: usize = 2;
/// Batches at once on a large machine: each holds some megabytes while it runs.
const MAX_TURNS: usize = 16;
/// No text is read further, whatever the model could: attention costs the square of it, and the
/// texts that come here have 2,000 characters at most (`external_embeddings.rs`).
const MAX_TOKENS: usize = 512;
/// What every model is asked once before it is used.
const TRIAL: &str = "Is this a question?";

/// A model of a folder, in memory. Cheap to clone.
#[derive(Clone)]
pub struct LocalModel {
    model: Arc<Model>,
    /// One a batch.
    turns: Arc<Semaphore>,
    /// One a batch of a job, taken before the turn: there is a single one, so that all jobs
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
    /// Reads the model of a folder; takes as long as reading its files, and blocks meanwhile.
    ///
    /// # Errors
    /// Each [`LocalModelError`]: a file is missing, damaged, too large, or of a kind that is not
    /// supported.
    pub fn load(path: &Path) -> Result<Self, LocalModelError> {
        let folder = Folder::read(path)?;
        let weights_path = folder.weights_path.clone();
        let model = Arc::new(Model::new(folder)?);
        // A tensor of nonsense shows in what it gives; an index that leads nowhere does too.
        let trial = unpanicked(|| model.batch(&[TRIAL.to_owned()]));
        trial.map_err(|cause| LocalModelError::Weights { path: weights_path, cause })?;
        let cores = std::thread::available_parallelism().map_or(MIN_TURNS, usize::from);
        let turns = Arc::new(Semaphore::new(cores.clamp(MIN_TURNS, MAX_TURNS)));
        Ok(Self { model, turns, job_turns: Arc::new(Semaphore::new(1)) })
    }

    /// Numbers in each of its vectors.
    pub fn dims(&self) -> usize {
        self.model.encoder.hidden_size()
    }

    /// The vectors of the first texts, as many as make a batch: at least one. `texts` has one.
    async fn next_batch(&self, texts: &Arc<[String]>, from: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        const OPEN: &str = "nobody closes these semaphores";
        let job_turn = match texts.len() > QUESTION_TEXTS {
            true => Some(Arc::clone(&self.job_turns).acquire_owned().await.expect(OPEN)),
            false => None,
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect(OPEN);
        let (model, texts) = (Arc::clone(&self.model), Arc::clone(texts));
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when nobody waits for it any more.
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
            return Err(tokenizer_error(format!("it knows a piece number {highest}, the model has {vocab_size}")));
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

    /// The vectors of as many of these texts, from the first on, as make a batch: at least one
    /// where there is one. A text without a single token gets zeros, which are near nothing.
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
            is_finite.then_some(vector).ok_or_else(|| "it gives numbers that are none".to_owned())
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

/// What cuts texts for the model. What the file says of padding and length is that of some
/// training: nothing is padded here, and the length is the model's.
fn tokenizer(bytes: &[u8], max_tokens: usize) -> Result<Tokenizer, String> {
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
    Ok(tokenizer)
}

/// To length 1; zeros stay.
fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// What candle says, without the stack that it appends where `RUST_BACKTRACE` is set.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// The work, or what it says where it panics: the crates that read the files index into tables
/// that come from them.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("its reader broke off".to_owned()))
}
