//! Several lines a service, for people. The first is daemontools-encore's line.

use super::describe;
use super::doing::Waits;
use super::order::Which;
use super::report::{Logger, Process, Report, When, seconds_between};
use crate::explanation::{STARTED_BY, is_missing, meaning};
use crate::look::Problem;
use crate::signal_name::signal_name;
use crate::text::Words;
use crate::utc::{self, Style};
use alloc::vec::Vec;
use common::decimal;
use common::tai64n::Label;
use supervise::detail::How;
use supervise::status::Want;

/// Appends all that is to be told about a service.
pub(crate) fn append(lines: &mut Vec<u8>, report: &Report, which: Which) {
    let now = report.when;
    if which != Which::Log {
        lines.extend_from_slice(report.name);
        whole(lines, &report.seen, now);
    }
    if which == Which::Service {
        return;
    }
    lines.extend_from_slice(report.name);
    match &report.logger {
        Logger::None if which == Which::Log => lines.extend_from_slice(b": no log service\n"),
        Logger::None => lines.truncate(lines.len() - report.name.len()),
        Logger::Script(log) => {
            lines.extend_from_slice(b" log");
            whole(lines, &Ok(*log), now);
        }
        Logger::Directory(log) => {
            lines.extend_from_slice(b"/log");
            whole(lines, log, now);
        }
    }
}

fn whole(lines: &mut Vec<u8>, seen: &Result<Process, Problem>, now: When) {
    lines.extend_from_slice(b": ");
    match seen {
        Ok(process) => {
            describe(lines, process, now, Words::Encore);
            lines.push(b'\n');
            explain(lines, process, now);
        }
        Err(problem) => {
            problem.describe(lines);
            lines.push(b'\n');
            if let Some(meaning) = meaning(*problem) {
                field(lines, "meaning", meaning);
            }
            if is_missing(*problem) {
                field(lines, "started by", STARTED_BY);
            }
        }
    }
}

fn explain(lines: &mut Vec<u8>, process: &Process, now: When) {
    let Process { status, detail, .. } = process;
    begin(lines, "since");
    moment(lines, status.since);
    lines.push(b'\n');
    let wanted = match status.want {
        Want::Up => "up, and started again whenever it ends",
        Want::Down => "down",
        Want::Once => "up once, and not started again",
    };
    field(lines, "wanted", wanted);
    if let Some(waits) = process.waits() {
        waiting(lines, waits, process.until(), now);
    }
    match process.ready() {
        Some(Some(since)) => {
            begin(lines, "ready");
            lines.extend_from_slice(b"yes, since ");
            moment(lines, since);
            lines.push(b'\n');
        }
        Some(None) => field(lines, "ready", "no: it has not said so yet (notification-fd)"),
        None => {}
    }
    let Some(detail) = detail else { return };
    if let Some(death) = detail.death {
        begin(lines, "last end");
        match death.how {
            How::Exit(code) => {
                lines.extend_from_slice(b"exit code ");
                lines.extend_from_slice(decimal(code.into()).as_bytes());
            }
            How::Signal(number) => {
                lines.extend_from_slice(b"signal ");
                match signal_name(number) {
                    Some(name) => lines.extend_from_slice(name.as_bytes()),
                    None => lines.extend_from_slice(decimal(number.into()).as_bytes()),
                }
            }
            How::Unknown => lines.extend_from_slice(b"not known how"),
        }
        lines.extend_from_slice(b", ");
        seconds(lines, seconds_between(death.at, now.label));
        lines.extend_from_slice(b" ago (pid ");
        lines.extend_from_slice(decimal(death.pid.into()).as_bytes());
        lines.extend_from_slice(b", ");
        moment(lines, death.at);
        lines.extend_from_slice(b")\n");
    }
    begin(lines, "restarts");
    let count = detail.restarts.count(now.boot);
    lines.extend_from_slice(decimal(count.into()).as_bytes());
    lines.extend_from_slice(b" in the last hour\n");
}

fn waiting(lines: &mut Vec<u8>, waits: Waits, until: Option<Label>, now: When) {
    begin(lines, "waits");
    lines.extend_from_slice(waits.text().as_bytes());
    if let (Some(until), Some(then)) = (until, waits.at_its_end()) {
        lines.extend_from_slice(b" (");
        lines.extend_from_slice(then.as_bytes());
        lines.extend_from_slice(b" in ");
        seconds(lines, seconds_between(now.label, until));
        lines.push(b')');
    }
    lines.push(b'\n');
}

/// A moment, or its label if no clock made it.
fn moment(lines: &mut Vec<u8>, moment: Label) {
    if !utc::append(lines, moment, Style::Text) {
        lines.extend_from_slice(&moment.to_hex());
    }
}

fn seconds(lines: &mut Vec<u8>, seconds: u64) {
    lines.extend_from_slice(decimal(seconds).as_bytes());
    lines.extend_from_slice(if seconds == 1 { b" second" } else { b" seconds" });
}

fn field(lines: &mut Vec<u8>, name: &str, text: &str) {
    begin(lines, name);
    lines.extend_from_slice(text.as_bytes());
    lines.push(b'\n');
}

/// Two blanks, the name, and blanks up to where all texts begin.
fn begin(lines: &mut Vec<u8>, name: &str) {
    const TEXT: usize = 12;
    lines.extend_from_slice(b"  ");
    lines.extend_from_slice(name.as_bytes());
    lines.extend(core::iter::repeat_n(b' ', TEXT.saturating_sub(name.len())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svstat::report::tests::{detail, label, report, status};
    use crate::writer::Writer;
    use supervise::detail::{Death, Detail, Failure, Phase};
    use supervise::status::State;
    use sys::Errno;

    fn text(report: &Report, which: Which) -> String {
        let mut lines = Vec::new();
        append(&mut lines, report, which);
        String::from_utf8(lines).expect("ASCII")
    }

    fn process(status: supervise::status::Status, detail: Option<Detail>) -> Process {
        Process { status, detail, normally_up: true, writer: Writer::Unknown }
    }

    #[test]
    fn a_service_that_is_up() {
        let death = Some(Death { at: label(99), pid: 70, how: How::Signal(9) });
        let up = Detail { notifies: true, ready: Some(label(101)), death, ..detail(7, Phase::Up) };
        let up = process(status(7, Want::Up, State::Running), Some(up));
        assert_eq!(
            text(&report(Ok(up), Logger::None), Which::Both),
            "s: up (pid 7) 42 seconds, running\n\
             \x20 since       1970-01-01 00:01:40 UTC\n\
             \x20 wanted      up, and started again whenever it ends\n\
             \x20 ready       yes, since 1970-01-01 00:01:41 UTC\n\
             \x20 last end    signal KILL, 43 seconds ago (pid 70, 1970-01-01 00:01:39 UTC)\n\
             \x20 restarts    0 in the last hour\n"
        );
        let not_yet = Detail { notifies: true, ..detail(7, Phase::Up) };
        let not_yet = process(status(7, Want::Up, State::Running), Some(not_yet));
        let lines = text(&report(Ok(not_yet), Logger::None), Which::Both);
        assert!(lines.contains("\n  ready       no: "), "{lines}");
    }

    #[test]
    fn a_service_that_waits() {
        let death = Some(Death { at: label(100), pid: 70, how: How::Exit(1) });
        let waiting = Detail { until: Some(label(150)), death, ..detail(0, Phase::Waiting) };
        let waiting = process(status(0, Want::Up, State::Starting), Some(waiting));
        let lines = text(&report(Ok(waiting), Logger::None), Which::Both);
        assert_eq!(
            lines.lines().next(),
            Some("s: down 42 seconds, normally up, want up, starting")
        );
        assert!(
            lines.contains("\n  waits       for its next start (due in 8 seconds)\n"),
            "{lines}"
        );
        assert!(lines.contains("\n  last end    exit code 1, 42 seconds ago (pid 70, "), "{lines}");
    }

    #[test]
    fn a_service_that_has_failed() {
        let failed = process(
            status(0, Want::Down, State::Failed),
            Some(detail(0, Phase::Failed(Failure::Exit))),
        );
        let lines = text(&report(Ok(failed), Logger::None), Which::Both);
        assert!(
            lines.contains("\n  waits       for svc -u: it has failed for good, run exited 100\n"),
            "{lines}"
        );
    }

    #[test]
    fn a_supervise_without_details() {
        let old =
            supervise::status::Status { state: None, ..status(7, Want::Down, State::Stopped) };
        assert_eq!(
            text(&report(Ok(process(old, None)), Logger::None), Which::Both),
            "s: up (pid 7) 42 seconds, want down\n\
             \x20 since       1970-01-01 00:01:40 UTC\n\
             \x20 wanted      down\n\
             \x20 waits       for its process to end, as it was told\n"
        );
    }

    #[test]
    fn the_logger_stands_beside_it() {
        let up = process(status(7, Want::Up, State::Running), None);
        let first = |report: &Report, which| {
            let text = text(report, which);
            let lines = text.lines().filter(|line| !line.starts_with(' '));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let running = "up (pid 7) 42 seconds, running";
        let script = report(Ok(up), Logger::Script(up));
        assert_eq!(
            first(&script, Which::Both),
            [format!("s: {running}"), format!("s log: {running}")]
        );
        assert_eq!(first(&script, Which::Service), [format!("s: {running}")]);
        assert_eq!(first(&script, Which::Log), [format!("s log: {running}")]);
        let directory = report(Ok(up), Logger::Directory(Err(Problem::NotRunning)));
        assert_eq!(
            first(&directory, Which::Both),
            [format!("s: {running}"), "s/log: supervise not running".to_owned()]
        );
        let none = report(Ok(up), Logger::None);
        assert_eq!(first(&none, Which::Both), [format!("s: {running}")]);
        assert_eq!(first(&none, Which::Log), ["s: no log service"]);
    }

    #[test]
    fn a_missing_supervise_is_explained() {
        for problem in [Problem::NotRunning, Problem::Ok(Errno::NOENT)] {
            let lines = text(&report(Err(problem), Logger::None), Which::Both);
            assert!(lines.contains("\n  meaning     no supervise "), "{lines}");
            assert!(lines.contains("\n  started by  svscan "), "{lines}");
        }
        let lines = text(&report(Err(Problem::Enter(Errno::NOENT)), Logger::None), Which::Both);
        assert_eq!(lines, "s: unable to chdir: file does not exist\n");
    }
}
