//! The built program, as people use it.

mod cli;
mod ends;
mod import;
mod kill;
mod receiver;
mod serve;
mod support;
