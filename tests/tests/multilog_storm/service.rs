//! What is logged: numbered lines, of which each is known by its number.

use std::io::{PipeReader, PipeWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// The line of this number, with its newline: of any length, now and then longer than what patterns see.
pub(crate) fn line(number: u64) -> Vec<u8> {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let length = match mixed % 64 {
        0 => mixed % 5000,
        1..16 => 0,
        _ => mixed % 200,
    };
    let kind = if number.is_multiple_of(2) { "even" } else { "odd" };
    let filling = "x".repeat(usize::try_from(length).expect("small"));
    format!("{kind} {number:08} {filling}\n").into_bytes()
}

/// The number of a line, if it is one of ours, and whole.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let word = text.split(|byte| *byte == b' ').nth(1)?;
    let number = std::str::from_utf8(word).ok()?.parse().ok()?;
    (line(number) == text).then_some(number)
}

/// A service that never pauses.
pub(crate) struct Service {
    pub(crate) pipe: PipeReader,
    sent: Arc<AtomicU64>,
    is_enough: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let (pipe, writer) = std::io::pipe().expect("a pipe");
        let (sent, is_enough) = <(Arc<AtomicU64>, Arc<AtomicBool>)>::default();
        let shared = (Arc::clone(&sent), Arc::clone(&is_enough));
        let thread = std::thread::spawn(move || speak(writer, &shared.0, &shared.1));
        Self { pipe, sent, is_enough, thread }
    }

    /// How many bytes are in the pipe, or have left it.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// It ends, some lines later: the pipe must be read for that.
    pub(crate) fn end(&self) {
        self.is_enough.store(true, Ordering::Relaxed);
    }

    /// How many lines there were.
    pub(crate) fn lines(self) -> u64 {
        self.thread.join().expect("sent")
    }
}

fn speak(mut writer: PipeWriter, sent: &AtomicU64, is_enough: &AtomicBool) -> u64 {
    let mut number = 0;
    while !is_enough.load(Ordering::Relaxed) {
        // Often several at once, and torn anywhere.
        let mut text = Vec::new();
        for _ in 0..=number % 7 {
            text.extend(line(number));
            number += 1;
        }
        for part in text.chunks(611) {
            writer.write_all(part).expect("the test has a reading end");
            sent.fetch_add(part.len() as u64, Ordering::Relaxed);
        }
    }
    number
}
