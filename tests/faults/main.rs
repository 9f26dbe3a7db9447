//! Tests of failures of nodes and of the database, with the program as its operators run it: killed nodes, a database that is
//! stopped, frozen or silent, and clocks that are wrong. `scripts/nightly faults` runs them; the test command does not.
//! tests/README.md lists which test shows what.

mod dashboards;
mod database_server;
mod endpoint;
mod failing_disk;
mod full_disk;
mod late_commits;
mod nodes;
mod preloaded;
mod repeated_requests;
mod restart_storm;
mod three_nodes;
mod visitors;
