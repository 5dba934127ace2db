//! Content that the controller sends along: fetched only if it is needed, checked while it streams.

use rustle_module::{AttachmentId, Failure, Target};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::checksum::Sums;
use crate::staged::Staged;

const CHUNK: usize = 64 * 1024;

/// What the controller tells of a file's content.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Attached {
    /// Its name on the channel.
    pub(super) id: AttachmentId,
    /// Its length in bytes.
    pub(super) size: u64,
    /// Its SHA-1, in hexadecimal digits.
    pub(super) checksum: String,
    /// Its MD5, if the controller has it.
    pub(super) md5: Option<String>,
    /// The mode of the controller's file, for `mode: preserve`.
    pub(super) mode: Option<String>,
}

impl Attached {
    /// Streams the content to a staged file and returns its MD5.
    ///
    /// # Errors
    /// When the connection is lost, the disk is full, or the content is not what was announced.
    pub(super) async fn stage(
        &self,
        target: &dyn Target,
        staged: &mut Staged,
    ) -> Result<String, Failure> {
        let mut reader = target.attachment(&self.id).await?.reader;
        let mut sums = Sums::default();
        let mut buffer = vec![0; CHUNK];
        let mut left = self.size;
        loop {
            let read = read_some(&mut reader, &mut buffer).await?;
            if read == 0 {
                break;
            }
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| self.broken("it is longer than announced"))?;
            sums.update(&buffer[..read]);
            staged.write(&buffer[..read])?;
        }
        let (sha1, md5) = sums.finish();
        if left > 0 {
            return Err(self.broken("it is shorter than announced"));
        }
        if sha1 != self.checksum {
            return Err(self.broken("its checksum differs"));
        }
        Ok(md5)
    }

    /// Reads the whole content, for a difference to be shown. Only for content whose announced size is small.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn read(&self, target: &dyn Target) -> Result<Vec<u8>, Failure> {
        let reader = target.attachment(&self.id).await?.reader;
        let mut bytes = Vec::new();
        let read = reader.take(self.size).read_to_end(&mut bytes).await;
        read.map_err(|error| self.broken(&error.to_string()))?;
        Ok(bytes)
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::new(format!("the content did not arrive whole: {why}"))
            .with("expected_checksum", self.checksum.as_str())
    }
}

async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
) -> Result<usize, Failure> {
    let read = reader.read(buffer).await;
    read.map_err(|error| Failure::new(format!("the content did not arrive whole: {error}")))
}
