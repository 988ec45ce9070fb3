//! tcpserver: connections a second.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::measure::{Goal, Row, Table, alternate};
use crate::place::{Running, debian_has, own, programs, wait_until};
use crate::worker::{Talk, load};

const ROUNDS: usize = 7;

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let nothing = own("bench-nothing")?;
    let installed = debian_has(&["tcpserver"]);
    for (clients, count) in [(1, 400), (16, 1600)] {
        let one = |whose| {
            let port = free_port()?;
            let mut tcpserver = Command::new(programs(whose).join("tcpserver"));
            tcpserver.args(["-RHDl0", "-c200", "-b200", "127.0.0.1", &port.to_string()]);
            let _running = Running::start(tcpserver.arg(&nothing))?;
            wait_until("tcpserver", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
            load(port, clients, count, Talk::Nothing)
        };
        let (ours, theirs) = alternate(ROUNDS, one, installed.is_ok())?;
        table.add(&Row {
            what: format!("tcpserver, connections, {clients} at once"),
            unit: "/s",
            ours,
            other: installed.clone().map(|()| theirs.unwrap_or(f64::NAN)),
            goal: Goal::RatioAtLeast(1.0),
        });
    }
    Ok(())
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|e| format!("unable to find a port: {e}"))
}
