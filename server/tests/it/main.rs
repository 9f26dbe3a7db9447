//! Tests of the built `helpbot` program. Each module covers one area; `support` starts the program.

mod backups;
mod batch_jobs;
mod cli;
mod ends;
mod identity;
mod import;
mod key_rotation;
mod kill;
mod killed_syncs;
mod memory;
mod monitoring;
mod receiver;
mod rolling_restart;
mod serve;
mod support;
mod upgrades;
mod visitor;
