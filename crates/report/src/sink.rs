//! Writes text until nobody reads it any more.

use std::io::Write;

/// Owns a writer, and drops it once it fails: a broken pipe is no reason to end a run, and there is nobody left to tell.
pub(crate) struct Sink {
    out: Option<Box<dyn Write + Send>>,
}

impl Sink {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Some(out) }
    }

    pub(crate) fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let Some(out) = &mut self.out else { return };
        if out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .is_err()
        {
            self.out = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct BrokenPipe(Arc<AtomicU32>);

    impl Write for BrokenPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn broken_pipe_is_written_to_once() {
        let writes = Arc::new(AtomicU32::new(0));
        let mut sink = Sink::new(Box::new(BrokenPipe(Arc::clone(&writes))));
        sink.write("one");
        sink.write("two");
        assert_eq!(writes.load(Ordering::Relaxed), 1);
    }
}
