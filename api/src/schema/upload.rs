//! The scalar `Upload`, which represents a file of a multipart request.
//!
//! Resolvers read the file through [`Upload::read`]. The transport stores it on disk and attaches it to
//! the operation.

use async_graphql::{Context, Description, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use helpbot_services::Error;

use crate::gateway::files::UploadedFiles;

/// A file that is sent with a multipart request to `/graphql/upload`. The variable is null, and the
/// form field `map` connects it to the file.
#[derive(Debug, Clone, PartialEq, Eq, Description)]
pub struct Upload(String);

#[Scalar(use_type_description, specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec")]
impl ScalarType for Upload {
    /// Reads the token that the transport put in place of null: name and hash of the file.
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

impl Upload {
    /// Reads the name and the content of the file.
    ///
    /// # Errors
    /// `Invalid` names the field `file` when the request contains no such file.
    pub async fn read(&self, ctx: &Context<'_>) -> Result<(String, Vec<u8>), Error> {
        ctx.data_opt::<UploadedFiles>().cloned().unwrap_or_default().read(&self.0).await
    }
}
