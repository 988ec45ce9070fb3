//! tcpserver: connections a second, and what each costs.

use crate::measure::{Goal, InTurn, Row, Table, in_turn, middle, middle_of};
use crate::place::{Scratch, own};
use crate::server::Server;
use crate::worker::{Talk, load};

const ROUNDS: usize = 7;

/// The units of figures about connections.
pub(crate) const PER_CONNECTION: [&str; 2] = ["/s", "us CPU"];

/// What one run of one server gave.
pub(crate) struct Figures {
    /// Connections a second, or bytes.
    pub(crate) rate: f64,
    /// Processor time for each, the program's included.
    pub(crate) processor: f64,
}

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let scratch = Scratch::new("tcp")?;
    let nothing = own("bench-nothing")?.display().to_string();
    let servers = there(table, &[Server::Ours, Server::Tcpserver, Server::Tcpsvd]);
    for (clients, count) in [(1, 1600), (16, 3200)] {
        let figures = in_turn(ROUNDS, &servers, |server, _| {
            let started = server.start(&[&nothing], None, &scratch)?;
            let before = started.processor_time();
            let rate = load(started.port, clients, count, Talk::Nothing)?;
            started.settle()?;
            let spent = started.processor_time() - before;
            Ok(Figures { rate, processor: spent * 1e6 / f64::from(count) })
        })?;
        let what = format!("connections, {clients} at once");
        let goals = |server| {
            let aims = server == Server::Tcpserver;
            let goal = |goal| if aims { goal } else { Goal::None };
            [goal(Goal::RatioAtLeast(1.5)), goal(Goal::RatioAtMost(0.7))]
        };
        report(table, &what, PER_CONNECTION, &servers, &figures, goals);
    }
    Ok(())
}

/// Those that are installed. Says what isn't.
pub(crate) fn there(table: &mut Table, servers: &[Server]) -> Vec<Server> {
    let mut found = Vec::new();
    for server in servers {
        match server.installed() {
            Ok(()) => found.push(*server),
            Err(why) => table.skip(server.name(), &why),
        }
    }
    found
}

/// Two rows for each server but ours, which is the first.
pub(crate) fn report(
    table: &mut Table,
    what: &str,
    units: [&'static str; 2],
    servers: &[Server],
    figures: &InTurn<Figures>,
    goals: impl Fn(Server) -> [Goal; 2],
) {
    for (server, theirs) in servers.iter().skip(1).zip(&figures.others) {
        let [rate, processor] = goals(*server);
        for (unit, goal, pick) in [
            (units[0], rate, (|figures| figures.rate) as fn(&Figures) -> f64),
            (units[1], processor, |figures| figures.processor),
        ] {
            let what = format!("{what}: {}", server.name());
            let (ours, other) = (middle(&figures.ours, pick), middle_of(theirs, pick));
            table.add(&Row { what, unit, ours, other, goal });
        }
    }
}
