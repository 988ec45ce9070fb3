//! tlsclient, and `tcpclient -s`, from the outside: the finished programs in 5,000,000 bytes of address space,
//! talking to tcpserver, to OpenSSL and to servers that are none.

mod authority;
mod cage;
mod peers;
mod programs;
mod verified;

use std::path::Path;

use authority::Authority;
use tests::{Child, Run, program};

/// tcpserver with TLS at a port of its own, with the certificate of this name; it runs a shell script for each
/// connection.
struct Server {
    _child: Child,
    port: u16,
}

impl Server {
    fn start(authority: &Authority, options: &[&str], script: &str) -> Server {
        let child = Run::new(program("tcpserver"))
            .args(["-1RHDl0", "-s"])
            .args(options)
            .args(["127.0.0.1", "0", "/bin/sh", "-c", script])
            .cwd(authority.path())
            .env("PATH", tests::path())
            .spawn();
        child.expect("\n");
        let port = String::from_utf8(child.stdout()).unwrap().trim().parse().unwrap();
        Server { _child: child, port }
    }
}

/// `tcpclient -s OPTIONS 127.0.0.1 PORT sh -c SCRIPT`, with nobody's authorities but those that are named.
fn tcpclient(place: &Path, port: u16, options: &[&str], script: &str) -> Run {
    let port = port.to_string();
    let run = Run::new(program("softlimit")).args(["-m", "5000000"]).arg(program("tcpclient"));
    own(run)
        .args(["-RHl0", "-s"])
        .args(options)
        .args(["127.0.0.1", &port, "/bin/sh", "-c", script])
        .cwd(place)
}

/// The run finds our programs, and trusts the authority of the test unless it is told another one.
fn own(run: Run) -> Run {
    let run = run.env("PATH", tests::path()).env("CAFILE", "ca.pem");
    ["SSL_CERT_FILE", "TLS_UID", "TLS_GID", "UCSPITLS"].into_iter().fold(run, Run::env_remove)
}
