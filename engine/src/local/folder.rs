//! Reads a folder of sentence-transformers: its files, the shape of the model, and whether it is
//! supported. It checks the configuration only. Damaged tensors or tokenizers are found when they
//! are loaded.

use std::fmt::Display;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The largest models that run beside a website on a processor have 2.3 GB.
const MAX_WEIGHTS_BYTES: u64 = 4 << 30;
/// Tokenizers of a hundred languages have 17 MB, all other files a few kilobytes.
const MAX_JSON_BYTES: u64 = 64 << 20;
/// Number of bytes of the folder's hash in the name of a model. 48 bits are enough for hundreds of
/// models.
const NAME_HASH_BYTES: usize = 6;
/// Maximum length of the folder's name in the name of a model, in characters.
const MAX_NAME_CHARS: usize = 80;
/// Epsilon of BERT and DistilBERT when the file has none.
const LAYER_NORM_EPS: f64 = 1e-12;
/// Number of segment types of BERT when the file has none.
const BERT_KINDS: usize = 2;
/// Padding ID of RoBERTa when the file has none. Positions count from the next number.
const ROBERTA_PAD: usize = 1;

/// A token between the marks at both ends.
const MIN_TOKENS: usize = 3;

const MODULES: &str = "modules.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const SENTENCE: &str = "sentence_bert_config.json";

/// A folder without a model that can be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalModelError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {cause}; the folder must contain the sentence-transformers files {MODULES}, {CONFIG}, {TOKENIZER} and {WEIGHTS}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// A file is larger than the limit.
    #[error("{} has {size_bytes} bytes; at most {max_bytes} are allowed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Size of the file.
        size_bytes: u64,
        /// Maximum size.
        max_bytes: u64,
    },
    /// A JSON file cannot be parsed.
    #[error("{} is damaged: {cause}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: serde_json::Error,
    },
    /// The model is of a kind that is not supported.
    #[error("{} requires {wanted}, which is not supported; supported: {supported}", path.display())]
    Unsupported {
        /// The file that asks for it.
        path: PathBuf,
        /// The unsupported value.
        wanted: String,
        /// The supported values.
        supported: &'static str,
    },
    /// The tokenizer cannot be used.
    #[error("{} is damaged: {cause}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: String,
    },
    /// The weights are damaged, or belong to another model.
    #[error("{} is damaged or belongs to another model: {cause}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: String,
    },
}

/// The content of a folder.
pub(super) struct Folder {
    /// Name of the folder with a hash of all files that were read.
    pub name: String,
    pub shape: Shape,
    pub pooling: Pooling,
    /// Whether vectors are normalized to length 1.
    pub is_normalized: bool,
    /// Whether texts are lower-cased before tokenization.
    pub is_lower_cased: bool,
    /// Maximum number of tokens of a text, including the marks at its ends.
    pub max_tokens: usize,
    pub tokenizer_path: PathBuf,
    pub tokenizer: Vec<u8>,
    pub weights_path: PathBuf,
    pub weights: Vec<u8>,
}

/// How the vectors of the tokens of a text become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean of all tokens.
    Mean,
    /// The vector of the first token.
    First,
}

/// The naming of the tensors, and the first position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Bert,
    /// RoBERTa and XLM-RoBERTa.
    Roberta,
    DistilBert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    Gelu,
    /// GELU with the tanh approximation.
    GeluTanh,
    Relu,
}

/// The sizes of a model. None is 0, and the number of heads divides the hidden size.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub family: Family,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub layers: usize,
    pub heads: usize,
    /// Number of rows of the position table. It is larger than `first_position`.
    pub positions: usize,
    pub first_position: usize,
    /// Number of segment types. DistilBERT has none.
    pub kinds: Option<usize>,
    pub layer_norm_eps: f64,
    pub activation: Activation,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
    path: String,
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "activation")]
    hidden_act: String,
    max_position_embeddings: usize,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<usize>,
    type_vocab_size: Option<usize>,
    position_embedding_type: Option<String>,
}

#[derive(Default, Deserialize)]
struct Sentence {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

impl Folder {
    /// Reads all files of a folder.
    ///
    /// # Errors
    /// Returns `Read`, `TooLarge`, `Format` or `Unsupported`.
    pub fn read(path: &Path) -> Result<Self, LocalModelError> {
        let mut files = FolderFiles { root: path, hasher: Sha256::new() };
        let (transformer, pooling, is_normalized) = modules(&mut files)?;
        let config_path = transformer.join(CONFIG);
        let shape = shape(files.json(&config_path)?, &path.join(config_path))?;
        let pooling = pooled(&mut files, &pooling.join(CONFIG))?;
        let sentence_path = transformer.join(SENTENCE);
        let sentence = match path.join(&sentence_path).exists() {
            true => files.json::<Sentence>(&sentence_path)?,
            false => Sentence::default(),
        };
        let (tokenizer_path, weights_path) = (transformer.join(TOKENIZER), transformer.join(WEIGHTS));
        let tokenizer = files.bytes(&tokenizer_path, MAX_JSON_BYTES)?;
        let weights = files.bytes(&weights_path, MAX_WEIGHTS_BYTES)?;
        let can_read = shape.positions - shape.first_position;
        let max_tokens = sentence.max_seq_length.map_or(can_read, |max| max.min(can_read));
        if max_tokens < MIN_TOKENS {
            let wanted = format!("texts of {max_tokens} tokens");
            return Err(unsupported(&path.join(sentence_path), wanted, "at least a token between two marks"));
        }
        Ok(Self {
            name: files.name(),
            pooling,
            is_normalized,
            is_lower_cased: sentence.do_lower_case,
            max_tokens,
            shape,
            tokenizer_path: path.join(tokenizer_path),
            tokenizer,
            weights_path: path.join(weights_path),
            weights,
        })
    }
}

/// Reads files and adds each of them to the hash.
struct FolderFiles<'a> {
    root: &'a Path,
    hasher: Sha256,
}

impl FolderFiles<'_> {
    fn bytes(&mut self, file: &Path, max_bytes: u64) -> Result<Vec<u8>, LocalModelError> {
        let path = self.root.join(file);
        let failed = |cause| LocalModelError::Read { path: path.clone(), cause };
        let size_bytes = std::fs::metadata(&path).map_err(failed)?.len();
        if size_bytes > max_bytes {
            return Err(LocalModelError::TooLarge { path, size_bytes, max_bytes });
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        // The length is hashed too, so that no byte of one file can be taken for one of the next.
        self.hasher.update((bytes.len() as u64).to_le_bytes());
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn json<T: DeserializeOwned>(&mut self, file: &Path) -> Result<T, LocalModelError> {
        let bytes = self.bytes(file, MAX_JSON_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|cause| LocalModelError::Format { path: self.root.join(file), cause })
    }

    /// Returns a name such as `all-MiniLM-L6-v2@0123456789ab`.
    fn name(self) -> String {
        // Uses the real name behind links and dots, if it can be resolved.
        let root = std::fs::canonicalize(self.root).unwrap_or_else(|_| self.root.to_path_buf());
        let own = root.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
        let own: String = own.chars().take(MAX_NAME_CHARS).collect();
        let hash = self.hasher.finalize();
        format!("{own}@{}", helpbot_domain::text::hex(&hash[..NAME_HASH_BYTES]))
    }
}

/// Returns the folders of transformer and pooling, and whether vectors are normalized.
fn modules(files: &mut FolderFiles<'_>) -> Result<(PathBuf, PathBuf, bool), LocalModelError> {
    let modules: Vec<Module> = files.json(Path::new(MODULES))?;
    let path = files.root.join(MODULES);
    let kinds: Vec<&str> = modules.iter().map(|module| last(&module.kind)).collect();
    let is_normalized = match kinds[..] {
        ["Transformer", "Pooling"] => false,
        ["Transformer", "Pooling", "Normalize"] => true,
        _ => {
            let supported = "Transformer and Pooling, with or without Normalize";
            return Err(unsupported(&path, format!("the modules {}", kinds.join(", ")), supported));
        }
    };
    let inside = |module: &Module| {
        let folder = Path::new(&module.path);
        let is_inside = folder.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let outside = || unsupported(&path, format!("the folder {:?}", module.path), "folders inside the model's");
        is_inside.then(|| folder.to_path_buf()).ok_or_else(outside)
    };
    Ok((inside(&modules[0])?, inside(&modules[1])?, is_normalized))
}

fn last(kind: &str) -> &str {
    kind.rsplit('.').next().unwrap_or(kind)
}

/// Older files have one switch per pooling mode, newer files name the mode.
fn pooled(files: &mut FolderFiles<'_>, file: &Path) -> Result<Pooling, LocalModelError> {
    use serde_json::Value;
    const NAME: &str = "pooling_mode";
    let config: serde_json::Map<String, Value> = files.json(file)?;
    let ways: Vec<&str> = config
        .iter()
        .filter_map(|(key, value)| match value {
            Value::String(way) if key == NAME => Some(way.as_str()),
            Value::Bool(true) => key.strip_prefix("pooling_mode_"),
            _ => None,
        })
        .collect();
    match ways[..] {
        ["mean" | "mean_tokens"] => Ok(Pooling::Mean),
        ["cls" | "cls_token"] => Ok(Pooling::First),
        _ => {
            let wanted = format!("pooling by [{}]", ways.join(", "));
            Err(unsupported(&files.root.join(file), wanted, "either mean_tokens or cls_token"))
        }
    }
}

fn shape(config: Config, path: &Path) -> Result<Shape, LocalModelError> {
    let family = match config.model_type.as_str() {
        "bert" => Family::Bert,
        "roberta" | "xlm-roberta" => Family::Roberta,
        "distilbert" => Family::DistilBert,
        other => {
            let supported = "bert, roberta, xlm-roberta and distilbert";
            return Err(unsupported(path, format!("the model type {other:?}"), supported));
        }
    };
    let activation = match config.hidden_act.as_str() {
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        other => return Err(unsupported(path, format!("the activation {other:?}"), "gelu, gelu_new and relu")),
    };
    if let Some(other) = config.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
        return Err(unsupported(path, format!("{other:?} positions"), "absolute ones"));
    }
    let (first_position, kinds) = match family {
        Family::Roberta => {
            (config.pad_token_id.unwrap_or(ROBERTA_PAD).saturating_add(1), Some(config.type_vocab_size.unwrap_or(1)))
        }
        Family::Bert => (0, Some(config.type_vocab_size.unwrap_or(BERT_KINDS))),
        Family::DistilBert => (0, None),
    };
    let heads = config.num_attention_heads;
    let sizes = [config.vocab_size, config.hidden_size, config.intermediate_size, config.num_hidden_layers, heads];
    let is_even = !sizes.contains(&0) && kinds != Some(0) && config.hidden_size.is_multiple_of(heads);
    if !is_even || config.max_position_embeddings <= first_position {
        let wanted = format!(
            "sizes that do not fit together (hidden_size {}, {heads} heads, {} layers, {} positions)",
            config.hidden_size, config.num_hidden_layers, config.max_position_embeddings
        );
        return Err(unsupported(path, wanted, "sizes above 0, of which the heads divide the hidden one"));
    }
    Ok(Shape {
        family,
        vocab_size: config.vocab_size,
        hidden_size: config.hidden_size,
        intermediate_size: config.intermediate_size,
        layers: config.num_hidden_layers,
        heads,
        positions: config.max_position_embeddings,
        first_position,
        kinds,
        layer_norm_eps: config.layer_norm_eps.unwrap_or(LAYER_NORM_EPS),
        activation,
    })
}

fn unsupported(path: &Path, wanted: impl Display, supported: &'static str) -> LocalModelError {
    LocalModelError::Unsupported { path: path.to_path_buf(), wanted: wanted.to_string(), supported }
}
