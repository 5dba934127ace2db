//! Bodies as they come: of a known length, in chunks, or until the connection ends.

use std::io::{self, BufRead, Read};

/// The longest line between chunks.
const LINE_LIMIT: u64 = 16 << 10;

/// A body whose end is told before it.
pub(crate) struct Sized<R> {
    pub(crate) reader: R,
    pub(crate) left: u64,
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.reader.read(&mut buffer[..wanted])?;
        if read == 0 && wanted > 0 {
            return Err(too_early());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// A body in chunks, each with its length before it.
pub(crate) struct Chunked<R> {
    reader: R,
    left: u64,
    is_begun: bool,
    is_done: bool,
}

impl<R: BufRead> Chunked<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self {
            reader,
            left: 0,
            is_begun: false,
            is_done: false,
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.reader)
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(too_early());
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        if self.is_begun {
            // The end of the line that the chunk before is on.
            self.line()?;
        }
        self.is_begun = true;
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        self.left = u64::from_str_radix(digits, 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk without a length"))?;
        if self.left == 0 {
            self.is_done = true;
            // Headers behind the body tell nothing that is wanted here.
            while !self.line()?.is_empty() {}
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_done {
            self.next_chunk()?;
        }
        if self.is_done || buffer.is_empty() {
            return Ok(0);
        }
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.reader.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(too_early());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn too_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the connection ended before the whole answer was there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str) -> io::Result<String> {
        let mut read = String::new();
        Chunked::new(text.as_bytes()).read_to_string(&mut read)?;
        Ok(read)
    }

    #[test]
    fn chunks_are_put_together() {
        let text = "4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\nTrailer: z\r\n\r\n";
        assert_eq!(chunks(text).expect("whole"), "abcdef");
    }

    #[test]
    fn bodies_that_end_too_early_are_errors() {
        for text in ["4\r\nab", "4\r\nabcd\r\n", "zz\r\n", "4\r\nabcd\r\n0\r\n"] {
            assert!(chunks(text).is_err(), "{text}");
        }
        let mut sized = Sized {
            reader: &b"ab"[..],
            left: 3,
        };
        assert!(sized.read_to_end(&mut Vec::new()).is_err());
    }
}
