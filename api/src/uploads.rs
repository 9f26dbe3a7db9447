//! Files that come with an operation: the scalar that stands for one in a document, and the file
//! itself, which the transport has put on disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::Arc;

use async_graphql::{Context, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use helpbot_domain::Invalid;
use helpbot_services::Error;

/// A file: `null` in the variables of a multipart request to `/graphql/upload`, whose `map` names
/// its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload(String);

/// A file: `null` in the variables of a multipart request to `/graphql/upload`, whose `map` names
/// its place.
#[Scalar(specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec")]
impl ScalarType for Upload {
    /// The token that the transport has put in the place of `null`: name and hash of the file.
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(token) => Ok(Self(token)),
            value => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A file that came with a request. It has no name in the file system and goes when this does.
#[derive(Debug)]
pub struct UploadedFile {
    /// What its sender calls it.
    pub name: String,
    /// Its bytes, wherever the file stands.
    pub content: File,
}

/// The files of a request by their tokens; request data.
#[derive(Debug, Clone, Default)]
pub struct UploadedFiles(Arc<HashMap<String, UploadedFile>>);

impl UploadedFiles {
    /// Of these.
    pub fn new(files: HashMap<String, UploadedFile>) -> Self {
        Self(Arc::new(files))
    }
}

impl Upload {
    /// The file's own name, and its bytes.
    ///
    /// # Errors
    /// `Invalid` names `file` when none came with the request.
    pub async fn read(&self, ctx: &Context<'_>) -> Result<(String, Vec<u8>), Error> {
        let files = ctx.data_opt::<UploadedFiles>().cloned().unwrap_or_default();
        let token = self.0.clone();
        let read = move || {
            let file = files.0.get(&token).ok_or_else(|| {
                Invalid::new(
                    "file",
                    "Send the file as multipart/form-data to /graphql/upload, as the specification says",
                )
            })?;
            let (mut bytes, mut content) = (Vec::new(), &file.content);
            content.rewind().and_then(|()| content.read_to_end(&mut bytes)).map_err(Error::internal)?;
            Ok((file.name.clone(), bytes))
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }
}
