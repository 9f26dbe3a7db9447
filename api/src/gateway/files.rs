//! Files that were uploaded with an operation.
//!
//! The upload transport stores a file on disk and attaches it to the operation; the `Upload` scalar
//! of the schema reads it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::Arc;

use helpbot_domain::Invalid;
use helpbot_services::Error;

/// A file that was uploaded with a request. It has no name in the file system and is deleted when
/// this value is dropped.
#[derive(Debug)]
pub struct UploadedFile {
    /// The file name that the client sent.
    pub name: String,
    /// The content. The position in the file is not defined.
    pub content: File,
}

/// The files of a request by the token that represents them in the variables.
#[derive(Debug, Clone, Default)]
pub struct UploadedFiles(Arc<HashMap<String, UploadedFile>>);

impl UploadedFiles {
    /// Creates the collection.
    pub fn new(files: HashMap<String, UploadedFile>) -> Self {
        Self(Arc::new(files))
    }

    /// Reads the name and content of the file that `token` represents.
    ///
    /// # Errors
    /// `Invalid` with the field `file` when the request does not contain this file.
    pub async fn read(&self, token: &str) -> Result<(String, Vec<u8>), Error> {
        let (files, token) = (self.clone(), token.to_owned());
        let read = move || {
            let file = files.0.get(&token).ok_or_else(|| {
                let message = "The request contains no file. Send it as multipart/form-data to /graphql/upload.";
                Invalid::new("file", message)
            })?;
            let (mut bytes, mut content) = (Vec::new(), &file.content);
            content.rewind().and_then(|()| content.read_to_end(&mut bytes)).map_err(Error::internal)?;
            Ok((file.name.clone(), bytes))
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }
}
