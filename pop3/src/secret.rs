//! Room for a secret: it stays where it is, so that no copies are left behind, and is wiped.

use core::ops::Deref;
use zeroize::Zeroize;

/// At most `ROOM` bytes, wiped when they are replaced and at the end.
pub struct Secret<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

/// It doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl<const ROOM: usize> Default for Secret<ROOM> {
    fn default() -> Self {
        Self { bytes: [0; ROOM], length: 0 }
    }
}

impl<const ROOM: usize> Secret<ROOM> {
    /// Holds this from now on, and what was there before no longer.
    ///
    /// # Errors
    /// It doesn't fit; nothing is held.
    pub fn set(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.wipe();
        bytes.iter().try_for_each(|byte| self.push(*byte))
    }

    /// One byte more.
    ///
    /// # Errors
    /// It doesn't fit; nothing is held any more.
    pub fn push(&mut self, byte: u8) -> Result<(), TooLong> {
        let Some(place) = self.bytes.get_mut(self.length) else {
            self.wipe();
            return Err(TooLong);
        };
        *place = byte;
        self.length += 1;
        Ok(())
    }

    /// Holds nothing from now on.
    pub fn wipe(&mut self) {
        self.bytes[..self.length].zeroize();
        self.length = 0;
    }
}

impl<const ROOM: usize> Deref for Secret<ROOM> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<const ROOM: usize> Drop for Secret<ROOM> {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_wiped() {
        let mut secret = Secret::<8>::default();
        secret.set(b"password").unwrap();
        secret.set(b"x").unwrap();
        assert_eq!((&*secret, secret.bytes), (&b"x"[..], *b"x\0\0\0\0\0\0\0"));
        assert_eq!(secret.set(b"123456789"), Err(TooLong));
        assert_eq!((&*secret, secret.bytes), (&b""[..], [0; 8]));
    }
}
