//! The line `hosts:` of nsswitch.conf(5). Of its sources we are `files` and `dns` ourselves; the
//! others are modules of the C library, and passed over with the actions that follow them.

use alloc::vec::Vec;
use core::ffi::CStr;
use sys::Errno;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `/etc/hosts`.
    Files,
    /// The DNS.
    Dns,
}

/// A source, and with which outcomes the search ends at it; it always does with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Who is asked.
    pub source: Source,
    /// It doesn't know the name.
    pub ends_unknown: bool,
    /// It can't tell at the moment.
    pub ends_in_trouble: bool,
}

impl Step {
    const fn new(source: Source) -> Self {
        Self { source, ends_unknown: false, ends_in_trouble: false }
    }
}

/// Reads the line; without one, or with none of ours in it: `files dns`.
pub(super) fn read(path: &CStr) -> Result<Vec<Step>, Errno> {
    let mut steps = Vec::new();
    let read = sys::lines(path, |line| {
        // As with the C library, the last such line counts.
        if let Some(list) = hosts(line) {
            steps = parse(list);
        }
        None::<()>
    });
    match read {
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(errno) => return Err(errno),
    }
    if steps.is_empty() {
        steps = [Source::Files, Source::Dns].map(Step::new).into();
    }
    Ok(steps)
}

pub(crate) fn hosts(line: &[u8]) -> Option<&[u8]> {
    let line = line.split(|byte| *byte == b'#').next()?;
    line.trim_ascii_start().strip_prefix(b"hosts")?.trim_ascii_start().strip_prefix(b":")
}

/// `files mdns4_minimal [NOTFOUND=return] dns`. `resolve` is systemd-resolved's module, which the
/// DNS stands in for where no `dns` follows it.
pub(crate) fn parse(list: &[u8]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut resolve = None;
    let mut last_is_ours = false;
    let mut rest = list.trim_ascii();
    while !rest.is_empty() {
        if let Some(actions) = rest.strip_prefix(b"[") {
            let end = actions.iter().position(|byte| *byte == b']').unwrap_or(actions.len());
            if let Some(step) = steps.last_mut().filter(|_| last_is_ours) {
                let words = actions[..end].split(u8::is_ascii_whitespace);
                words.for_each(|action| apply(step, action));
            }
            rest = actions.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest.iter().position(|byte| *byte == b'[' || byte.is_ascii_whitespace());
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            let source = match word {
                b"files" => Some(Source::Files),
                b"dns" => Some(Source::Dns),
                _ => None,
            };
            if word == b"resolve" && resolve.is_none() {
                resolve = Some(steps.len());
            }
            steps.extend(source.map(Step::new));
            last_is_ours = source.is_some();
            rest = after;
        }
        rest = rest.trim_ascii_start();
    }
    if let Some(place) = resolve
        && steps.iter().all(|step| step.source != Source::Dns)
    {
        steps.insert(place, Step::new(Source::Dns));
    }
    steps
}

/// `STATUS=ACTION`, or `!STATUS=ACTION` for every other status; what we don't know changes nothing.
fn apply(step: &mut Step, action: &[u8]) {
    let (rule, all_but) = match action.strip_prefix(b"!") {
        Some(rule) => (rule, true),
        None => (action, false),
    };
    let Some(equals) = rule.iter().position(|byte| *byte == b'=') else { return };
    let (status, does) = (&rule[..equals], &rule[equals + 1..]);
    let is = |name: &[u8]| status.eq_ignore_ascii_case(name);
    let unknown = is(b"notfound");
    let trouble = is(b"unavail") || is(b"tryagain");
    if !unknown && !trouble && !is(b"success") {
        return;
    }
    let ends = does.eq_ignore_ascii_case(b"return");
    if unknown != all_but {
        step.ends_unknown = ends;
    }
    if trouble != all_but {
        step.ends_in_trouble = ends;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `F` files, `D` dns, then at what they end: `n` not found, `t` trouble.
    fn told(line: &str) -> String {
        let step = |step: &Step| {
            let source = if step.source == Source::Files { "F" } else { "D" };
            let unknown = if step.ends_unknown { "n" } else { "" };
            format!("{source}{unknown}{}", if step.ends_in_trouble { "t" } else { "" })
        };
        let list = hosts(line.as_bytes()).expect("a line for hosts");
        parse(list).iter().map(step).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_of_real_hosts() {
        for (line, expected) in [
            ("hosts: files dns", "F D"),
            ("hosts:dns files # not that way", "D F"),
            (" hosts :\tfiles mdns4_minimal [NOTFOUND=return] dns", "F D"),
            ("hosts: files myhostname resolve [!UNAVAIL=return] dns", "F D"),
            ("hosts: files resolve", "F D"),
            ("hosts: resolve [!UNAVAIL=return] files", "D F"),
            ("hosts: files [NOTFOUND=return] dns", "Fn D"),
            ("hosts: dns[!UNAVAIL=return]files", "Dn F"),
            ("hosts: dns [tryagain=RETURN notfound=return] files", "Dnt F"),
            ("hosts: files [BOGUS=return x] dns", "F D"),
            ("hosts: files [NOTFOUND=return", "Fn"),
            ("hosts: files", "F"),
            ("hosts: sss", ""),
            ("hosts:", ""),
        ] {
            assert_eq!(told(line), expected, "{line}");
        }
    }

    #[test]
    fn other_lines_are_not_about_hosts() {
        for line in ["# hosts: files", "hostsx: files", "hosts files", "networks: files", ""] {
            assert_eq!(hosts(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line in "[ -~]{0,60}", bytes: Vec<u8>) {
            parse(line.as_bytes());
            parse(&bytes);
        }
    }
}
