//! `supervise/status`: what a service does, in bytes that Debian's, encore's and our own programs
//! read alike.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–11 | TAI64N label of the moment when the service last came up or went down |
//! | 12–15 | its process id, little-endian; 0 when it is down |
//! | 16 | 1 while it is paused |
//! | 17 | what is wanted: `u` up, `d` down, 0 once |
//! | 18 | its [`State`] |
//! | 19 | 0 |
//! | 20–39 | the same of the `log` that supervise itself runs, if there is one |
//!
//! 0.76 writes the first 18, daemontools-encore 20 or 40, runit 20 with another meaning of the last
//! two. Whoever reads 18 bytes reads all of them.

use common::tai64n::Label;

/// How many bytes of a status everybody reads.
pub const LEAST: usize = 18;

/// How many bytes we write for a process.
pub const SIZE: usize = 20;

/// How many bytes the file has at most.
pub const LARGEST: usize = 2 * SIZE;

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
    /// Where it is between down and up; `None` in a status of 0.76.
    pub state: Option<State>,
}

/// Where a service is between down and up, as daemontools-encore numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It doesn't run, and isn't to.
    Stopped,
    /// Its `start` runs, or it waits for its next start.
    Starting,
    /// Its `start` has run, and there is no `run`.
    Started,
    /// It runs.
    Running,
    /// It was told to end, or its `stop` or `finish` runs.
    Stopping,
    /// It has failed for good.
    Failed,
    /// None of encore's numbers.
    Unknown(u8),
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

impl State {
    const KNOWN: [Self; 6] =
        [Self::Stopped, Self::Starting, Self::Started, Self::Running, Self::Stopping, Self::Failed];

    /// Its number in a status.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Starting => 1,
            Self::Started => 2,
            Self::Running => 3,
            Self::Stopping => 4,
            Self::Failed => 5,
            Self::Unknown(number) => number,
        }
    }

    /// The state of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        Self::KNOWN.get(usize::from(number)).copied().unwrap_or(Self::Unknown(number))
    }
}

/// What the file says: of the service, and of the `log` that its supervise runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses {
    /// The service.
    pub service: Status,
    /// Its `log`, if that is an executable file.
    pub log: Option<Status>,
}

impl Statuses {
    /// The file's content, and how much of the array that is.
    #[must_use]
    pub fn encode(&self) -> ([u8; LARGEST], usize) {
        let mut bytes = [0; LARGEST];
        let (service, log) = bytes.split_at_mut(SIZE);
        service.copy_from_slice(&self.service.encode());
        match self.log {
            Some(status) => {
                log.copy_from_slice(&status.encode());
                (bytes, LARGEST)
            }
            None => (bytes, SIZE),
        }
    }

    /// Reads a file's content; `None` if it has fewer than 18 bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let service = Status::decode(bytes)?;
        Some(Self { service, log: bytes.get(SIZE..).and_then(Status::decode) })
    }
}

impl Status {
    /// A process's bytes.
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
        bytes[18] = self.state.unwrap_or(State::Unknown(u8::MAX)).number();
        bytes
    }

    /// Reads the first bytes; `None` if there are fewer than 18. Nothing else can be wrong with them:
    /// a byte 16 that isn't 0 means paused, a byte 17 that is neither `u` nor `d` means once, as for
    /// the original.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [since @ .., p0, p1, p2, p3, paused, want] = bytes.first_chunk::<LEAST>()?;
        Some(Self {
            since: Label::from_bytes(*since),
            pid: u32::from_le_bytes([*p0, *p1, *p2, *p3]),
            paused: *paused != 0,
            want: match want {
                b'u' => Want::Up,
                b'd' => Want::Down,
                _ => Want::Once,
            },
            state: bytes.get(LEAST).map(|number| State::from_number(*number)),
        })
    }

    /// For how many whole seconds it has been so at `now`; 0 if the clock was set back since.
    #[must_use]
    pub fn seconds(&self, now: Label) -> u64 {
        now.seconds_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    /// What Debian's supervise wrote at 2026-11-23 04:17:37 UTC.
    const DEBIAN: [u8; LEAST] =
        [0x40, 0, 0, 0, 0x6b, 0x03, 0xbe, 0x59, 0x31, 0x21, 0x24, 0x0c, 0x54, 0x22, 0, 0, 0, 0x75];

    #[test]
    fn a_status_of_debians() {
        let status = Status::decode(&DEBIAN).expect("18 bytes");
        assert_eq!(status.pid, 8788);
        assert_eq!((status.paused, status.want), (false, Want::Up));
        assert_eq!(status.since.unix_seconds(), 1_795_407_439);
        assert_eq!(status.state, None);
        assert_eq!(status.encode()[..LEAST], DEBIAN);
    }

    #[test]
    fn a_status_of_encores() {
        let service = [&DEBIAN[..], &[3, 0]].concat();
        let log = [&DEBIAN[..], &[5, 0]].concat();
        let both = Statuses::decode(&[service.clone(), log].concat()).expect("40 bytes");
        assert_eq!(both.service.state, Some(State::Running));
        assert_eq!(both.log.expect("20 bytes of it").state, Some(State::Failed));
        assert_eq!(Statuses::decode(&service).expect("20 bytes").log, None);
    }

    #[test]
    fn truncated_is_no_status_and_longer_ones_begin_like_ours() {
        assert_eq!(Status::decode(&DEBIAN[..17]), None);
        assert_eq!(Status::decode(b""), None);
        for more in 1..30 {
            let longer = [&DEBIAN[..], &vec![9; more]].concat();
            let statuses = Statuses::decode(&longer).expect("over 18 bytes");
            assert_eq!(statuses.service.pid, 8788);
            assert_eq!(statuses.service.state, Some(State::Unknown(9)));
            assert_eq!(statuses.log.is_some(), longer.len() >= SIZE + LEAST, "{more} more");
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_time() {
        let status = Status::decode(&DEBIAN).expect("18 bytes");
        let later = |seconds: u64| Label::from_unix(Duration::from_secs(1_795_407_439 + seconds));
        assert_eq!(status.seconds(later(7)), 7);
        assert_eq!(status.seconds(Label::from_unix(Duration::from_secs(5))), 0);
        let end_of_time = Status { since: Label::from_bytes([0xff; 12]), ..status };
        assert_eq!(end_of_time.seconds(later(0)), 0);
    }

    fn wants() -> impl Strategy<Value = Want> {
        prop_oneof![Just(Want::Up), Just(Want::Down), Just(Want::Once)]
    }

    prop_compose! {
        fn statuses()(
            since: [u8; 12], pid: u32, paused: bool, want in wants(), state: u8,
        ) -> Status {
            let since = Label::from_bytes(since);
            Status { since, pid, paused, want, state: Some(State::from_number(state)) }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(service in statuses(), log in proptest::option::of(statuses())) {
            let both = Statuses { service, log };
            let (bytes, length) = both.encode();
            prop_assert_eq!(Statuses::decode(&bytes[..length]), Some(both));
        }

        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(Statuses::decode(&bytes).is_some(), bytes.len() >= LEAST);
        }
    }
}
