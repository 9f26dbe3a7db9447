//! A model out of a folder: that it is read, run and refused as it should be. Small models are made
//! up here; with `HELPBOT_TEST_MODEL_DIR` the real all-MiniLM-L6-v2 is held against numbers computed
//! by another program. `scripts/test model` runs both.

#![cfg(feature = "local-model")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use helpbot_engine::external_embeddings::{self, CosineScale};
use helpbot_engine::local::{LocalModel, LocalModelError};
use helpbot_engine::model::{Embedder, ModelError};
use serde_json::{Value, json};
use tempfile::TempDir;

const HIDDEN: usize = 8;
const INNER: usize = 12;
const LAYERS: usize = 2;
const POSITIONS: usize = 32;
const WORDS: [&str; 12] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "how", "long", "does", "delivery", "take", "?", "par", "##cel"];

/// The files of a model before they are written; a test changes what it is about.
struct Made {
    modules: Value,
    config: Value,
    pooling: Value,
    sentence: Value,
    tokenizer: Value,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Made {
    /// A BERT model with random numbers from a fixed seed and mean pooling, not normalized.
    fn bert() -> Self {
        let mut tensors = vec![
            ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS.len(), HIDDEN]),
            ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, HIDDEN]),
            ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
            ("embeddings.LayerNorm.weight".to_owned(), vec![HIDDEN]),
            ("embeddings.LayerNorm.bias".to_owned(), vec![HIDDEN]),
        ];
        for layer in 0..LAYERS {
            for (name, output, input) in [
                ("attention.self.query", HIDDEN, HIDDEN),
                ("attention.self.key", HIDDEN, HIDDEN),
                ("attention.self.value", HIDDEN, HIDDEN),
                ("attention.output.dense", HIDDEN, HIDDEN),
                ("intermediate.dense", INNER, HIDDEN),
                ("output.dense", HIDDEN, INNER),
            ] {
                tensors.push((format!("encoder.layer.{layer}.{name}.weight"), vec![output, input]));
                tensors.push((format!("encoder.layer.{layer}.{name}.bias"), vec![output]));
            }
            for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
                tensors.push((format!("encoder.layer.{layer}.{name}.weight"), vec![HIDDEN]));
                tensors.push((format!("encoder.layer.{layer}.{name}.bias"), vec![HIDDEN]));
            }
        }
        let mut state = 7_u32;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let tensors = tensors.into_iter().map(|(name, shape)| {
            let numbers = (0..shape.iter().product()).map(|_| number()).collect();
            (name, shape, numbers)
        });
        Self {
            modules: json!([
                { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
                { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" },
            ]),
            config: json!({
                "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 2,
                "intermediate_size": INNER, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
                "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "vocab_size": WORDS.len(),
                "pad_token_id": 0, "position_embedding_type": "absolute",
            }),
            pooling: json!({ "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true }),
            sentence: json!({ "max_seq_length": 16, "do_lower_case": false }),
            tokenizer: tokenizer(),
            tensors: tensors.collect(),
        }
    }

    fn normalised(mut self) -> Self {
        let module =
            json!({ "idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize" });
        self.modules.as_array_mut().unwrap().push(module);
        self
    }

    fn by_first_token(mut self) -> Self {
        self.pooling = json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false });
        self
    }

    fn tensor(&mut self, name: &str) -> &mut (String, Vec<usize>, Vec<f32>) {
        self.tensors.iter_mut().find(|(known, ..)| known == name).unwrap()
    }

    fn write(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("1_Pooling")).unwrap();
        for (name, value) in [
            ("modules.json", &self.modules),
            ("config.json", &self.config),
            ("1_Pooling/config.json", &self.pooling),
            ("sentence_bert_config.json", &self.sentence),
            ("tokenizer.json", &self.tokenizer),
        ] {
            std::fs::write(root.join(name), value.to_string()).unwrap();
        }
        std::fs::write(root.join("model.safetensors"), safetensors(&self.tensors)).unwrap();
        folder
    }

    fn load(&self) -> Result<LocalModel, LocalModelError> {
        LocalModel::load(self.write().path())
    }

    /// Why it is not loaded.
    fn refused(&self) -> LocalModelError {
        match self.load() {
            Ok(_) => panic!("it was loaded"),
            Err(error) => error,
        }
    }
}

fn tokenizer() -> Value {
    let vocab: serde_json::Map<String, Value> =
        WORDS.iter().zip(0..).map(|(word, id): (_, u32)| ((*word).to_owned(), json!(id))).collect();
    let special = |id: usize| {
        json!({ "id": id, "content": WORDS[id], "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false })
    };
    let mark = |name: &str, id: u32| json!({ "id": name, "ids": [id], "tokens": [name] });
    json!({
        "version": "1.0",
        // As in published folders: of a training, and not to be followed.
        "truncation": { "max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right" },
        "padding": { "strategy": { "Fixed": 20 }, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]" },
        "added_tokens": [special(0), special(1), special(2), special(3)],
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "TemplateProcessing",
            "single": [{ "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                { "SpecialToken": { "id": "[SEP]", "type_id": 0 } }],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": { "[CLS]": mark("[CLS]", 2), "[SEP]": mark("[SEP]", 3) } },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab },
    })
}

/// The format is a length, a table as JSON, and the numbers.
fn safetensors(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let (mut table, mut numbers) = (serde_json::Map::new(), Vec::new());
    for (name, shape, values) in tensors {
        let from = numbers.len();
        numbers.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        table.insert(name.clone(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, numbers.len()] }));
    }
    let table = Value::Object(table).to_string();
    let mut bytes = (table.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(table.as_bytes());
    bytes.extend_from_slice(&numbers);
    bytes
}

async fn vectors(model: &LocalModel, texts: &[&str]) -> Vec<Vec<f32>> {
    let name = model.model().to_owned();
    model.embed(&name, texts.iter().map(|text| (*text).to_owned()).collect()).await.unwrap()
}

async fn vector(model: &LocalModel, text: &str) -> Vec<f32> {
    vectors(model, &[text]).await.remove(0)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn assert_near(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-5), "{a:?}\n{b:?}");
}

const QUESTION: &str = "How long does delivery take?";

#[tokio::test]
async fn a_vector_depends_on_its_text_alone() {
    let model = Made::bert().load().unwrap();
    let long = "parcel ".repeat(9);
    let texts: Vec<&str> = [QUESTION, "parcel", &long, "", "take?"].repeat(40);

    let together = vectors(&model, &texts).await;

    assert_eq!((together.len(), model.dims()), (texts.len(), HIDDEN));
    for (text, own) in texts.iter().zip(&together) {
        assert_near(own, &vector(&model, text).await);
    }
    assert!(dot(&together[0], &together[1]) != dot(&together[0], &together[0]));
    assert!(vectors(&model, &[]).await.is_empty());
}

#[tokio::test]
async fn mean_and_first_token_are_told_apart_in_old_files_and_new() {
    let mean = vector(&Made::bert().load().unwrap(), QUESTION).await;
    let first = vector(&Made::bert().by_first_token().load().unwrap(), QUESTION).await;

    for (named, expected) in [("mean", &mean), ("cls", &first)] {
        let mut made = Made::bert();
        made.pooling = json!({ "pooling_mode": named, "embedding_dimension": HIDDEN });
        assert_near(&vector(&made.load().unwrap(), QUESTION).await, expected);
    }
    assert!((0..HIDDEN).any(|at| (mean[at] - first[at]).abs() > 1e-3));
}

#[tokio::test]
async fn vectors_have_length_one_where_the_folder_says_so() {
    let plain = vector(&Made::bert().load().unwrap(), QUESTION).await;
    let unit = vector(&Made::bert().normalised().load().unwrap(), QUESTION).await;

    let length = dot(&plain, &plain).sqrt();
    assert!((length - 1.0).abs() > 0.01, "{length}");
    assert_near(&plain.iter().map(|x| x / length).collect::<Vec<_>>(), &unit);
}

#[tokio::test]
async fn a_text_is_read_as_far_as_the_folder_says_and_the_model_can() {
    let mut made = Made::bert();
    made.sentence = json!({ "max_seq_length": 6 });
    let six = made.load().unwrap();
    made.sentence = json!({ "max_seq_length": 9_999 });
    let all = made.load().unwrap();

    // Four words and the marks at both ends.
    assert_near(&vector(&six, "how long does delivery take").await, &vector(&six, "how long does delivery").await);
    let (thirty, more) = ("take ".repeat(30), "take ".repeat(500));
    assert_near(&vector(&all, &thirty).await, &vector(&all, &more).await);
    assert!(vector(&all, &thirty).await != vector(&all, "take").await);
}

#[tokio::test]
async fn the_kin_of_bert_give_what_bert_gives() {
    let mut bert = Made::bert();
    bert.tensor("embeddings.token_type_embeddings.weight").2.fill(0.0);
    let expected = vector(&bert.load().unwrap(), QUESTION).await;

    let mut roberta = Made::bert();
    roberta.config["model_type"] = json!("xlm-roberta");
    roberta.config["pad_token_id"] = json!(1);
    roberta.config["type_vocab_size"] = json!(1);
    roberta.config["max_position_embeddings"] = json!(POSITIONS + 2);
    let kinds = roberta.tensor("embeddings.token_type_embeddings.weight");
    (kinds.1, kinds.2) = (vec![1, HIDDEN], vec![0.0; HIDDEN]);
    let positions = roberta.tensor("embeddings.position_embeddings.weight");
    positions.1[0] += 2;
    positions.2.splice(0..0, vec![9.0; 2 * HIDDEN]);
    roberta.tensors.iter_mut().for_each(|(name, ..)| *name = format!("roberta.{name}"));

    let mut distilbert = Made::bert();
    distilbert.config = json!({ "model_type": "distilbert", "dim": HIDDEN, "hidden_dim": INNER, "n_layers": LAYERS,
        "n_heads": 2, "activation": "gelu", "max_position_embeddings": POSITIONS, "vocab_size": WORDS.len() });
    distilbert.tensors.retain(|(name, ..)| !name.contains("token_type"));
    for (name, ..) in &mut distilbert.tensors {
        for (from, to) in [
            ("encoder.", "transformer."),
            ("attention.self.query", "attention.q_lin"),
            ("attention.self.key", "attention.k_lin"),
            ("attention.self.value", "attention.v_lin"),
            ("attention.output.dense", "attention.out_lin"),
            ("attention.output.LayerNorm", "sa_layer_norm"),
            ("intermediate.dense", "ffn.lin1"),
            ("output.dense", "ffn.lin2"),
            ("output.LayerNorm", "output_layer_norm"),
        ] {
            *name = name.replace(from, to);
        }
    }

    for made in [roberta, distilbert] {
        assert_near(&vector(&made.load().unwrap(), QUESTION).await, &expected);
    }
}

#[tokio::test]
async fn the_name_follows_the_content_and_no_other_is_served() {
    let (one, same) = (Made::bert().write(), Made::bert().write());
    let mut made = Made::bert();
    made.tensors[0].2[5] += 0.5;
    let changed = made.write();
    let name = |folder: &Path| LocalModel::load(folder).unwrap().model().to_owned();
    let hash = |folder: &TempDir| name(folder.path()).split_once('@').unwrap().1.to_owned();
    let own = one.path().file_name().unwrap().to_string_lossy().into_owned();

    assert_eq!(name(one.path()), format!("{own}@{}", hash(&one)));
    assert_eq!(name(&one.path().join("1_Pooling/..")), name(one.path()));
    assert_eq!((hash(&one), hash(&one).len()), (hash(&same), 12));
    assert_ne!(hash(&one), hash(&changed));
    let model = LocalModel::load(one.path()).unwrap();
    let other = model.embed("another", vec!["take".to_owned()]).await;
    assert!(matches!(other, Err(ModelError::OtherModel(name)) if name == "another"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_does_not_wait_for_sites_that_are_embedded() {
    let model = Made::bert().load().unwrap();
    let jobs: Vec<_> = (0..3)
        .map(|_| {
            let model = model.clone();
            let site = vec!["how long does delivery take ?".repeat(4); 5_000];
            tokio::spawn(async move { model.embed(model.model(), site).await.map(|vectors| vectors.len()) })
        })
        .collect();

    for _ in 0..3 {
        vector(&model, QUESTION).await;
    }

    assert!(jobs.iter().all(|job| !job.is_finished()), "a job was done first");
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn what_is_not_supported_is_named_with_what_is() {
    let change = |change: &dyn Fn(&mut Made)| {
        let mut made = Made::bert();
        change(&mut made);
        made.refused().to_string()
    };
    let dense = json!({ "path": "2_Dense", "type": "sentence_transformers.models.Dense" });
    for (text, names) in [
        (change(&|made| made.config["model_type"] = json!("mpnet")), ["config.json", "\"mpnet\"", "xlm-roberta"]),
        (change(&|made| made.config["hidden_act"] = json!("silu")), ["config.json", "\"silu\"", "gelu"]),
        (
            change(&|made| made.config["position_embedding_type"] = json!("relative_key")),
            ["config.json", "\"relative_key\"", "absolute"],
        ),
        (change(&|made| made.config["num_attention_heads"] = json!(3)), ["config.json", "3 heads", "divide"]),
        (change(&|made| made.config["num_attention_heads"] = json!(0)), ["config.json", "0 heads", "above 0"]),
        (change(&|made| made.config["max_position_embeddings"] = json!(0)), ["config.json", "0 positions", "above 0"]),
        (
            change(&|made| made.pooling = json!({ "pooling_mode_max_tokens": true })),
            ["1_Pooling", "[max_tokens]", "mean_tokens"],
        ),
        (change(&|made| made.pooling = json!({})), ["1_Pooling", "[]", "mean_tokens"]),
        (
            change(&|made| {
                made.pooling = json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true });
            }),
            ["1_Pooling", "cls_token, mean_tokens", "either"],
        ),
        (
            change(&|made| made.modules.as_array_mut().unwrap().push(dense.clone())),
            ["modules.json", "Transformer, Pooling, Dense", "Normalize"],
        ),
        (change(&|made| made.modules = json!([])), ["modules.json", "modules ", "Pooling"]),
        (change(&|made| made.modules[1]["path"] = json!("../elsewhere")), ["modules.json", "../elsewhere", "inside"]),
        (change(&|made| made.modules[0]["path"] = json!("/etc")), ["modules.json", "/etc", "inside"]),
    ] {
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
    }
}

#[test]
fn every_file_that_is_missing_or_damaged_is_named() {
    for file in ["modules.json", "config.json", "1_Pooling/config.json", "tokenizer.json", "model.safetensors"] {
        let folder = Made::bert().write();
        let path = folder.path().join(file);
        let refused = || LocalModel::load(folder.path()).err().unwrap_or_else(|| panic!("{file}")).to_string();
        let whole = std::fs::read(&path).unwrap();

        // From nothing over its first half to all but the last byte.
        for length in [0, 1, 7, 8, 9, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(refused().contains(&format!("{} is damaged", path.display())), "{}", refused());
        }
        std::fs::write(&path, "[\"of another kind\"]").unwrap();
        assert!(refused().contains(&format!("{} is damaged", path.display())), "{}", refused());
        std::fs::remove_file(&path).unwrap();
        assert!(refused().contains(&format!("cannot read {}", path.display())), "{}", refused());
        std::fs::create_dir(&path).unwrap();
        assert!(refused().contains(&path.display().to_string()), "{}", refused());
    }
    let nowhere = LocalModel::load(Path::new("/no/such/folder")).err().unwrap().to_string();
    assert!(nowhere.contains("modules.json") && nowhere.contains("sentence-transformers"), "{nowhere}");
}

#[test]
fn weights_that_are_not_those_of_the_model_are_refused() {
    type Change = fn(&mut Made);
    let changes: [(&str, Change); 7] = [
        ("encoder.layer.1.output.dense.bias", |made| {
            made.tensors.retain(|(name, ..)| name != "encoder.layer.1.output.dense.bias");
        }),
        ("intermediate.dense", |made| made.config["intermediate_size"] = json!(INNER + 1)),
        ("encoder.layer.2", |made| made.config["num_hidden_layers"] = json!(usize::MAX)),
        ("token_type_embeddings", |made| made.config["hidden_size"] = json!(usize::MAX - 1)),
        ("word_embeddings", |made| made.config["vocab_size"] = json!(usize::MAX)),
        ("not finite numbers", |made| made.tensor("encoder.layer.0.output.dense.bias").2.fill(f32::NAN)),
        ("not finite numbers", |made| made.tensor("embeddings.word_embeddings.weight").2.fill(f32::INFINITY)),
    ];
    for (cause, change) in changes {
        let mut made = Made::bert();
        change(&mut made);

        let text = made.refused().to_string();

        assert!(text.contains("model.safetensors is damaged") && text.contains(cause), "{cause}: {text}");
    }
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let mut larger = Made::bert();
    larger.tokenizer["model"]["vocab"]["stranger"] = json!(12);
    let mut narrow = Made::bert();
    narrow.sentence = json!({ "max_seq_length": 1 });
    let mut other = Made::bert();
    other.tokenizer["model"]["type"] = json!("Sentences");

    for made in [larger, other] {
        let text = made.refused().to_string();
        assert!(text.contains("tokenizer.json is damaged"), "{text}");
    }
    // No room for the marks at the ends.
    assert!(matches!(narrow.refused(), LocalModelError::Unsupported { .. }));
}

#[test]
fn any_byte_of_the_weights_table_may_be_wrong() {
    let folder = Made::bert().write();
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let table = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;

    // Read, or refused; never a panic of the caller.
    for at in (0..table).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        std::fs::write(&path, bytes).unwrap();
        drop(LocalModel::load(folder.path()));
    }
}

/// Texts, and the cosines of each with those before it, by all-MiniLM-L6-v2: computed once in Python
/// with numpy in double precision, by a forward pass and a word-piece tokenizer written for that
/// purpose from the published description of BERT, from the same safetensors file and vocab.txt.
const GOLDEN: [(&str, &[f32]); 5] = [
    ("How long does delivery take?", &[]),
    ("When will my parcel arrive?", &[0.61433]),
    ("Are pets allowed?", &[-0.015353, 0.029331]),
    ("Où puis-je garer ma voiture, s'il vous plaît?", &[0.010794, 0.0119, 0.03817]),
    (
        "The warranty is two years from the day of purchase. Keep the receipt: without it we cannot repair or replace \
         the device free of charge.",
        &[0.052061, 0.084057, -0.00506, 0.048401],
    ),
];
/// The same for 400 words, of which 254 are read: the text's cosines with the five above.
const GOLDEN_LONG: [f32; 5] = [0.051381, 0.009422, 0.080225, -0.051897, -0.007661];
/// The first numbers of the first text's vector.
const GOLDEN_NUMBERS: [f32; 4] = [0.019778, -0.013603, 0.020733, 0.061425];
/// Of single precision against double, over six layers.
const GOLDEN_ERROR: f32 = 1e-4;

#[tokio::test]
async fn the_real_model_gives_the_numbers_of_another_implementation() {
    let Some(folder) = std::env::var_os("HELPBOT_TEST_MODEL_DIR") else {
        eprintln!("HELPBOT_TEST_MODEL_DIR names no folder: the real model was not tried");
        return;
    };
    let model = LocalModel::load(Path::new(&folder)).unwrap();
    let texts: Vec<&str> = GOLDEN.iter().map(|(text, _)| *text).collect();
    let golden = vectors(&model, &texts).await;
    let long = vector(&model, &"word ".repeat(400)).await;

    assert_eq!(model.dims(), 384);
    for (number, expected) in golden[0].iter().zip(GOLDEN_NUMBERS) {
        assert!((number - expected).abs() < GOLDEN_ERROR, "{number} {expected}");
    }
    for ((text, cosines), own) in GOLDEN.iter().zip(&golden) {
        assert!((dot(own, own) - 1.0).abs() < GOLDEN_ERROR);
        for (other, cosine) in golden.iter().zip(*cosines) {
            assert!((dot(own, other) - cosine).abs() < GOLDEN_ERROR, "{text}: {} {cosine}", dot(own, other));
        }
    }
    for (other, cosine) in golden.iter().zip(GOLDEN_LONG) {
        assert!((dot(&long, other) - cosine).abs() < GOLDEN_ERROR, "{} {cosine}", dot(&long, other));
    }
    let probes = model.embed(model.model(), external_embeddings::probes()).await.unwrap();
    assert!(CosineScale::of(&probes).is_some(), "it does not tell the probes apart");
}
