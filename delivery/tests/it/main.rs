//! The tests of the crate, in one binary: linking one program is faster than linking six.
//! One module for each capability; `support` holds the shared fixtures.

mod attempt;
mod claims;
mod clock;
mod endpoints;
mod hostile;
mod support;
mod worker;
