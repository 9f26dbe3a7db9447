//! The built program, as people use it.

mod cli;
mod ends;
mod serve;
mod support;
