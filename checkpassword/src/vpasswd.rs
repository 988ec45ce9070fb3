//! vpasswd: adds, changes, removes and lists the users of vchkpw's file, so that nobody has to write it by hand.
//!
//! The file is replaced as a whole, once it is on disk ([`store`]); what isn't the user's line stays byte
//! for byte ([`edit`]). A password comes from the terminal or standard input, never from the arguments ([`prompt`]).

pub mod edit;
mod options;
mod prompt;
mod store;

use crate::check;
use crate::hash::Stored;
use crate::request::printable;
use crate::users::line::{Fields, named};
use common::{Exit, Failure, Name};
use edit::NewUser;
use options::{Options, Task};
use store::Store;
use sys::{Args, Env};
use zeroize::Zeroizing;

pub(crate) const NAME: Name = Name("vpasswd");

/// `vpasswd [ options ] add USER HOME`, `change USER`, `remove USER`, `list`.
///
/// # Errors
/// Wrong usage, a user who is there already, or isn't: 100. Trouble with the file, the terminal or memory: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args, env)?;
    match &options.task {
        Task::Add { user, home } => {
            let ids = options.ids(home)?;
            let (hash, secret) = password(&options, user)?;
            let store = Store::open(&options.file, true)?;
            let text = store.text()?;
            let new = NewUser {
                user,
                hash: hash.as_bytes(),
                ids: &ids,
                home,
                quota: options.quota.as_deref(),
                secret: secret.as_ref().map(|secret| secret.as_slice()),
            };
            let changed =
                edit::add(&text, &new).ok_or_else(|| mistake(&[b"user ", user, b" exists"]))?;
            store.replace(&changed)?;
        }
        Task::Change { user } => {
            // Found before anybody types anything; and again under the lock.
            let unknown = || mistake(&[b"unknown user ", user]);
            let known = |text: &[u8]| {
                text.split(is_newline).any(|line| named(line).is_some_and(|(name, _)| name == user))
            };
            if !known(&Store::open(&options.file, false)?.text()?) {
                return Err(unknown());
            }
            let (hash, secret) = password(&options, user)?;
            let store = Store::open(&options.file, false)?;
            let text = store.text()?;
            let secret = secret.as_ref().map(|secret| secret.as_slice());
            let (changed, had_secret) = edit::change(&text, user, hash.as_bytes(), secret)
                .map_err(|why| mistake(&[b"unable to change ", user, b": ", why.as_bytes()]))?
                .ok_or_else(unknown)?;
            store.replace(&changed)?;
            if had_secret && secret.is_none() {
                NAME.warn(&[
                    b"the secret of ",
                    user,
                    b" is no longer kept in clear: no APOP, no CRAM-MD5 (-c keeps it)",
                ]);
            }
        }
        Task::Remove { user } => {
            let store = Store::open(&options.file, false)?;
            let changed = edit::remove(&store.text()?, user)
                .ok_or_else(|| mistake(&[b"unknown user ", user]))?;
            store.replace(&changed)?;
        }
        Task::List => list(&Store::open(&options.file, false)?.text()?)?,
        Task::Table => {
            let store = Store::open(&options.file, false)?;
            store.replace(&store.text()?)?;
        }
    }
    Ok(Exit::OK)
}

/// The hash of the user's new password, and the password itself where it is to be kept.
type Secrets = (Zeroizing<String>, Option<Zeroizing<Vec<u8>>>);

fn password(options: &Options, user: &[u8]) -> Result<Secrets, Failure> {
    let password = prompt::password(user)?;
    let hash = check::make(NAME, user, options.scheme, &password)?;
    Ok((hash, options.keeps_secret.then_some(password)))
}

/// One user a line: name, what logins there are, home; with tabs between.
fn list(text: &[u8]) -> Result<(), Failure> {
    let mut out = Vec::new();
    for (name, rest) in text.split(is_newline).filter_map(named) {
        let (state, home): (&[u8], &[u8]) = match Fields::parse(rest) {
            Ok(fields) => (state(&fields), fields.home),
            Err(_) => (b"malformed", b""),
        };
        out.extend_from_slice(&[&printable(name), state, &printable(home)].join(&b'\t'));
        out.push(b'\n');
    }
    let written =
        sys::borrow(1).map_or(Err(sys::Errno::BADF), |stdout| sys::write_all(stdout, &out));
    written
        .map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to write output"], errno))
}

fn state(fields: &Fields<'_>) -> &'static [u8] {
    match Stored::parse(fields.hash) {
        Ok(Stored::Hash(_)) if fields.secret.is_empty() => b"password",
        Ok(Stored::Hash(_)) => b"password,secret",
        Ok(Stored::Empty | Stored::Locked) => b"locked",
        Err(_) => b"unusable",
    }
}

fn mistake(parts: &[&[u8]]) -> Failure {
    NAME.fatal(Exit::USAGE.0, parts)
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
}
