//! Limits the number of uploads that are received and processed at the same time.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::settings::UploadSettings;
use crate::error::{ApiError, ErrorCode};

/// Free slots for uploads.
#[derive(Debug)]
pub(super) struct UploadSlots {
    receiving: Semaphore,
    working: Semaphore,
}

impl UploadSlots {
    pub fn new(settings: &UploadSettings) -> Self {
        Self { receiving: Semaphore::new(settings.receiving), working: Semaphore::new(settings.working) }
    }

    /// Takes a slot for receiving a file.
    ///
    /// # Errors
    /// `UNAVAILABLE` when all slots are taken.
    pub fn receive(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.receiving.try_acquire().map_err(|_| busy())
    }

    /// Waits for a slot for processing a received file.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the server shuts down.
    pub async fn work(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.working.acquire().await.map_err(|_| busy())
    }
}

fn busy() -> ApiError {
    let message = "The server is receiving the maximum number of uploads";
    ApiError::new(ErrorCode::Unavailable, message).retry_after(Duration::from_secs(5))
}
