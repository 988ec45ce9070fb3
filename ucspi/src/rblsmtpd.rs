//! rblsmtpd: refuses mail from hosts that are on a list.

pub(crate) mod conversation;
mod judgement;
mod lists;
mod options;
mod refusal;

use crate::child;
use common::{Exit, Failure, Name};
use judgement::Verdict;
use lists::Lists;
use options::Options;
use sys::{Args, Env};

const NAME: Name = Name("rblsmtpd");

/// `rblsmtpd OPTIONS PROGRAM ARGUMENTS`: becomes the program, or, where `RBLSMTPD` in the environment or
/// one of the lists says so of the client, refuses its mail: says why on standard error, and in a
/// conversation of its own to each command of the client's.
///
/// The conversation ends with the client's `quit`, when it closes, or when the time is over: 0.
///
/// # Errors
/// Wrong usage: 100. A program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args)?;
    let client = env.get(b"TCPREMOTEIP").unwrap_or_default();
    let verdict = match env.get(b"RBLSMTPD") {
        Some(text) => Verdict::of_variable(text),
        None => {
            if !options.names_a_list() {
                NAME.warn(&[b"no list is named with -r, and RBLSMTPD is not set"]);
            }
            let mut lists = Lists::new(client, env);
            Verdict::of_lists(&options, |list| lists.ask(list))
        }
    };
    match verdict {
        Verdict::Pass => Err(child::exec(NAME, options.program(), options.arguments, env)),
        Verdict::Refuse(refusal) => {
            refusal.log(client);
            refusal.converse(options.timeout);
            Ok(Exit::OK)
        }
    }
}
