//! Content that the controller sends along: fetched only if it is needed, checked while it streams.

use serde::Deserialize;
use sha1::{Digest, Sha1};
use tokio::io::AsyncReadExt;

use crate::AttachmentId;
use crate::hex::hex;
use crate::result::Failure;
use crate::target::Target;

const CHUNK: usize = 64 * 1024;

/// What the controller tells of a file's content.
#[derive(Clone, Debug, Deserialize)]
pub struct Attached {
    /// Its name on the channel.
    pub id: AttachmentId,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-1, in hexadecimal digits.
    pub checksum: String,
    /// Its MD5, if the controller has it.
    pub md5: Option<String>,
    /// The mode of the controller's file, for `mode: preserve`.
    pub mode: Option<String>,
}

/// Takes the pieces of a content as they come.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Failure> + Send + 'a;

impl Attached {
    /// Streams the content to `sink`, in pieces of bounded size. What the sink got counts only where this returns without an error.
    ///
    /// # Errors
    /// When the connection is lost, the sink fails, or the content is not what was announced.
    pub async fn stream(&self, target: &dyn Target, sink: &mut Sink<'_>) -> Result<(), Failure> {
        let mut reader = target.attachment(&self.id).await?.reader;
        let mut sum = Sha1::new();
        let mut buffer = vec![0; CHUNK];
        let mut left = self.size;
        loop {
            let read = reader.read(&mut buffer).await;
            let read = read.map_err(|error| self.broken(&error.to_string()))?;
            if read == 0 {
                break;
            }
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| self.broken("it is longer than announced"))?;
            sum.update(&buffer[..read]);
            sink(&buffer[..read])?;
        }
        if left > 0 {
            return Err(self.broken("it is shorter than announced"));
        }
        if hex(&sum.finalize()) != self.checksum {
            return Err(self.broken("its checksum differs"));
        }
        Ok(())
    }

    /// Reads the whole content, for a difference to be shown. Only for content whose announced size is small.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn read(&self, target: &dyn Target) -> Result<Vec<u8>, Failure> {
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
