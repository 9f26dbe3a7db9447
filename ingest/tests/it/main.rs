//! The tests of the crate, in one binary: linking one program is faster than linking three.
//! `pdf_child` stays a program of its own because it is its own child process.

mod elements;
mod files;
mod hostile;
mod layout;
mod office;
mod office_details;
mod office_further;
mod pdf;
mod reading;
mod shown;
mod styles;
mod text_files;
