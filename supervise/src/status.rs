//! `supervise/status`: what a service does, in 18 bytes that Debian's, encore's and our own programs
//! read alike.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–11 | TAI64N label of the moment when the service last came up or went down |
//! | 12–15 | its process id, little-endian; 0 when it is down |
//! | 16 | 1 while it is paused |
//! | 17 | what is wanted: `u` up, `d` down, 0 once |
//!
//! daemontools-encore writes 20 or 40 bytes, runit 20; all begin with these 18.

use common::tai64n::Label;

/// The name of the file, in a service directory.
pub const PATH: &core::ffi::CStr = c"supervise/status";

/// How many bytes a status has.
pub const SIZE: usize = 18;

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// When the service last came up or went down.
    pub since: Label,
    /// Its process id; 0 when it is down.
    pub pid: u32,
    /// Whether it was stopped by `svc -p`.
    pub paused: bool,
    /// What is wanted of it.
    pub want: Want,
}

/// What is wanted of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// It is started again when it ends.
    Up,
    /// It is not.
    Down,
    /// It may run to its end, and is not started again.
    Once,
}

impl Status {
    /// The file's content.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..12].copy_from_slice(&self.since.to_bytes());
        bytes[12..16].copy_from_slice(&self.pid.to_le_bytes());
        bytes[16] = self.paused.into();
        bytes[17] = match self.want {
            Want::Up => b'u',
            Want::Down => b'd',
            Want::Once => 0,
        };
        bytes
    }

    /// Reads the first 18 bytes; `None` if there are fewer. Nothing else can be wrong with them: a
    /// byte 16 that isn't 0 means paused, a byte 17 that is neither `u` nor `d` means once, as for
    /// the original.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [since @ .., p0, p1, p2, p3, paused, want] = bytes.first_chunk::<SIZE>()?;
        Some(Self {
            since: Label::from_bytes(*since),
            pid: u32::from_le_bytes([*p0, *p1, *p2, *p3]),
            paused: *paused != 0,
            want: match want {
                b'u' => Want::Up,
                b'd' => Want::Down,
                _ => Want::Once,
            },
        })
    }

    /// For how many whole seconds it has been so at `now`; 0 if the clock was set back since.
    #[must_use]
    pub fn seconds(&self, now: Label) -> u64 {
        u64::try_from(now.unix_seconds().saturating_sub(self.since.unix_seconds())).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    /// What Debian's supervise wrote at 2026-11-23 04:17:37 UTC.
    const DEBIAN: [u8; SIZE] =
        [0x40, 0, 0, 0, 0x6b, 0x03, 0xbe, 0x59, 0x31, 0x21, 0x24, 0x0c, 0x54, 0x22, 0, 0, 0, 0x75];

    #[test]
    fn a_status_of_debians() {
        let status = Status::decode(&DEBIAN).expect("18 bytes");
        assert_eq!(status.pid, 8788);
        assert_eq!((status.paused, status.want), (false, Want::Up));
        assert_eq!(status.since.unix_seconds(), 1_795_407_439);
        assert_eq!(status.encode(), DEBIAN);
    }

    #[test]
    fn truncated_is_no_status_and_longer_ones_begin_like_ours() {
        assert_eq!(Status::decode(&DEBIAN[..17]), None);
        assert_eq!(Status::decode(b""), None);
        for more in [2, 22] {
            let longer = [&DEBIAN[..], &vec![3; more]].concat();
            assert_eq!(Status::decode(&longer), Status::decode(&DEBIAN));
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_time() {
        let status = Status::decode(&DEBIAN).expect("18 bytes");
        let later = |seconds: u64| Label::from_unix(Duration::from_secs(1_795_407_439 + seconds));
        assert_eq!(status.seconds(later(7)), 7);
        assert_eq!(status.seconds(Label::from_unix(Duration::from_secs(5))), 0);
    }

    fn wants() -> impl Strategy<Value = Want> {
        prop_oneof![Just(Want::Up), Just(Want::Down), Just(Want::Once)]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(since: [u8; 12], pid: u32, paused: bool, want in wants()) {
            let status = Status { since: Label::from_bytes(since), pid, paused, want };
            prop_assert_eq!(Status::decode(&status.encode()), Some(status));
        }

        #[test]
        fn any_18_bytes_are_a_status(bytes: [u8; SIZE], now: [u8; 12]) {
            let status = Status::decode(&bytes).expect("18 bytes");
            let _ = status.seconds(Label::from_bytes(now));
            prop_assert_eq!(&status.encode()[..16], &bytes[..16]);
        }
    }
}
