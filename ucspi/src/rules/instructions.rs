//! What a rule says, as its record holds it.

use alloc::vec::Vec;

/// One instruction. A rule without a [`Self::Deny`] allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction<'a> {
    /// The connection is dropped, whatever follows.
    Deny,
    /// `NAME=value`: the program gets this variable.
    Set(&'a [u8]),
}

/// The instructions of a record: strings that each end with a NUL, `D` and `+NAME=value`. Others, and what
/// follows the last NUL, mean nothing, as with the original.
#[derive(Debug, Clone)]
pub struct Instructions<'a>(&'a [u8]);

impl<'a> Instructions<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self(value)
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Instruction<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let end = self.0.iter().position(|byte| *byte == 0)?;
            let (text, rest) = (&self.0[..end], &self.0[end + 1..]);
            self.0 = rest;
            match text.split_first() {
                Some((b'D', _)) => return Some(Instruction::Deny),
                Some((b'+', variable)) => return Some(Instruction::Set(variable)),
                Some(_) | None => {}
            }
        }
    }
}

/// The record's bytes for an instruction.
pub(super) fn encode(instruction: Instruction<'_>, value: &mut Vec<u8>) {
    match instruction {
        Instruction::Deny => value.push(b'D'),
        Instruction::Set(variable) => {
            value.push(b'+');
            value.extend_from_slice(variable);
        }
    }
    value.push(0);
}

#[cfg(test)]
mod tests {
    use super::Instruction::{Deny, Set};
    use super::*;

    #[test]
    fn what_a_record_says() {
        let told = |value| Instructions::new(value).collect::<Vec<_>>();
        assert_eq!(told(b""), []);
        assert_eq!(told(b"D\0"), [Deny]);
        assert_eq!(told(b"+A=1\0+B=\0"), [Set(b"A=1"), Set(b"B=")]);
        assert_eq!(told(b"+A=1\0Dx\0+B=\0"), [Set(b"A=1"), Deny, Set(b"B=")]);
        assert_eq!(told(b"\0x\0+A=1\0y"), [Set(b"A=1")]);
        assert_eq!(told(b"D"), []);
    }

    #[test]
    fn what_is_encoded_is_told() {
        let mut value = Vec::new();
        let all = [Set(b"A=1"), Deny, Set(b"")];
        all.iter().for_each(|instruction| encode(*instruction, &mut value));
        assert_eq!(Instructions::new(&value).collect::<Vec<_>>(), all);
    }
}
