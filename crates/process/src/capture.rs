//! What is kept of a stream: its beginning and its end, within a limit.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

const DEFAULT_HALF: usize = 5 * 1024 * 1024;

/// How many bytes of each stream are kept.
///
/// The first `head_bytes` and the last `tail_bytes` are; what lies between is counted and dropped. It is memory that is
/// bounded, not the command, which may write as much as it likes. The default is 5 MiB each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes kept from the beginning of the stream.
    pub head_bytes: usize,
    /// Bytes kept from the end of the stream.
    pub tail_bytes: usize,
}

impl OutputLimit {
    /// Keeps nothing, for output that is only streamed.
    pub const NONE: Self = Self {
        head_bytes: 0,
        tail_bytes: 0,
    };

    /// Keeps `total_bytes` of a stream: the first half and the last half.
    #[must_use]
    pub const fn halves(total_bytes: usize) -> Self {
        Self {
            head_bytes: total_bytes.div_ceil(2),
            tail_bytes: total_bytes / 2,
        }
    }
}

impl Default for OutputLimit {
    fn default() -> Self {
        Self {
            head_bytes: DEFAULT_HALF,
            tail_bytes: DEFAULT_HALF,
        }
    }
}

/// What was kept of one stream. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The beginning, at most [`OutputLimit::head_bytes`].
    pub head: Bytes,
    /// What follows `head`, or where that is too much, the end of the stream, at most [`OutputLimit::tail_bytes`].
    pub tail: Bytes,
    /// Whether bytes between `head` and `tail` were dropped.
    pub truncated: bool,
    /// How many bytes were read from the stream, kept or not.
    pub total_bytes: u64,
}

impl Captured {
    /// Puts what was kept in one piece, `head` then `tail`, with no mark at a gap.
    ///
    /// Copies only when both parts have bytes.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        if self.tail.is_empty() {
            return self.head.clone();
        }
        if self.head.is_empty() {
            return self.tail.clone();
        }
        let mut whole = BytesMut::with_capacity(self.head.len() + self.tail.len());
        whole.extend_from_slice(&self.head);
        whole.extend_from_slice(&self.tail);
        whole.freeze()
    }

    /// Reads [`bytes`](Self::bytes) as UTF-8, with U+FFFD for what is not.
    #[must_use]
    pub fn to_string_lossy(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// How many bytes between `head` and `tail` were dropped.
    #[must_use]
    pub fn omitted_bytes(&self) -> u64 {
        let kept = self.head.len() + self.tail.len();
        self.total_bytes.saturating_sub(kept as u64)
    }
}

/// Collects one stream into a [`Captured`]; holds never more than the limit.
pub(crate) struct Capture {
    limit: OutputLimit,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total_bytes: u64,
}

impl Capture {
    pub(crate) fn new(limit: OutputLimit) -> Self {
        Self {
            limit,
            head: Vec::new(),
            tail: VecDeque::new(),
            total_bytes: 0,
        }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.total_bytes += chunk.len() as u64;
        let room = self.limit.head_bytes - self.head.len();
        let (head, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(head);
        self.push_tail(rest);
    }

    fn push_tail(&mut self, chunk: &[u8]) {
        let last = &chunk[chunk.len().saturating_sub(self.limit.tail_bytes)..];
        let excess = (self.tail.len() + last.len()).saturating_sub(self.limit.tail_bytes);
        self.tail.drain(..excess);
        self.tail.extend(last);
    }

    pub(crate) fn finish(self) -> Captured {
        let kept = (self.head.len() + self.tail.len()) as u64;
        Captured {
            head: self.head.into(),
            tail: Vec::from(self.tail).into(),
            truncated: self.total_bytes > kept,
            total_bytes: self.total_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: OutputLimit, chunks: &[&str]) -> Captured {
        let mut capture = Capture::new(limit);
        for chunk in chunks {
            capture.push(chunk.as_bytes());
        }
        capture.finish()
    }

    #[test]
    fn output_within_the_limit_is_whole_however_it_is_cut() {
        for chunks in [&["abcdefg"][..], &["abc", "defg"], &["a", "bcdef", "", "g"]] {
            let captured = captured(OutputLimit::halves(7), chunks);
            assert_eq!(captured.bytes(), "abcdefg");
            assert!(!captured.truncated);
            assert_eq!(captured.omitted_bytes(), 0);
        }
    }

    #[test]
    fn beginning_and_end_are_kept_and_the_middle_is_counted() {
        for chunks in [
            &["abcdefghij"][..],
            &["abcdef", "ghij"],
            &["ab", "c", "defghi", "j"],
        ] {
            let captured = captured(OutputLimit::halves(5), chunks);
            assert_eq!(
                (&captured.head[..], &captured.tail[..]),
                (&b"abc"[..], &b"ij"[..])
            );
            assert!(captured.truncated);
            assert_eq!((captured.total_bytes, captured.omitted_bytes()), (10, 5));
        }
    }

    #[test]
    fn limit_of_nothing_still_counts() {
        let captured = captured(OutputLimit::NONE, &["abc", "d"]);
        assert_eq!(captured.bytes(), "");
        assert!(captured.truncated);
        assert_eq!(captured.total_bytes, 4);
    }

    #[test]
    fn tail_alone_keeps_the_end() {
        let limit = OutputLimit {
            head_bytes: 0,
            tail_bytes: 3,
        };
        assert_eq!(captured(limit, &["abcdef", "g"]).bytes(), "efg");
    }
}
