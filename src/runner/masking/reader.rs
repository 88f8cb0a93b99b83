//! A reader whose bytes are masked.

use std::io::{self, Read};

use super::stream::Masker;

const CHUNK: usize = 64 << 10;

/// What another reader reads, without the values.
pub(in crate::runner) struct MaskedReader<R> {
    inner: R,
    masker: Masker,
    buffer: Vec<u8>,
    /// Masked bytes, and how many of them were read.
    ready: Vec<u8>,
    read: usize,
    over: bool,
}

impl<R> MaskedReader<R> {
    pub(super) fn new(inner: R, masker: Masker) -> Self {
        Self { inner, masker, buffer: vec![0; CHUNK], ready: Vec::new(), read: 0, over: false }
    }
}

impl<R: Read> Read for MaskedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() && !self.over {
            self.ready.clear();
            self.read = 0;
            match self.inner.read(&mut self.buffer)? {
                0 => {
                    self.over = true;
                    self.masker.end(&mut self.ready);
                }
                length => self.masker.push(&self.buffer[..length], &mut self.ready),
            }
        }
        let count = (&self.ready[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}
