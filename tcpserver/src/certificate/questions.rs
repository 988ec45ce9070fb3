//! The dialogue at a terminal: what the options don't say.

use super::options::{Options, days};
use super::subject::{FIELDS, Subject};
use std::io::{self, BufRead, Read, Write};

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) subject: Subject,
    pub(super) days: u32,
}

/// No answer needs more.
const LONGEST: u64 = 1000;

/// Asks for each part of the subject, and for the days if `with_days`. What stands in brackets is
/// taken when the answer is empty; a lone `.` means that there is none. A wrong answer is asked
/// for again. `None`: the input ended before the last answer.
pub(super) fn ask(
    input: &mut impl BufRead,
    output: &mut impl Write,
    options: &Options,
    with_days: bool,
) -> io::Result<Option<Answers>> {
    let mut answers = Answers { subject: options.subject.clone(), days: options.days };
    writeln!(output, "An empty answer takes what stands in brackets; a dot means none.")?;
    let mut dialogue = Dialogue { input, output };
    let (before, after) = FIELDS.split_at(FIELDS.len() - 1);
    for field in before {
        let default = (field.place)(&mut answers.subject).clone();
        let set = |value: &str| field.set(&mut answers.subject, value);
        if !dialogue.ask(field.question, &default, set)? {
            return Ok(None);
        }
    }
    let host = host_name();
    let subject = &mut answers.subject;
    let first = |value: &str| subject.add_host(value);
    if !dialogue.ask("Host name, as clients know it", &host, first)? {
        return Ok(None);
    }
    let more = |value: &str| {
        value
            .split([' ', ','])
            .filter(|host| !host.is_empty())
            .try_for_each(|host| subject.add_host(host))
    };
    if !dialogue.ask("Further names and addresses", "", more)? {
        return Ok(None);
    }
    for field in after {
        let default = (field.place)(&mut answers.subject).clone();
        let set = |value: &str| field.set(&mut answers.subject, value);
        if !dialogue.ask(field.question, &default, set)? {
            return Ok(None);
        }
    }
    if with_days {
        let default = answers.days.to_string();
        let set = |value: &str| days(value).map(|days| answers.days = days);
        if !dialogue.ask("Good for so many days", &default, set)? {
            return Ok(None);
        }
    }
    Ok(Some(answers))
}

struct Dialogue<'a, I, O> {
    input: &'a mut I,
    output: &'a mut O,
}

impl<I: BufRead, O: Write> Dialogue<'_, I, O> {
    /// Asks until the answer is good. `false`: the input is at its end.
    fn ask(
        &mut self,
        question: &str,
        default: &str,
        mut set: impl FnMut(&str) -> Result<(), &'static str>,
    ) -> io::Result<bool> {
        loop {
            let shown = if default.is_empty() { "none" } else { default };
            write!(self.output, "{question} [{shown}]: ")?;
            self.output.flush()?;
            let mut line = Vec::new();
            let count = self.input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
            if count == 0 {
                writeln!(self.output)?;
                return Ok(false);
            }
            let taken = match str::from_utf8(&line).map(str::trim) {
                Ok("") => set(default),
                Ok(".") => set(""),
                Ok(answer) => set(answer),
                Err(_) => Err("not UTF-8"),
            };
            match taken {
                Ok(()) => return Ok(true),
                Err(why) => writeln!(self.output, "Sorry: {why}.")?,
            }
        }
    }
}

/// What this host calls itself, if that can be a name in a certificate.
fn host_name() -> String {
    let system = sys::system::uname();
    let name = system.nodename().to_str().unwrap_or_default();
    match super::subject::Host::parse(name) {
        Ok(host) => host.text(),
        Err(_) => "localhost".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(input: &str) -> (Option<Answers>, String) {
        let options = Options::parse([c"--organization", c"Example"].into_iter()).unwrap();
        let mut shown = Vec::new();
        let answers = ask(&mut input.as_bytes(), &mut shown, &options, true).unwrap();
        (answers, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn every_question_has_its_answer() {
        let (answers, shown) =
            dialogue("de\n\nBerlin\n\n.\nmail.example.org\nwww.example.org, ::1\na@b\n30\n");
        let answers = answers.unwrap();
        assert_eq!(answers.subject.country, "DE");
        assert_eq!(answers.subject.state, "");
        assert_eq!(answers.subject.locality, "Berlin");
        assert_eq!(answers.subject.organization, "Example");
        assert_eq!(answers.subject.hosts_line(), "mail.example.org, www.example.org, ::1");
        assert_eq!(answers.subject.email, "a@b");
        assert_eq!(answers.days, 30);
        assert!(shown.contains("Organization [Example]: "), "{shown}");
        assert!(shown.contains("State or province [none]: "), "{shown}");
        assert!(shown.ends_with("Good for so many days [365]: "), "{shown}");
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again() {
        let (answers, shown) = dialogue("Germany\nde\n\n\n\n\nhost\n\n\n\n");
        assert_eq!(answers.unwrap().subject.country, "DE");
        assert!(shown.contains("Sorry: too long.\nCountry (two letters) [none]: "), "{shown}");
    }

    #[test]
    fn no_answer_is_no_certificate() {
        assert_eq!(dialogue("de\n\n").0, None);
    }
}
