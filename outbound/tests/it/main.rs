//! The tests of the crate, in one binary: linking one program is faster than linking seven.
//! One module for each part of the crate; `site` and `authority` are shared fixtures.

mod authority;
mod fetch;
mod mail;
mod mail_tls;
mod site;
mod ssrf;
mod stream;
mod tls;
mod webhook;
