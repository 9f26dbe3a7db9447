//! The built program, as people use it.

mod cli;
mod ends;
mod import;
mod kill;
mod receiver;
mod serve;
mod support;

#[allow(dead_code, reason = "the databases of other suites too; this one uses a part")]
#[path = "../../../db/tests/suite/database.rs"]
mod database;
