//! Having tcpclient connect: the frame of mconnect, tcpcat, who@, date@, finger@, http@ and https@.

use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::exec::Program;
use sys::fd::{AsFd, AsRawFd};
use sys::fs::{MemfdFlags, Mode, OFlags, SeekFrom, memfd_create, open, seek};
use sys::io::fcntl_dupfd_cloexec;
use sys::pipe::{PipeFlags, pipe_with};
use sys::process::{Pid, WaitOptions, waitpid};
use sys::spawn::Spawn;
use sys::{Args, Env, Errno, OwnedFd, Vector};

/// This host.
const HERE: &CStr = c"0";

/// So much of an answer is taken at once.
const READ: usize = 16 * 1024;

/// A TCP port of a host.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) host: &'static CStr,
    pub(crate) port: &'static CStr,
    pub(crate) channel: Channel,
}

/// How it is talked to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Plain,
    /// By tlsclient, which verifies that it is the host.
    Tls,
}

impl Channel {
    /// What the first argument says: `-s` is TLS. Gives the others, too, with a program's name before
    /// them.
    pub(crate) fn of(args: Args) -> (Self, Args) {
        match args.get(1) {
            Some(option) if option == c"-s" => (Self::Tls, args.tail(1)),
            _ => (Self::Plain, args),
        }
    }
}

/// What becomes of an answer on its way to standard output.
pub(crate) trait Rendition {
    /// Appends to `output` what becomes of `input`.
    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>);

    /// Appends what was held back, as nothing follows.
    fn end(&mut self, output: &mut Vec<u8>);
}

impl Server {
    /// The host that the first argument names, and its port; this host if there is none.
    pub(crate) fn of(args: Args, port: &'static CStr) -> Self {
        Self { host: args.get(1).unwrap_or(HERE), port, channel: Channel::Plain }
    }

    /// The same, talked to in this way.
    pub(crate) fn by(self, channel: Channel) -> Self {
        Self { channel, ..self }
    }

    /// Becomes tcpclient, which has mconnect-io copy between the connection and the standard
    /// descriptors. Comes back only with a failure: exit code 111.
    pub(crate) fn connect(self, program: Name, env: Env) -> Failure {
        tcpclient_failed(program, tcpclient(env).exec(&self.arguments(), &env.vector()))
    }

    /// Sends `request`, each line with a carriage return, and writes to standard output what
    /// `rendition` makes of the answer, as it comes.
    ///
    /// # Errors
    /// That of tcpclient, its exit code without a word; trouble of our own: 111.
    pub(crate) fn ask(
        self,
        program: Name,
        env: Env,
        request: &[u8],
        mut rendition: impl Rendition,
    ) -> Result<Exit, Failure> {
        let fatal = |what: &'static [u8]| {
            move |errno| program.fatal_errno(Exit::TEMPORARY.0, &[what], errno)
        };
        let request = file_of(request).map_err(fatal(b"unable to hold the request"))?;
        let (answer, writer) = pipe().map_err(fatal(b"unable to create pipe"))?;
        let (arguments, environment) = (self.arguments(), env.vector());
        let tcpclient = tcpclient(env);
        let spawn = Spawn {
            descriptors: &[(request.as_fd(), 0), (writer.as_fd(), 1)],
            mask: sys::signal::mask(),
            ..Spawn::new(&tcpclient, &arguments, &environment)
        };
        let child = spawn.start().map_err(|why| tcpclient_failed(program, why.errno()))?;
        // Only the child's copy keeps the pipe open.
        drop(writer);
        copy(&answer, &mut rendition).map_err(fatal(b"unable to copy"))?;
        drop(answer);
        match end_of(child).map_err(fatal(b"unable to wait for tcpclient"))? {
            0 => Ok(Exit::OK),
            code => Err(Failure::silent(code)),
        }
    }

    /// No name is looked up, nor is anybody asked who runs the server: the program has no use for it.
    fn arguments(self) -> Vector<'static> {
        let options = match self.channel {
            Channel::Plain => c"-RHl0",
            Channel::Tls => c"-sRHl0",
        };
        [c"tcpclient", options, c"--", self.host, self.port, c"mconnect-io"].into_iter().collect()
    }
}

fn tcpclient(env: Env) -> Program {
    Program::find(c"tcpclient", env.get(b"PATH"))
}

fn tcpclient_failed(program: Name, errno: Errno) -> Failure {
    program.fatal_errno(Exit::TEMPORARY.0, &[b"unable to run tcpclient"], errno)
}

/// A file to be read as standard input: a pipe would have to be filled while the answer is read.
fn file_of(text: &[u8]) -> Result<OwnedFd, Errno> {
    if text.is_empty() {
        return beyond(open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?);
    }
    let file = beyond(memfd_create(c"request", MemfdFlags::CLOEXEC)?)?;
    sys::write_all(&file, text)?;
    seek(&file, SeekFrom::Start(0))?;
    Ok(file)
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((beyond(reader)?, beyond(writer)?))
}

/// The standard descriptors may be closed when we start: what is opened in their place would be taken for
/// them.
fn beyond(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { fcntl_dupfd_cloexec(fd, 3) }
}

fn copy(answer: &OwnedFd, rendition: &mut impl Rendition) -> Result<(), Errno> {
    let stdout = sys::borrow(1);
    let (mut input, mut output) = (alloc::vec![0; READ], Vec::new());
    loop {
        let length = sys::read(answer, &mut input)?;
        match length {
            0 => rendition.end(&mut output),
            _ => rendition.pass(&input[..length], &mut output),
        }
        if !output.is_empty() {
            sys::write_all(stdout.ok_or(Errno::BADF)?, &output)?;
            output.clear();
        }
        if length == 0 {
            return Ok(());
        }
    }
}

/// Its exit code; 111 if a signal ended it.
fn end_of(child: Pid) -> Result<u8, Errno> {
    loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
                return Ok(code.unwrap_or(Exit::TEMPORARY.0));
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
