//! What is said in a service's own line of its logger: nothing, unless that isn't as it should be.

use super::report::{Logger, Process};
use crate::look::Problem;
use crate::writer::{Why, Writer};
use alloc::vec::Vec;
use supervise::status::Want;
use sys::Errno;

/// Why what a service writes is not logged now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amiss {
    /// Nobody supervises the logger.
    NotSupervised,
    /// It has no process.
    NotRunning,
    /// `svc -p` stopped it.
    Paused,
    /// It can't write.
    Pausing(Why),
}

/// Appends a remark if there is something amiss. Neither `up` nor `down` is in it: scripts look for these words.
pub(crate) fn remark(lines: &mut Vec<u8>, service: &Process, logger: &Logger) {
    let Some(amiss) = amiss(service, logger) else { return };
    lines.extend_from_slice(match amiss {
        Amiss::NotSupervised => b", log supervise not running",
        Amiss::NotRunning => b", log not running",
        Amiss::Paused => b", log paused",
        Amiss::Pausing(_) => b", log pausing: ",
    });
    if let Amiss::Pausing(why) = amiss {
        lines.extend_from_slice(why.text());
    }
}

/// What is amiss with the logger of a service. What can't be told isn't.
fn amiss(service: &Process, logger: &Logger) -> Option<Amiss> {
    let log = match logger {
        Logger::Directory(Err(Problem::NotRunning | Problem::Ok(Errno::NOENT))) => {
            return Some(Amiss::NotSupervised);
        }
        Logger::None | Logger::Directory(Err(_)) => return None,
        Logger::Directory(Ok(log)) | Logger::Script(log) => log,
    };
    let needed = service.status.pid != 0 && log.normally_up;
    match log.writer {
        Writer::Pausing(why) => Some(Amiss::Pausing(why)),
        Writer::Well | Writer::Unknown if log.status.pid == 0 => {
            (needed || log.status.want == Want::Up).then_some(Amiss::NotRunning)
        }
        Writer::Well | Writer::Unknown => log.status.paused.then_some(Amiss::Paused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svstat::report::tests::status;
    use supervise::status::{State, Status};

    const UP: (u32, Want) = (7, Want::Up);
    const AGAIN: (u32, Want) = (0, Want::Up);
    const DOWN: (u32, Want) = (0, Want::Down);

    fn process((pid, want): (u32, Want), normally_up: bool) -> Process {
        let status = status(pid, want, State::Unknown(9));
        Process { status, detail: None, normally_up, writer: Writer::Unknown }
    }

    #[test]
    fn a_logger_that_is_as_it_should_be_is_not_mentioned() {
        for (service, log, normally_up, expected) in [
            (UP, UP, true, None),
            (UP, UP, false, None),
            (UP, DOWN, true, Some(Amiss::NotRunning)),
            (UP, (0, Want::Once), true, Some(Amiss::NotRunning)),
            (UP, AGAIN, true, Some(Amiss::NotRunning)),
            (DOWN, AGAIN, false, Some(Amiss::NotRunning)),
            // Down on purpose: by its file, or with its service.
            (UP, DOWN, false, None),
            (DOWN, DOWN, true, None),
            (DOWN, UP, true, None),
        ] {
            let (service, log) = (process(service, true), process(log, normally_up));
            for logger in [Logger::Script(log), Logger::Directory(Ok(log))] {
                assert_eq!(amiss(&service, &logger), expected, "{service:?} {log:?}");
            }
        }
    }

    #[test]
    fn trouble_of_a_logger_that_runs() {
        let (up, down) = (process(UP, true), process(DOWN, true));
        let stopped = Process { status: Status { paused: true, ..up.status }, ..up };
        let Writer::Pausing(why) = crate::writer::understand(b"multilog: pausing: x: full\0")
        else {
            panic!("it pauses");
        };
        let pausing = Process { writer: Writer::Pausing(why), ..up };
        for service in [up, down] {
            let amiss = |log| amiss(&service, &Logger::Directory(Ok(log)));
            assert_eq!(amiss(stopped), Some(Amiss::Paused));
            assert_eq!(amiss(pausing), Some(Amiss::Pausing(why)));
            assert_eq!(amiss(Process { writer: Writer::Well, ..up }), None);
            let mut line = Vec::new();
            remark(&mut line, &service, &Logger::Script(pausing));
            assert_eq!(line, b", log pausing: x: full");
        }
    }

    #[test]
    fn a_logger_that_nobody_supervises() {
        let up = process(UP, true);
        for (problem, expected) in [
            (Problem::NotRunning, Some(Amiss::NotSupervised)),
            (Problem::Ok(Errno::NOENT), Some(Amiss::NotSupervised)),
            (Problem::Ok(Errno::ACCESS), None),
            (Problem::Enter(Errno::ACCESS), None),
        ] {
            assert_eq!(amiss(&up, &Logger::Directory(Err(problem))), expected);
        }
        assert_eq!(amiss(&up, &Logger::None), None);
    }
}
