//! What is logged: lines as a mail server's or a web server's, 87 bytes in the middle, of which one in fifty is an error.

use std::fmt::Write;
use std::ops::Range;

/// So much is made; who needs more has it again.
const SIZE: usize = 16 << 20;

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Whole lines, 16 MiB or so of them.
pub(super) fn lines() -> String {
    let mut dice = Dice(20_261_123);
    let mut text = String::with_capacity(SIZE + 1000);
    while text.len() < SIZE {
        let _ = line(&mut dice, &mut text);
    }
    text
}

/// Where each line of a text is, newline included.
pub(super) fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut begin = 0;
    let each = text.split_inclusive('\n').map(|line| {
        let range = begin..begin + line.len();
        begin = range.end;
        range
    });
    each.collect()
}

fn line(dice: &mut Dice, text: &mut String) -> std::fmt::Result {
    let (user, host) = (
        dice.one(&["alice", "bob", "carol.smith", "d", "eve+lists", "postmaster", "www-data"]),
        dice.one(&[
            "mx1.example.org",
            "example.net",
            "mail.a-longer-name.example.com",
            "host.test",
        ]),
    );
    let (a, b, c) = (dice.below(256), dice.below(256), dice.below(100_000));
    match dice.below(50) {
        0 => writeln!(
            text,
            "delivery {c}: error: unable to connect to {host} ({a}.{b}.0.1): timed out"
        ),
        1..10 => writeln!(
            text,
            "10.{a}.{b}.7 {host} \"GET /pages/{c}.html?from={user} HTTP/1.1\" 200 {} \"https://{host}/index\" \
             \"Mozilla/5.0 (X11; Linux)\"",
            c * 17
        ),
        10..20 => {
            writeln!(text, "tcpserver: ok {c} 0:192.0.2.1:25 {host}:10.{a}.{b}.9::{}", 1024 + c / 2)
        }
        20..30 => writeln!(text, "starting delivery {c}: msg {} to remote {user}@{host}", c * 31),
        30..35 => writeln!(text, "status: local {a}/10 remote {b}/20"),
        35..45 => writeln!(
            text,
            "delivery {c}: success: 10.{a}.{b}.3_accepted_message./Remote_host_said:_250_2.0.0_Ok:_queued_as_{:X}/",
            c * 7919
        ),
        _ => writeln!(
            text,
            "info msg {c}: bytes {} from <{user}@{host}> qp {} uid {a}",
            c * 13,
            c / 3
        ),
    }
}
