//! A JSON object a service, in a line, for programs. svstat(8) documents the fields: all of them are
//! in every object, in the same order, with null for what isn't known or doesn't apply.

use super::doing::{Doing, Reason, Waits, failure_name};
use super::order::Which;
use super::report::{Logger, Process, Report, When};
use crate::explanation::meaning;
use crate::look::Problem;
use crate::signal_name::signal_name;
use crate::text::state_name;
use crate::utc::{self, Style};
use crate::writer::{Why, Writer};
use alloc::vec::Vec;
use common::decimal;
use common::tai64n::Label;
use supervise::detail::{Death, How};
use supervise::status::Want;

/// Appends the object of a service, with its logger's in it; or of the one of them that is asked for.
pub(crate) fn append(lines: &mut Vec<u8>, report: &Report, which: Which) {
    let name = Some(report.name);
    let mut object = Object::begin(lines);
    match which {
        Which::Both => {
            object.whole(name, &report.seen, report.when);
            object.name("log");
            match &report.logger {
                Logger::None => object.out.extend_from_slice(b"null"),
                logger @ (Logger::Script(_) | Logger::Directory(_)) => {
                    let mut inner = Object::begin(object.out);
                    inner.logger(report, logger);
                    inner.end();
                }
            }
        }
        Which::Service => object.whole(name, &report.seen, report.when),
        Which::Log => object.logger(report, &report.logger),
    }
    object.end();
    lines.push(b'\n');
}

/// An object that is being written.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn end(self) {
        self.out.push(b'}');
    }

    fn logger(&mut self, report: &Report, logger: &Logger) {
        match logger {
            Logger::Script(process) => self.whole(None, &Ok(*process), report.when),
            Logger::Directory(seen) => {
                let name = [report.name, b"/log"].concat();
                self.whole(Some(&name), seen, report.when);
            }
            Logger::None => {
                self.directory(Some(report.name));
                self.said(false, Some(b"no log service"), None);
                self.process(None, report.when);
            }
        }
    }

    fn whole(&mut self, name: Option<&[u8]>, seen: &Result<Process, Problem>, now: When) {
        self.directory(name);
        match seen {
            Ok(process) => {
                self.said(true, None, None);
                self.process(Some(process), now);
            }
            Err(problem) => {
                let mut text = Vec::new();
                problem.describe(&mut text);
                // With a supervise that is there, something else is wrong.
                let supervised = matches!(problem, Problem::Status(_));
                self.said(supervised, Some(&text), meaning(*problem).map(str::as_bytes));
                self.process(None, now);
            }
        }
    }

    fn directory(&mut self, name: Option<&[u8]>) {
        self.text("directory", name);
        // What isn't UTF-8 can't be in JSON: its bytes, as hexadecimal digits.
        let bytes = name.filter(|name| core::str::from_utf8(name).is_err());
        let digits =
            bytes.map(|bytes| bytes.iter().flat_map(|byte| hex(*byte)).collect::<Vec<_>>());
        self.text("directory_bytes", digits.as_deref());
    }

    fn said(&mut self, supervised: bool, problem: Option<&[u8]>, explanation: Option<&[u8]>) {
        self.boolean("supervised", Some(supervised));
        self.text("problem", problem);
        self.text("explanation", explanation);
    }

    fn process(&mut self, process: Option<&Process>, now: When) {
        let status = process.map(|process| process.status);
        let waits = process.and_then(Process::waits);
        let because = match waits {
            Some(Waits::Up(reason)) => Some(reason),
            _ => None,
        };
        let failure = match because {
            Some(Reason::Failed(failure)) => Some(failure.map_or("unknown", failure_name)),
            _ => None,
        };
        let normally = process.map(|process| if process.normally_up { "up" } else { "down" });
        let ready = process.and_then(Process::ready);
        let detail = process.and_then(|process| process.detail);
        self.boolean("up", status.map(|status| status.pid != 0));
        self.word("state", status.map(|s| s.state.and_then(state_name).unwrap_or("unknown")));
        self.word("phase", process.map(Process::doing).map(Doing::name));
        self.number("pid", status.filter(|s| s.pid != 0).map(|s| s.pid.into()));
        self.moment("since", status.map(|status| status.since));
        self.number("seconds", status.map(|status| status.seconds(now.label)));
        self.word("wanted", status.map(|status| want_name(status.want)));
        self.word("normally", normally);
        self.boolean("paused", status.map(|status| status.paused));
        self.boolean("ready", ready.map(|since| since.is_some()));
        self.moment("ready_since", ready.flatten());
        self.word("waits_for", waits.map(Waits::name));
        self.word("waits_because", because.map(Reason::name));
        self.moment("waits_until", process.and_then(Process::until));
        self.word("failure", failure);
        self.last_end(detail.and_then(|detail| detail.death));
        let restarts = detail.map(|detail| detail.restarts.count(now.boot).into());
        self.number("restarts_last_hour", restarts);
        let pausing = match process.map(|process| process.writer) {
            Some(Writer::Pausing(why)) => Some(why),
            Some(Writer::Well | Writer::Unknown) | None => None,
        };
        self.text("pausing", pausing.as_ref().map(Why::text));
    }

    fn last_end(&mut self, death: Option<Death>) {
        self.name("last_end");
        let Some(death) = death else { return self.out.extend_from_slice(b"null") };
        let (code, signal) = match death.how {
            How::Exit(code) => (Some(code), None),
            How::Signal(signal) => (None, Some(signal)),
            How::Unknown => (None, None),
        };
        let mut inner = Object::begin(self.out);
        inner.number("exit_code", code.map(u64::from));
        inner.word("signal", signal.and_then(signal_name));
        inner.number("signal_number", signal.map(u64::from));
        inner.number("pid", Some(death.pid.into()));
        inner.moment("at", Some(death.at));
        inner.end();
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        string(self.out, name.as_bytes());
        self.out.push(b':');
    }

    fn value(&mut self, name: &str, value: Option<&[u8]>) {
        self.name(name);
        self.out.extend_from_slice(value.unwrap_or(b"null"));
    }

    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        match text {
            Some(text) => {
                self.name(name);
                string(self.out, text);
            }
            None => self.value(name, None),
        }
    }

    fn word(&mut self, name: &str, word: Option<&str>) {
        self.text(name, word.map(str::as_bytes));
    }

    fn number(&mut self, name: &str, number: Option<u64>) {
        self.value(name, number.map(decimal).as_ref().map(common::Decimal::as_bytes));
    }

    fn boolean(&mut self, name: &str, boolean: Option<bool>) {
        self.value(name, boolean.map(|yes| if yes { &b"true"[..] } else { b"false" }));
    }

    fn moment(&mut self, name: &str, moment: Option<Label>) {
        let mut text = Vec::new();
        let known = moment.is_some_and(|moment| utc::append(&mut text, moment, Style::Machine));
        self.text(name, known.then_some(&text[..]));
    }
}

fn want_name(want: Want) -> &'static str {
    match want {
        Want::Up => "up",
        Want::Down => "down",
        Want::Once => "once",
    }
}

/// Appends a JSON string. U+FFFD stands for what isn't UTF-8.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0..0x20 | 0x7F => {
                    out.extend_from_slice(b"\\u00");
                    out.extend_from_slice(&hex(byte));
                }
                _ => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    out.push(b'"');
}

fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svstat::report::tests::{detail, label, report, status};
    use proptest::prelude::*;
    use supervise::detail::{Detail, Failure, Phase};
    use supervise::status::State;
    use sys::Errno;

    fn line(report: &Report, which: Which) -> String {
        let mut lines = Vec::new();
        append(&mut lines, report, which);
        let text = String::from_utf8(lines).expect("UTF-8");
        text.strip_suffix("}\n").expect("an object and a newline").to_owned()
    }

    fn up(pid: u32) -> Process {
        let detail = Some(Detail {
            notifies: true,
            ready: Some(label(101)),
            death: Some(Death { at: label(99), pid: 70, how: How::Signal(9) }),
            ..detail(pid, Phase::Up)
        });
        let status = status(pid, Want::Up, State::Running);
        Process { status, detail, normally_up: true, writer: Writer::Unknown }
    }

    const UP: &str = r#""supervised":true,"problem":null,"explanation":null,"up":true,"state":"running","phase":"up","pid":7,"since":"1970-01-01T00:01:40Z","seconds":42,"wanted":"up","normally":"up","paused":false,"ready":true,"ready_since":"1970-01-01T00:01:41Z","waits_for":null,"waits_because":null,"waits_until":null,"failure":null,"last_end":{"exit_code":null,"signal":"KILL","signal_number":9,"pid":70,"at":"1970-01-01T00:01:39Z"},"restarts_last_hour":0,"pausing":null"#;
    const NOT_UP: &str = r#""up":null,"state":null,"phase":null,"pid":null,"since":null,"seconds":null,"wanted":null,"normally":null,"paused":null,"ready":null,"ready_since":null,"waits_for":null,"waits_because":null,"waits_until":null,"failure":null,"last_end":null,"restarts_last_hour":null,"pausing":null"#;

    #[test]
    fn whole_objects() {
        let alone = report(Ok(up(7)), Logger::None);
        let name = r#"{"directory":"s","directory_bytes":null"#;
        assert_eq!(line(&alone, Which::Both), format!("{name},{UP},\"log\":null"));
        assert_eq!(line(&alone, Which::Service), format!("{name},{UP}"));
        let problem = r#""supervised":false,"problem":"no log service","explanation":null"#;
        assert_eq!(line(&alone, Which::Log), format!("{name},{problem},{NOT_UP}"));

        let script = report(Ok(up(7)), Logger::Script(up(7)));
        let log = format!("{{\"directory\":null,\"directory_bytes\":null,{UP}");
        assert_eq!(line(&script, Which::Log), log);
        assert_eq!(line(&script, Which::Both), format!("{name},{UP},\"log\":{log}}}"));

        let directory = report(Ok(up(7)), Logger::Directory(Ok(up(7))));
        let log = format!("{{\"directory\":\"s/log\",\"directory_bytes\":null,{UP}");
        assert_eq!(line(&directory, Which::Both), format!("{name},{UP},\"log\":{log}}}"));
    }

    #[test]
    fn problems_are_explained() {
        let gone = line(&report(Err(Problem::NotRunning), Logger::None), Which::Service);
        assert!(gone.contains(
            r#""supervised":false,"problem":"supervise not running","explanation":"no "#
        ));
        assert!(gone.ends_with(NOT_UP));
        let nowhere = report(Err(Problem::Enter(Errno::NOENT)), Logger::None);
        let text = line(&nowhere, Which::Service);
        assert!(
            text.contains(r#""problem":"unable to chdir: file does not exist","explanation":null"#)
        );
    }

    #[test]
    fn what_a_service_waits_for() {
        let process = |want, state, detail| Process {
            status: status(0, want, state),
            detail: Some(detail),
            normally_up: false,
            writer: Writer::Unknown,
        };
        let waiting = Detail { until: Some(label(160)), ..detail(0, Phase::Waiting) };
        for (process, expected) in [
            (
                process(Want::Up, State::Starting, waiting),
                r#""waits_for":"next-start","waits_because":null,"waits_until":"1970-01-01T00:02:40Z","failure":null"#,
            ),
            (
                process(Want::Down, State::Stopped, detail(0, Phase::Down)),
                r#""waits_for":"up","waits_because":"down-file","waits_until":null,"failure":null"#,
            ),
            (
                process(Want::Down, State::Failed, detail(0, Phase::Failed(Failure::Restarts))),
                r#""waits_for":"up","waits_because":"failed","waits_until":null,"failure":"max-restarts""#,
            ),
        ] {
            let text = line(&report(Ok(process), Logger::None), Which::Service);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn every_object_has_the_same_fields_in_the_same_order() {
        let fields = |line: &str| {
            let parts: Vec<_> = line.split('"').map(str::to_owned).collect();
            let named = parts.windows(2).filter(|pair| pair[1].starts_with(':'));
            named.map(|pair| pair[0].clone()).collect::<Vec<_>>()
        };
        let missing = line(&report(Err(Problem::NotRunning), Logger::None), Which::Service);
        let mut whole = fields(&line(&report(Ok(up(7)), Logger::None), Which::Service));
        let at = whole.iter().position(|name| name == "last_end").expect("an end") + 1;
        let end: Vec<_> = whole.drain(at..at + 5).collect();
        assert_eq!(end, ["exit_code", "signal", "signal_number", "pid", "at"]);
        assert_eq!(whole, fields(&missing));
        assert_eq!(whole.len(), 23);
    }

    #[test]
    fn names_that_json_cannot_hold() {
        let said = |name: &'static [u8]| {
            let report = Report { name, ..report(Ok(up(7)), Logger::None) };
            let line = line(&report, Which::Service);
            line.split(",\"supervised\"").next().expect("a part").to_owned()
        };
        assert_eq!(said(b"a\"b\\c"), r#"{"directory":"a\"b\\c","directory_bytes":null"#);
        assert_eq!(
            said(b"a\nb\x01\x7F"),
            r#"{"directory":"a\nb\u0001\u007f","directory_bytes":null"#
        );
        assert_eq!(said("ä".as_bytes()), r#"{"directory":"ä","directory_bytes":null"#);
        assert_eq!(
            said(b"a\xFFb\xE4"),
            "{\"directory\":\"a\u{FFFD}b\u{FFFD}\",\"directory_bytes\":\"61ff62e4\""
        );
    }

    /// What a reader makes of a string; `None` if it is none.
    fn unescape(json: &str) -> Option<String> {
        let mut chars = json.strip_prefix('"')?.strip_suffix('"')?.chars();
        let mut text = String::new();
        while let Some(char) = chars.next() {
            match char {
                '"' => return None,
                '\\' => text.push(match chars.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    escaped @ ('"' | '\\') => escaped,
                    _ => return None,
                }),
                char if char < ' ' => return None,
                char => text.push(char),
            }
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn any_string_reads_back(text in ".*", bytes: Vec<u8>) {
            let json = |text: &[u8]| {
                let mut out = Vec::new();
                string(&mut out, text);
                String::from_utf8(out).expect("UTF-8")
            };
            prop_assert_eq!(unescape(&json(text.as_bytes())), Some(text));
            let lossy = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(unescape(&json(&bytes)), Some(lossy));
        }
    }
}
