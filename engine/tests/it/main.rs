//! The tests of the crate, in one binary: linking one program is faster than linking eight.
//! One module for each capability; `support` holds the shared fixtures.

mod answers;
mod embedder;
mod generation;
mod injection;
mod languages;
mod local_model;
mod model_server;
mod properties;
mod questions;
mod support;
mod visitors;
