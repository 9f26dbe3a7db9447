//! Tests of the built `helpbot` program. Each module covers one area; `support` starts the program.

mod cli;
mod ends;
mod import;
mod kill;
mod receiver;
mod killed_syncs;
mod memory;
mod serve;
mod support;
