//! Replies, gathered until there is a good deal of them or the client waits: few writes, and
//! large ones.

use crate::client::{Gone, Wire};
use alloc::vec::Vec;

/// Replies go out when there is so much of them, in bytes.
const ENOUGH: usize = 64 * 1024;

/// Replies on their way to the client.
pub struct Output<W> {
    wire: W,
    waiting: Vec<u8>,
}

impl<W: Wire> Output<W> {
    /// Nothing said yet.
    #[must_use]
    pub fn new(wire: W) -> Self {
        Self { wire, waiting: Vec::new() }
    }

    /// Adds to the replies.
    ///
    /// # Errors
    /// The client is gone.
    pub fn put(&mut self, parts: &[&[u8]]) -> Result<(), Gone> {
        self.write_with(|waiting| parts.iter().for_each(|part| waiting.extend_from_slice(part)))
    }

    /// Adds to the replies what `write` appends, which should be no more than some ten thousand
    /// bytes at once.
    ///
    /// # Errors
    /// The client is gone.
    pub fn write_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Gone> {
        write(&mut self.waiting);
        if self.waiting.len() >= ENOUGH { self.flush() } else { Ok(()) }
    }

    /// Sends what there is.
    ///
    /// # Errors
    /// The client is gone.
    pub fn flush(&mut self) -> Result<(), Gone> {
        let sent = self.wire.send(&self.waiting);
        self.waiting.clear();
        sent
    }

    /// The connection.
    pub fn wire(&mut self) -> &mut W {
        &mut self.wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Wire for Vec<Vec<u8>> {
        fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
            if !bytes.is_empty() {
                self.push(bytes.to_vec());
            }
            Ok(())
        }
    }

    #[test]
    fn replies_go_out_together() {
        let mut output = Output::new(Vec::new());
        for _ in 0..3 {
            output.put(&[b"+OK ", b"\r\n"]).unwrap();
        }
        assert!(output.wire().is_empty());
        output.flush().unwrap();
        output.flush().unwrap();
        assert_eq!(output.wire().concat(), b"+OK \r\n+OK \r\n+OK \r\n");
        assert_eq!(output.wire().len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut output = Output::new(Vec::new());
        for _ in 0..1000 {
            output.put(&[&[b'x'; 1000]]).unwrap();
        }
        output.flush().unwrap();
        assert!(output.waiting.capacity() < 4 * ENOUGH);
        assert!(output.wire().len() < 20);
        assert_eq!(output.wire().concat().len(), 1_000_000);
    }
}
