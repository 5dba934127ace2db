//! Messages as frames on a byte stream.

use std::marker::PhantomData;

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use crate::MAX_FRAME;

/// Why a message could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream failed, or a frame is longer than [`MAX_FRAME`].
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    /// A frame does not hold a message of this protocol.
    #[error("the other side sent a message that cannot be read")]
    Decode(#[from] rmp_serde::decode::Error),
    /// A message cannot be written.
    #[error("a message cannot be written")]
    Encode(#[from] rmp_serde::encode::Error),
    /// A message is longer than a frame may be.
    #[error("a message of {size} bytes is longer than the {MAX_FRAME} that a frame may have")]
    TooLong {
        /// Its size in bytes.
        size: usize,
    },
}

/// Reads messages of type `M`. Cancel-safe: a dropped [`FrameReader::next`] loses nothing.
pub struct FrameReader<R, M> {
    frames: FramedRead<R, LengthDelimitedCodec>,
    message: PhantomData<fn() -> M>,
}

impl<R: AsyncRead + Unpin, M: DeserializeOwned> FrameReader<R, M> {
    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            frames: FramedRead::new(reader, codec()),
            message: PhantomData,
        }
    }

    /// Reads from `reader`, after the bytes in `already` that were read from it before.
    pub fn with_already_read(reader: R, already: &[u8]) -> Self {
        let mut this = Self::new(reader);
        this.frames.read_buffer_mut().put_slice(already);
        this
    }

    /// The next message; none when the other side has closed the stream between two frames.
    ///
    /// # Errors
    /// When the stream fails or ends within a frame, or a frame is too long or unreadable.
    pub async fn next(&mut self) -> Result<Option<M>, FrameError> {
        match self.frames.next().await {
            None => Ok(None),
            Some(frame) => Ok(Some(rmp_serde::from_slice(&frame?)?)),
        }
    }
}

/// Writes messages of type `M`.
pub struct FrameWriter<W, M> {
    frames: FramedWrite<W, LengthDelimitedCodec>,
    message: PhantomData<fn(M)>,
}

impl<W: AsyncWrite + Unpin, M: Serialize> FrameWriter<W, M> {
    /// Writes to `writer`.
    pub fn new(writer: W) -> Self {
        Self {
            frames: FramedWrite::new(writer, codec()),
            message: PhantomData,
        }
    }

    /// Writes a message and flushes it.
    ///
    /// # Errors
    /// When the stream fails, or the message is too long; then nothing of it was written.
    pub async fn send(&mut self, message: &M) -> Result<(), FrameError> {
        let frame = encode(message)?;
        Ok(self.frames.send(frame).await?)
    }

    /// Writes a message without flushing; a later [`FrameWriter::send`] or [`FrameWriter::flush`] does.
    ///
    /// # Errors
    /// As [`FrameWriter::send`].
    pub async fn feed(&mut self, message: &M) -> Result<(), FrameError> {
        let frame = encode(message)?;
        Ok(self.frames.feed(frame).await?)
    }

    /// Flushes what was fed.
    ///
    /// # Errors
    /// When the stream fails.
    pub async fn flush(&mut self) -> Result<(), FrameError> {
        Ok(SinkExt::<Bytes>::flush(&mut self.frames).await?)
    }
}

fn encode<M: Serialize>(message: &M) -> Result<Bytes, FrameError> {
    let mut buffer = BytesMut::new().writer();
    message.serialize(&mut rmp_serde::Serializer::new(&mut buffer).with_struct_map())?;
    let frame = buffer.into_inner().freeze();
    if frame.len() > MAX_FRAME {
        Err(FrameError::TooLong { size: frame.len() })
    } else {
        Ok(frame)
    }
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(MAX_FRAME)
        .new_codec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, CallId, Reply, Request};
    use rustle_types::{Mode, ModuleResult};
    use serde_json::{Value, json};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    fn call(args: Value) -> Request {
        let Value::Object(args) = args else {
            panic!("an object")
        };
        Request::Call(Box::new(Call {
            id: CallId(7),
            key: "run/h1/0.3/-/1".into(),
            module: "copy".into(),
            args,
            mode: Mode {
                check: true,
                diff: false,
            },
            environment: [("A".to_owned(), "b".to_owned())].into(),
            timeout_ms: Some(600_000),
            background_s: None,
            stream: true,
            r#become: None,
            inline: vec![],
        }))
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        runtime().block_on(async {
            let (near, far) = tokio::io::duplex(64);
            let sent = call(json!({"b": [1, -2, 1.5, null, true], "a": {"x": "é\u{0}"}}));
            let write = async {
                let mut writer = FrameWriter::new(near);
                writer.feed(&sent).await.unwrap();
                writer.send(&sent).await.unwrap();
            };
            let read = async {
                let mut reader = FrameReader::<_, Request>::new(far);
                assert_eq!(reader.next().await.unwrap().as_ref(), Some(&sent));
                assert_eq!(reader.next().await.unwrap().as_ref(), Some(&sent));
                assert_eq!(reader.next().await.unwrap(), None);
            };
            futures::join!(write, read);
        });
    }

    #[test]
    fn a_frame_longer_than_allowed_is_refused_before_it_is_read() {
        runtime().block_on(async {
            let mut reader = FrameReader::<_, Reply>::new(&[0xff, 0xff, 0xff, 0xff, 1, 2][..]);
            assert!(matches!(reader.next().await, Err(FrameError::Io(_))));
        });
    }

    #[test]
    fn a_stream_that_ends_within_a_frame_is_an_error() {
        runtime().block_on(async {
            let mut reader = FrameReader::<_, Reply>::new(&[0, 0, 0, 9, 1][..]);
            assert!(reader.next().await.is_err());
        });
    }

    proptest::proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            runtime().block_on(async {
                let mut framed = vec![0, 0, 0, u8::try_from(bytes.len()).unwrap()];
                framed.extend(&bytes);
                let mut reader = FrameReader::<_, Reply>::new(&framed[..]);
                let _ = reader.next().await;
            });
        }

        #[test]
        fn results_round_trip(msg in ".{0,40}", rc in proptest::num::i64::ANY, changed in proptest::bool::ANY) {
            runtime().block_on(async {
                let mut result = ModuleResult { changed, msg: Some(json!(msg)), ..ModuleResult::default() };
                result.result.insert("rc".into(), json!(rc));
                let sent = Reply::Done { call: CallId(1), result: Box::new(result) };
                let mut bytes = Vec::new();
                FrameWriter::new(&mut bytes).send(&sent).await.unwrap();
                let got = FrameReader::<_, Reply>::new(&bytes[..]).next().await.unwrap();
                assert_eq!(got, Some(sent));
            });
        }
    }
}
