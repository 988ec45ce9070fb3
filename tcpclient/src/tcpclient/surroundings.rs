//! What the program is told about the connection: its environment.

use super::connection::Connection;
use super::options::Options;
use crate::ident;
use alloc::vec::Vec;
use common::decimal;
use common::env::Environment;
use core::net::IpAddr;
use core::time::Duration;
use dns::{Places, Resolver, Unresolved};
use sys::Env;
use sys::clock::monotonic;

/// How long looking up the name of one end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Look-ups as this environment wants them.
pub(super) fn resolver(env: Env) -> Resolver {
    Resolver::new(Places::default(), dns::Environment::from(env))
}

/// The environment that we were started with, and the two ends of the connection. What isn't known,
/// or wasn't asked for, is unset; a host that has no name has an empty one, as in the original.
pub(super) fn describe(
    connection: &Connection,
    options: &Options,
    resolver: &mut Resolver,
    env: Env,
) -> Environment {
    let (local, remote) = (connection.local, connection.remote);
    let mut environment = Environment::from(env);
    environment.set(b"PROTO", b"TCP");
    environment.set(b"TCPLOCALIP", &dns::address::text(local.ip()));
    environment.set(b"TCPLOCALPORT", decimal(local.port().into()).as_bytes());
    let name = match options.local_name {
        Some(name) => Some(name.to_vec()),
        None => host_name(resolver, local.ip()),
    };
    put(&mut environment, b"TCPLOCALHOST", name.as_deref());
    environment.set(b"TCPREMOTEIP", &dns::address::text(remote.ip()));
    environment.set(b"TCPREMOTEPORT", decimal(remote.port().into()).as_bytes());
    let name = options.look_up_remote.then(|| host_name(resolver, remote.ip())).flatten();
    put(&mut environment, b"TCPREMOTEHOST", name.as_deref());
    let who = options.ask_who.and_then(|time| ident::ask(local, remote, monotonic() + time));
    put(&mut environment, b"TCPREMOTEINFO", who.as_deref());
    environment
}

fn put(environment: &mut Environment, name: &[u8], value: Option<&[u8]>) {
    match value {
        Some(value) => environment.set(name, value),
        None => environment.unset(name),
    }
}

/// The first name of an address; empty if it has none, nothing if nobody can tell.
fn host_name(resolver: &mut Resolver, address: IpAddr) -> Option<Vec<u8>> {
    match resolver.address_to_names(address, monotonic() + PATIENCE) {
        Ok(names) => names.into_iter().next(),
        Err(Unresolved::Unknown) => Some(Vec::new()),
        Err(Unresolved::Temporary(_)) => None,
    }
}
