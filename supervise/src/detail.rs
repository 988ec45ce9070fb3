//! `supervise/detail`: what `svstat --long` and `--json` tell beyond the 20 bytes of a status.
//!
//! One record of [`SIZE`] bytes for the service, a second one for the `log` that supervise itself
//! runs. supervise keeps the file open and rewrites it in place with one write: cheaper than another
//! rename, and a record that was torn is known by its checksum. All numbers are little-endian; times
//! are TAI64N labels, all zero for "never".
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–3 | `dtd1` |
//! | 4–15 | since when: the status's label |
//! | 16–19 | process id: the status's |
//! | 20 | [`Phase`] |
//! | 21 | why it failed: [`Failure`] |
//! | 22 | 1 if it tells when it is ready (`notification-fd`) |
//! | 23 | how it last ended: 0 never, 1 exit code, 2 signal, 3 not known |
//! | 24 | that exit code or signal |
//! | 25–31 | 0 |
//! | 32–43 | since when it is ready |
//! | 44–55 | until when it waits, or its script may take |
//! | 56–67 | when it last ended |
//! | 68–71 | its process id then |
//! | 72–79 | the minute since boot that [`Restarts`] count up to |
//! | 80–199 | restarts in each of the 60 minutes up to it, the last one first |
//! | 200–247 | 0 |
//! | 248–255 | checksum of all before (FNV-1a, 64 bits) |

use common::tai64n::Label;
use core::time::Duration;

/// How many bytes a record has.
pub const SIZE: usize = 256;

/// How many bytes the file has at most.
pub const LARGEST: usize = 2 * SIZE;

const MAGIC: [u8; 4] = *b"dtd1";
const MINUTES: usize = 60;
const SUMMED: usize = SIZE - 8;

/// Both records of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Details {
    /// The service; `None` where there is no whole record of it.
    pub service: Option<Detail>,
    /// The `log` that its supervise runs.
    pub log: Option<Detail>,
}

/// What there is to be told of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// The status's label: a detail of another moment isn't that status's.
    pub since: Label,
    /// The status's process id.
    pub pid: u32,
    /// What exactly goes on.
    pub phase: Phase,
    /// Whether it tells when it is ready.
    pub notifies: bool,
    /// Since when it is ready, if it is up and has told so.
    pub ready: Option<Label>,
    /// Until when the phase lasts, if that is known: a back-off, a bounded script, the time until KILL.
    pub until: Option<Label>,
    /// How `run` (or `log`) last ended.
    pub death: Option<Death>,
    /// How often it was started again, by itself, within the last hour.
    pub restarts: Restarts,
}

/// What a service is doing, in more detail than a status's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is down, and nothing is going on.
    Down,
    /// It waits for its next start: the second that each start is given, or a back-off.
    Waiting,
    /// `start` runs.
    Starting,
    /// `start` has run, there is no `run`.
    Started,
    /// `run` runs.
    Up,
    /// `run` was told to end.
    Stopping,
    /// `finish` runs.
    Finishing,
    /// `stop` runs.
    Cleaning,
    /// A logger that reads what its service has left, before it is told to end.
    Draining,
    /// It has failed, and isn't started again.
    Failed(Failure),
}

/// Why a service isn't started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It exited 100.
    Exit,
    /// `start` failed.
    Start,
    /// It died more often than `max-restarts` allows.
    Restarts,
    /// `finish` exited 125.
    Finish,
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// When.
    pub at: Label,
    /// Its process id.
    pub pid: u32,
    /// How.
    pub how: How,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With this exit code.
    Exit(u8),
    /// By this signal.
    Signal(u8),
    /// Not known: it wasn't our child.
    Unknown,
}

/// Restarts counted by minutes, for an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restarts {
    minute: u64,
    counts: Counts,
}

/// The minute itself first, then the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts([u16; MINUTES]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; MINUTES])
    }
}

impl Details {
    /// The file's content, and how much of the array that is.
    #[must_use]
    pub fn encode(&self) -> ([u8; LARGEST], usize) {
        let mut bytes = [0; LARGEST];
        let (service, log) = bytes.split_at_mut(SIZE);
        if let Some(detail) = &self.service {
            service.copy_from_slice(&detail.encode());
        }
        if let Some(detail) = &self.log {
            log.copy_from_slice(&detail.encode());
        }
        (bytes, if self.log.is_some() { LARGEST } else { SIZE })
    }

    /// Reads a file's content. What isn't a whole record of ours is left out.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let record = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk);
        Self {
            service: record(0).and_then(Detail::decode),
            log: record(SIZE).and_then(Detail::decode),
        }
    }
}

impl Detail {
    /// A record.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let (phase, failure) = self.phase.numbers();
        let (kind, code) = self.death.map_or((0, 0), |death| death.how.numbers());
        let (died, dead) = self.death.map_or(([0; 12], 0), |d| (d.at.to_bytes(), d.pid));
        let mut put = |at: usize, field: &[u8]| bytes[at..][..field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(4, &self.since.to_bytes());
        put(16, &self.pid.to_le_bytes());
        put(20, &[phase, failure, self.notifies.into(), kind, code]);
        put(32, &self.ready.map_or([0; 12], Label::to_bytes));
        put(44, &self.until.map_or([0; 12], Label::to_bytes));
        put(56, &died);
        put(68, &dead.to_le_bytes());
        put(72, &self.restarts.minute.to_le_bytes());
        for (at, count) in (80..).step_by(2).zip(self.restarts.counts.0) {
            put(at, &count.to_le_bytes());
        }
        let sum = checksum(&bytes[..SUMMED]);
        bytes[SUMMED..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a record; `None` if it isn't one, isn't whole, or says what we don't know.
    #[must_use]
    pub fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let sum = u64::from_le_bytes(field(bytes, SUMMED));
        if field(bytes, 0) != MAGIC || checksum(&bytes[..SUMMED]) != sum {
            return None;
        }
        let how = How::from_numbers(bytes[23], bytes[24])?;
        let label = |at| Label::from_bytes(field(bytes, at));
        let moment = |at| Some(field(bytes, at)).filter(|l| *l != [0; 12]).map(Label::from_bytes);
        let mut counts = [0; MINUTES];
        for (at, count) in (80..).step_by(2).zip(&mut counts) {
            *count = u16::from_le_bytes(field(bytes, at));
        }
        Some(Self {
            since: label(4),
            pid: u32::from_le_bytes(field(bytes, 16)),
            phase: Phase::from_numbers(bytes[20], bytes[21])?,
            notifies: bytes[22] != 0,
            ready: moment(32),
            until: moment(44),
            death: how.map(|how| Death {
                at: label(56),
                pid: u32::from_le_bytes(field(bytes, 68)),
                how,
            }),
            restarts: Restarts {
                minute: u64::from_le_bytes(field(bytes, 72)),
                counts: Counts(counts),
            },
        })
    }
}

impl Phase {
    /// Why it has failed, if it has.
    #[must_use]
    pub fn failure(self) -> Option<Failure> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }

    const PLAIN: [Self; 9] = [
        Self::Down,
        Self::Waiting,
        Self::Starting,
        Self::Started,
        Self::Up,
        Self::Stopping,
        Self::Finishing,
        Self::Cleaning,
        Self::Draining,
    ];
    const FAILED: u8 = 9;

    fn numbers(self) -> (u8, u8) {
        match self {
            Self::Down => (0, 0),
            Self::Waiting => (1, 0),
            Self::Starting => (2, 0),
            Self::Started => (3, 0),
            Self::Up => (4, 0),
            Self::Stopping => (5, 0),
            Self::Finishing => (6, 0),
            Self::Cleaning => (7, 0),
            Self::Draining => (8, 0),
            Self::Failed(failure) => (Self::FAILED, failure.number()),
        }
    }

    fn from_numbers(phase: u8, failure: u8) -> Option<Self> {
        if phase == Self::FAILED {
            return Failure::from_number(failure).map(Self::Failed);
        }
        Self::PLAIN.get(usize::from(phase)).copied()
    }
}

impl Failure {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Exit => 1,
            Self::Start => 2,
            Self::Restarts => 3,
            Self::Finish => 4,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Exit, Self::Start, Self::Restarts, Self::Finish]
            .into_iter()
            .find(|known| known.number() == number)
    }
}

impl How {
    fn numbers(self) -> (u8, u8) {
        match self {
            Self::Exit(code) => (1, code),
            Self::Signal(signal) => (2, signal),
            Self::Unknown => (3, 0),
        }
    }

    /// Outer `None`: not a number of ours. Inner `None`: it has never ended.
    fn from_numbers(kind: u8, code: u8) -> Option<Option<Self>> {
        match kind {
            0 => Some(None),
            1 => Some(Some(Self::Exit(code))),
            2 => Some(Some(Self::Signal(code))),
            3 => Some(Some(Self::Unknown)),
            _ => None,
        }
    }
}

impl Restarts {
    /// It is started again, at this time since boot (`clock::monotonic`).
    pub fn note(&mut self, now: Duration) {
        self.forward(now);
        let [count, ..] = &mut self.counts.0;
        *count = count.saturating_add(1);
    }

    /// How often it was started again within the last hour, to the minute.
    #[must_use]
    pub fn count(mut self, now: Duration) -> u32 {
        self.forward(now);
        self.counts.0.iter().map(|count| u32::from(*count)).sum()
    }

    fn forward(&mut self, now: Duration) {
        let minute = now.as_secs() / 60;
        let passed = minute.saturating_sub(self.minute);
        let passed = usize::try_from(passed).map_or(MINUTES, |passed| passed.min(MINUTES));
        self.counts.0.rotate_right(passed % MINUTES);
        self.counts.0[..passed].fill(0);
        self.minute = minute;
    }
}

fn field<const N: usize>(bytes: &[u8; SIZE], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label() -> impl Strategy<Value = Label> {
        any::<[u8; 12]>().prop_filter("never", |l| *l != [0; 12]).prop_map(Label::from_bytes)
    }

    fn phases() -> impl Strategy<Value = Phase> {
        let failed = [Failure::Exit, Failure::Start, Failure::Restarts, Failure::Finish];
        let all = Phase::PLAIN.into_iter().chain(failed.map(Phase::Failed));
        proptest::sample::select(all.collect::<Vec<_>>())
    }

    prop_compose! {
        fn death()(at in label(), pid: u32, kind in 1_u8..=3, code: u8) -> Death {
            let how = How::from_numbers(kind, code).flatten().expect("a known kind");
            Death { at, pid, how }
        }
    }

    prop_compose! {
        fn details()(
            since in label(), pid: u32, phase in phases(), notifies: bool,
            ready in proptest::option::of(label()), until in proptest::option::of(label()),
            death in proptest::option::of(death()), minute: u64, counts: [u16; MINUTES],
        ) -> Detail {
            let restarts = Restarts { minute, counts: Counts(counts) };
            Detail { since, pid, phase, notifies, ready, until, death, restarts }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(one in details(), two in proptest::option::of(details())) {
            let both = Details { service: Some(one), log: two };
            let (bytes, length) = both.encode();
            prop_assert_eq!(Details::decode(&bytes[..length]), both);
        }

        #[test]
        fn a_changed_byte_is_noticed(detail in details(), at in 0..SIZE, by in 1_u8..) {
            let mut bytes = detail.encode();
            bytes[at] ^= by;
            prop_assert_eq!(Detail::decode(&bytes), None);
        }

        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(Details::decode(&bytes), Details::default());
        }
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes + 30)
    }

    #[test]
    fn restarts_are_counted_for_an_hour() {
        let mut restarts = Restarts::default();
        for minute in 100..110 {
            restarts.note(minutes(minute));
            restarts.note(minutes(minute));
        }
        assert_eq!(restarts.count(minutes(109)), 20);
        assert_eq!(restarts.count(minutes(159)), 20);
        assert_eq!(restarts.count(minutes(160)), 18);
        assert_eq!(restarts.count(minutes(168)), 2);
        assert_eq!(restarts.count(minutes(169)), 0);
        assert_eq!(restarts.count(minutes(u64::MAX / 60 - 1)), 0);
    }

    #[test]
    fn more_restarts_than_can_be_counted_are_many() {
        let mut restarts = Restarts::default();
        (0..70_000).for_each(|_| restarts.note(minutes(1)));
        assert_eq!(restarts.count(minutes(1)), 65_535);
    }
}
