//! tlsclient: talks TLS on a connection that a UCSPI client has made, and runs a program with it.
//!
//! [`options`] is the command line, [`authorities`] whom this host trusts, [`descriptors`] what we were
//! handed and what the program is, [`surroundings`] what the program is told. All else is the crate
//! `tls`: a relay in a cage, of which the program's process is a child.

mod authorities;
mod descriptors;
mod options;
mod surroundings;

use common::{Exit, Failure, Name};
use descriptors::{Connection, Standard};
use nix::unistd::geteuid;
use options::{Options, Verbosity};
use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use sys::exec::Program;
use sys::fork::exit;
use sys::{Args, Env};
use tls::{Cage, Client, ClientSettings, Exports, NoTls, Peer, Terms};

const NAME: Name = Name("tlsclient");

/// `tlsclient OPTIONS NAME PROGRAM ARGUMENTS`: makes a TLS handshake on the connection at descriptors 6
/// and 7, in which the server has to show that it is NAME; then runs the program, which has at 6 (to read)
/// and 7 (to write) what there is to say in the clear. Ends as the program does, with 128 plus the
/// signal's number where one ended it.
///
/// # Errors
/// Wrong usage: 100. No TLS, or not with NAME; a program that can't be run: 111. With `-q` nothing is
/// said of what goes wrong, but for wrong options.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args)?;
    match secure_and_run(&options, env) {
        Ok(never) => match never {},
        Err(failure) => Err(options.said(failure)),
    }
}

fn secure_and_run(options: &Options, env: Env) -> Result<Infallible, Failure> {
    // First of all: what is opened must not take the numbers of what was closed when we came.
    let standard = Standard::put_aside()?;
    let Connection { socket, places } = Connection::take()?;
    let client = client(options, env)?;
    let account = options.tls.account(NAME, env, geteuid().is_root())?;
    let cage = Cage::of_one(account);
    let run = |input: OwnedFd, output: OwnedFd, exports: &Exports| {
        // The last that is left of the connection here.
        drop(places);
        let failure = match become_program(options, env, (input, output), standard, exports) {
            Ok(never) => match never {},
            Err(failure) => options.said(failure),
        };
        failure.say();
        failure.code
    };
    let quiet = options.verbosity == Verbosity::Quiet;
    let mut log = |reason: &[u8]| {
        if !quiet {
            NAME.warn(&[reason]);
        }
    };
    let terms = Terms { limit: options.limit(), banner: b"", cage: &cage };
    let code = match tls::connect(&client, socket, terms, run, &mut log) {
        Ok(status) => tls::exit_code(status),
        Err(no_tls) => {
            let failure = options.said(no_tls_with(options.name, &no_tls));
            failure.say();
            failure.code
        }
    };
    // In the cage nothing is left of what `cage` has open: it must not be closed again.
    exit(code)
}

/// What the command line and this host make of it.
fn client(options: &Options, env: Env) -> Result<Client, Failure> {
    let peer = peer(options.name)?;
    let settings = ClientSettings {
        authorities: authorities::find(&options.tls, env)?,
        revoked: options.tls.revoked.clone(),
        identity: options.tls.identities.last().cloned(),
        protocols: options.tls.protocols.clone(),
        no_tls12: options.tls.no_tls12,
    };
    Client::load(&settings, peer).map_err(|unusable| {
        let (path, reason) = (unusable.path.as_os_str().as_bytes(), unusable.reason.to_string());
        NAME.fatal(Exit::TEMPORARY.0, &[b"unable to use ", path, b": ", reason.as_bytes()])
    })
}

fn peer(name: &[u8]) -> Result<Peer, Failure> {
    let reason = b": neither a host name nor an address";
    Peer::parse(name)
        .ok_or_else(|| NAME.fatal(Exit::USAGE.0, &[b"unable to verify ", name, reason]))
}

fn no_tls_with(name: &[u8], no_tls: &NoTls) -> Failure {
    match no_tls {
        NoTls::Trouble(what) => NAME.fatal(Exit::TEMPORARY.0, &[what.as_bytes()]),
        NoTls::Handshake(reason) => {
            let parts = [b"unable to start TLS with ", name, b": ", reason.as_bytes()];
            NAME.fatal(Exit::TEMPORARY.0, &parts)
        }
    }
}

/// In the program's process: comes back only with a failure.
fn become_program(
    options: &Options,
    env: Env,
    (input, output): (OwnedFd, OwnedFd),
    standard: Standard,
    exports: &Exports,
) -> Result<Infallible, Failure> {
    let environment = surroundings::describe(peer(options.name)?.host(), exports, env);
    if options.verbosity == Verbosity::Verbose {
        let agreed = |name| environment.get(name).unwrap_or_default();
        let (version, suite) = (agreed(b"SSL_PROTOCOL"), agreed(b"SSL_CIPHER"));
        NAME.info(&[version, b" with ", options.name, b", ", suite]);
    }
    descriptors::hand_over(&input, &output)?;
    standard.put_back()?;
    let errno = Program::find(options.program, environment.get(b"PATH"))
        .exec(&options.arguments.vector(), &environment.vector());
    let parts: [&[u8]; 2] = [b"unable to run ", options.program.to_bytes()];
    Err(NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno))
}
