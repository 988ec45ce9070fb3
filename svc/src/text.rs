//! A status in a line: in the words of 0.76, and in those that daemontools-encore adds.

use alloc::vec::Vec;
use common::decimal;
use common::tai64n::Label;
use supervise::status::{State, Status, Want};

/// How much of a status is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// What 0.76 says, to the byte.
    Plain,
    /// And that it runs once, and its state, as daemontools-encore says it.
    Encore,
}

/// Appends what a status says.
pub(crate) fn describe(
    line: &mut Vec<u8>,
    status: &Status,
    normally_up: bool,
    now: Label,
    words: Words,
) {
    let up = status.pid != 0;
    if up {
        line.extend_from_slice(b"up (pid ");
        line.extend_from_slice(decimal(status.pid.into()).as_bytes());
        line.extend_from_slice(b") ");
    } else {
        line.extend_from_slice(b"down ");
    }
    line.extend_from_slice(decimal(status.seconds(now)).as_bytes());
    line.extend_from_slice(b" seconds");
    let encore = words == Words::Encore;
    let state = status.state.and_then(state_name).filter(|_| encore);
    let remarks = [
        (up && !normally_up, "normally down"),
        (!up && normally_up, "normally up"),
        (up && status.paused, "paused"),
        (!up && status.want == Want::Up, "want up"),
        (up && status.want == Want::Down, "want down"),
        (encore && up && status.want == Want::Once, "once"),
        (state.is_some(), state.unwrap_or_default()),
    ];
    for (_, remark) in remarks.iter().filter(|(applies, _)| *applies) {
        line.extend_from_slice(b", ");
        line.extend_from_slice(remark.as_bytes());
    }
}

/// The name of a state, as daemontools-encore has it; `None` for a number that it doesn't know.
pub(crate) fn state_name(state: State) -> Option<&'static str> {
    match state {
        State::Stopped => Some("stopped"),
        State::Starting => Some("starting"),
        State::Started => Some("started"),
        State::Running => Some("running"),
        State::Stopping => Some("stopping"),
        State::Failed => Some("failed"),
        State::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn line(status: Status, normally_up: bool, words: Words) -> String {
        let mut line = Vec::new();
        let now = Label::from_unix(Duration::from_secs(142));
        describe(&mut line, &status, normally_up, now, words);
        String::from_utf8(line).expect("ASCII")
    }

    fn status(pid: u32, paused: bool, want: Want, state: Option<State>) -> Status {
        let since = Label::from_unix(Duration::from_secs(100));
        Status { since, pid, paused, want, state }
    }

    const WANTS: [Want; 3] = [Want::Up, Want::Down, Want::Once];

    #[test]
    fn every_combination() {
        let mut lines = Vec::new();
        for pid in [0, u32::MAX] {
            for paused in [false, true] {
                for want in WANTS {
                    for normally_up in [true, false] {
                        // The words of 0.76 stay, whatever state is known.
                        let state = Some(State::Failed);
                        let with =
                            line(status(pid, paused, want, state), normally_up, Words::Plain);
                        lines.push(line(
                            status(pid, paused, want, None),
                            normally_up,
                            Words::Plain,
                        ));
                        assert_eq!(lines.last(), Some(&with));
                    }
                }
            }
        }
        let down = [
            "down 42 seconds, normally up, want up",
            "down 42 seconds, want up",
            "down 42 seconds, normally up",
            "down 42 seconds",
            "down 42 seconds, normally up",
            "down 42 seconds",
        ];
        assert_eq!(lines[..6], down);
        assert_eq!(lines[6..12], down);
        let up = |rest: &str| format!("up (pid 4294967295) 42 seconds{rest}");
        assert_eq!(
            lines[12..18],
            [
                up(""),
                up(", normally down"),
                up(", want down"),
                up(", normally down, want down"),
                up(""),
                up(", normally down"),
            ]
        );
        assert_eq!(
            lines[18..],
            [
                up(", paused"),
                up(", normally down, paused"),
                up(", paused, want down"),
                up(", normally down, paused, want down"),
                up(", paused"),
                up(", normally down, paused"),
            ]
        );
    }

    #[test]
    fn what_encore_adds() {
        let encore = |pid, want, state, normally_up| {
            line(status(pid, false, want, state), normally_up, Words::Encore)
        };
        for (pid, want, state, normally_up, expected) in [
            (0, Want::Down, Some(State::Stopped), false, "down 42 seconds, stopped"),
            (
                0,
                Want::Up,
                Some(State::Starting),
                true,
                "down 42 seconds, normally up, want up, starting",
            ),
            (0, Want::Once, Some(State::Started), true, "down 42 seconds, normally up, started"),
            (5, Want::Up, Some(State::Running), true, "up (pid 5) 42 seconds, running"),
            (
                5,
                Want::Once,
                Some(State::Running),
                false,
                "up (pid 5) 42 seconds, normally down, once, running",
            ),
            (
                5,
                Want::Down,
                Some(State::Stopping),
                true,
                "up (pid 5) 42 seconds, want down, stopping",
            ),
            (0, Want::Down, Some(State::Failed), true, "down 42 seconds, normally up, failed"),
            (5, Want::Up, Some(State::Unknown(77)), true, "up (pid 5) 42 seconds"),
            (5, Want::Up, None, true, "up (pid 5) 42 seconds"),
        ] {
            assert_eq!(encore(pid, want, state, normally_up), expected);
        }
    }
}
