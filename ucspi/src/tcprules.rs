//! tcprules: compiles rules for tcpserver.

mod lines;

use crate::cdb::{HEADER, Unwritten, Writer};
use crate::rules::line::{Malformed, Rule, parse};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use lines::{Lines, Unread, stdin};
use sys::fs::{FileType, Mode, OFlags, SeekFrom, fstat, fsync, open, rename, seek, unlink};
use sys::{Args, Env, Errno, OwnedFd};

const NAME: Name = Name("tcprules");

const USAGE: &str = "rules.cdb rules.tmp";

/// `tcprules RULES.CDB RULES.TMP`: reads rules from standard input and writes a database of them to RULES.TMP,
/// which replaces RULES.CDB once it is on disk as a whole. If anything goes wrong, RULES.CDB stays as it is, and
/// RULES.TMP is removed.
///
/// # Errors
/// Wrong usage, a line that isn't a rule: 100. Trouble with the files, the input or memory: 111.
pub fn run(args: Args, _: Env) -> Result<Exit, Failure> {
    let file = args.get(1).ok_or_else(|| NAME.usage(USAGE))?;
    let temporary = Temporary::create(args.get(2).ok_or_else(|| NAME.usage(USAGE))?)?;
    match compile(&temporary).and_then(|()| temporary.replace(file)) {
        Ok(()) => Ok(Exit::OK),
        Err(failure) => {
            temporary.remove();
            Err(failure)
        }
    }
}

/// Reads all rules and writes their database.
fn compile(temporary: &Temporary) -> Result<(), Failure> {
    let unwritable = |errno| temporary.failure(b"unable to write to ", errno);
    let unwritten = |reason| match reason {
        Unwritten::Write(errno) => unwritable(errno),
        Unwritten::TooBig => unwritable(Errno::FBIG),
        Unwritten::Memory => fatal(b"out of memory"),
    };
    temporary.go_to(HEADER as u64).map_err(unwritable)?;
    let mut writer = Writer::new(|bytes: &[u8]| temporary.write(bytes));
    let mut lines = Lines::new(stdin());
    while let Some(line) = lines.next().map_err(unread)? {
        let Some(rule) = parse(line).map_err(malformed)? else { continue };
        add(&mut writer, &rule).map_err(unwritten)?;
    }
    let header = writer.finish().map_err(unwritten)?;
    temporary.go_to(0).and_then(|()| temporary.write(&header)).map_err(unwritable)
}

fn add<E, W: FnMut(&[u8]) -> Result<(), E>>(
    writer: &mut Writer<W>,
    rule: &Rule<'_>,
) -> Result<(), Unwritten<E>> {
    rule.keys().try_for_each(|key| writer.add(&key, rule.value()))
}

fn malformed(Malformed(line): Malformed<'_>) -> Failure {
    // A C string, as the original has it.
    let text: Vec<u8> = line.iter().copied().take_while(|byte| *byte != 0).collect();
    NAME.fatal(Exit::USAGE.0, &[b"unable to parse this line: ", &text])
}

fn unread(reason: Unread) -> Failure {
    match reason {
        Unread::Read(errno) => {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read input"], errno)
        }
        Unread::Memory => fatal(b"out of memory"),
    }
}

fn fatal(text: &[u8]) -> Failure {
    NAME.fatal(Exit::TEMPORARY.0, &[text])
}

/// The file that is written before it gets its name.
struct Temporary {
    name: &'static CStr,
    fd: OwnedFd,
}

impl Temporary {
    /// Only a regular file will do: anything else would be renamed, or removed, though it isn't ours.
    fn create(name: &'static CStr) -> Result<Self, Failure> {
        let unable: [&[u8]; 2] = [b"unable to create ", name.to_bytes()];
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let mode = Mode::from_raw_mode(0o644);
        let found = open(name, flags | OFlags::NONBLOCK | OFlags::CLOEXEC, mode)
            .and_then(|fd| Ok((FileType::from_raw_mode(fstat(&fd)?.st_mode), fd)));
        match found {
            Ok((FileType::RegularFile, fd)) => Ok(Self { name, fd }),
            Ok(_) => {
                let [unable, name] = unable;
                Err(NAME.fatal(Exit::TEMPORARY.0, &[unable, name, b": not a regular file"]))
            }
            Err(errno) => Err(NAME.fatal_errno(Exit::TEMPORARY.0, &unable, errno)),
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Errno> {
        sys::write_all(&self.fd, bytes)
    }

    fn go_to(&self, offset: u64) -> Result<(), Errno> {
        seek(&self.fd, SeekFrom::Start(offset)).map(drop)
    }

    fn replace(&self, file: &CStr) -> Result<(), Failure> {
        fsync(&self.fd).map_err(|errno| self.failure(b"unable to write to ", errno))?;
        rename(self.name, file).map_err(|errno| {
            let name = self.name.to_bytes();
            let parts: [&[u8]; 4] = [b"unable to move ", name, b" to ", file.to_bytes()];
            NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
        })
    }

    /// What is said already counts more than a file that stays.
    fn remove(&self) {
        let _ = unlink(self.name);
    }

    fn failure(&self, what: &[u8], errno: Errno) -> Failure {
        NAME.fatal_errno(Exit::TEMPORARY.0, &[what, self.name.to_bytes()], errno)
    }
}
