//! The forward pass of BERT-like models over tensors of candle: from tokens to one vector per text.
//!
//! The texts of a batch are stored one after another in one matrix without padding. The large
//! products are computed once for all texts, and attention separately for each. Nothing is computed
//! for padding, and no mask can leak. The tests compare it with published vectors of the model
//! (engine/tests/it/local_model.rs).

use candle_core::{D, Device, Module, Result, Tensor};
use candle_nn::{LayerNorm, Linear, VarBuilder, ops};

use super::folder::{Activation, Family, Pooling, Shape};

/// Names of the tensors of a layer.
struct Names {
    layers: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    mixed: &'static str,
    mixed_norm: &'static str,
    up: &'static str,
    down: &'static str,
    norm: &'static str,
}

const BERT: Names = Names {
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    mixed: "attention.output.dense",
    mixed_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    norm: "output.LayerNorm",
};

const DISTILBERT: Names = Names {
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    mixed: "attention.out_lin",
    mixed_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    norm: "output_layer_norm",
};

/// The weights of a model.
pub(super) struct Encoder {
    words: Tensor,
    positions: Tensor,
    /// Embedding of the first segment type, which all texts have. DistilBERT has none.
    kind: Option<Tensor>,
    norm: LayerNorm,
    layers: Vec<EncoderLayer>,
    hidden_size: usize,
    first_position: u32,
}

struct EncoderLayer {
    query: Linear,
    key: Linear,
    value: Linear,
    mixed: Linear,
    mixed_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
    activation: Activation,
    heads: usize,
}

impl Encoder {
    /// Reads an encoder from these weights.
    ///
    /// # Errors
    /// Fails when a tensor is missing or has another size.
    pub fn new(weights: &VarBuilder<'_>, shape: &Shape) -> Result<Self> {
        let (names, prefix) = match shape.family {
            Family::Bert => (BERT, "bert"),
            Family::Roberta => (BERT, "roberta"),
            Family::DistilBert => (DISTILBERT, "distilbert"),
        };
        // The model was saved alone, or as the base of a model with a head.
        let is_bare = weights.contains_tensor("embeddings.word_embeddings.weight");
        let weights = if is_bare { weights.clone() } else { weights.pp(prefix) };
        let (hidden_size, eps) = (shape.hidden_size, shape.layer_norm_eps);
        let embeddings = weights.pp("embeddings");
        let kind = match shape.kinds {
            None => None,
            Some(kinds) => Some(embeddings.get((kinds, hidden_size), "token_type_embeddings.weight")?.narrow(0, 0, 1)?),
        };
        let layers = weights.pp(names.layers);
        let layers = (0..shape.layers).map(|number| EncoderLayer::new(&layers.pp(number), &names, shape));
        Ok(Self {
            words: embeddings.get((shape.vocab_size, hidden_size), "word_embeddings.weight")?,
            positions: embeddings.get((shape.positions, hidden_size), "position_embeddings.weight")?,
            kind,
            norm: norm(&embeddings.pp("LayerNorm"), hidden_size, eps)?,
            layers: layers.collect::<Result<_>>()?,
            hidden_size,
            first_position: shape.first_position as u32,
        })
    }

    /// Length of a vector.
    pub fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    /// Returns one vector per text, in order and not normalized. A text without tokens gets zeros.
    ///
    /// # Errors
    /// Fails for a token or a position that the tables do not have.
    pub fn vectors(&self, texts: &[Vec<u32>], pooling: Pooling) -> Result<Vec<Vec<f32>>> {
        let lengths: Vec<usize> = texts.iter().map(Vec::len).filter(|length| *length > 0).collect();
        if lengths.is_empty() {
            return Ok(vec![vec![0.0; self.hidden_size]; texts.len()]);
        }
        let tokens = self.tokens(texts, &lengths)?;
        let mut from = 0;
        let vector = |text: &Vec<u32>| {
            if text.is_empty() {
                return Ok(vec![0.0; self.hidden_size]);
            }
            let own = tokens.narrow(0, from, text.len())?;
            from += text.len();
            match pooling {
                Pooling::Mean => own.mean(0)?.to_vec1(),
                Pooling::First => own.get(0)?.to_vec1(),
            }
        };
        texts.iter().map(vector).collect()
    }

    /// Returns the output of the last layer for the tokens of all texts, one per row.
    fn tokens(&self, texts: &[Vec<u32>], lengths: &[usize]) -> Result<Tensor> {
        let ids: Vec<u32> = texts.concat();
        let places = |&length: &usize| (self.first_position..).take(length);
        let places: Vec<u32> = lengths.iter().flat_map(places).collect();
        let words = self.words.index_select(&Tensor::new(ids, &Device::Cpu)?, 0)?;
        let positions = self.positions.index_select(&Tensor::new(places, &Device::Cpu)?, 0)?;
        let mut tokens = (words + positions)?;
        if let Some(kind) = &self.kind {
            tokens = tokens.broadcast_add(kind)?;
        }
        let mut tokens = self.norm.forward(&tokens)?;
        for layer in &self.layers {
            tokens = layer.forward(&tokens, lengths)?;
        }
        Ok(tokens)
    }
}

impl EncoderLayer {
    fn new(weights: &VarBuilder<'_>, names: &Names, shape: &Shape) -> Result<Self> {
        let (hidden, inner, eps) = (shape.hidden_size, shape.intermediate_size, shape.layer_norm_eps);
        let square = |name| candle_nn::linear(hidden, hidden, weights.pp(name));
        Ok(Self {
            query: square(names.query)?,
            key: square(names.key)?,
            value: square(names.value)?,
            mixed: square(names.mixed)?,
            mixed_norm: norm(&weights.pp(names.mixed_norm), hidden, eps)?,
            up: candle_nn::linear(hidden, inner, weights.pp(names.up))?,
            down: candle_nn::linear(inner, hidden, weights.pp(names.down))?,
            norm: norm(&weights.pp(names.norm), hidden, eps)?,
            activation: shape.activation,
            heads: shape.heads,
        })
    }

    fn forward(&self, tokens: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        let (query, key, value) = (self.query.forward(tokens)?, self.key.forward(tokens)?, self.value.forward(tokens)?);
        let mut from = 0;
        let mixed = lengths.iter().map(|&length| {
            let own = |all: &Tensor| all.narrow(0, from, length);
            let mixed = self.attend(&own(&query)?, &own(&key)?, &own(&value)?);
            from += length;
            mixed
        });
        let mixed = Tensor::cat(&mixed.collect::<Result<Vec<_>>>()?, 0)?;
        let tokens = self.mixed_norm.forward(&(self.mixed.forward(&mixed)? + tokens)?)?;
        let inner = self.activation.of(&self.up.forward(&tokens)?)?;
        self.norm.forward(&(self.down.forward(&inner)? + tokens)?)
    }

    /// Computes attention for the tokens of one text.
    fn attend(&self, query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor> {
        let (length, hidden) = query.dims2()?;
        let width = hidden / self.heads;
        let by_head = |all: &Tensor| all.reshape((length, self.heads, width))?.transpose(0, 1)?.contiguous();
        let query = (by_head(query)? / (width as f64).sqrt())?;
        let weights = ops::softmax_last_dim(&query.matmul(&by_head(key)?.transpose(D::Minus2, D::Minus1)?)?)?;
        weights.matmul(&by_head(value)?)?.transpose(0, 1)?.reshape((length, hidden))
    }
}

impl Activation {
    fn of(self, numbers: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => numbers.gelu_erf(),
            Self::GeluTanh => numbers.gelu(),
            Self::Relu => numbers.relu(),
        }
    }
}

/// Reads a layer normalization by its current names, or by the names of early checkpoints.
fn norm(weights: &VarBuilder<'_>, size: usize, eps: f64) -> Result<LayerNorm> {
    let (weight, bias) = if weights.contains_tensor("gamma") { ("gamma", "beta") } else { ("weight", "bias") };
    Ok(LayerNorm::new(weights.get(size, weight)?, weights.get(size, bias)?, eps))
}
