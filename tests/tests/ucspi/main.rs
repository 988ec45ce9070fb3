//! The small programs of ucspi-tcp, and tcpclient: side by side with Debian's, the same cases for both, in tables; and what
//! no table can show.
//!
//! To try a case by hand, type it after `. tests/tests/ucspi/prelude.sh` in an empty directory, with PATH beginning
//! with either's programs.

mod copiers;
mod example;
mod name_server;
mod network;
mod proxy;
mod refused;
mod rules;
mod side_by_side;

use std::net::TcpListener;

use tests::side_by_side::assert_listed;
use tests::{alone, skip};

/// The tables.
const TABLES: [&str; 8] = [
    "tcprules",
    "tcprulescheck",
    "argv0",
    "filters",
    "copiers",
    "rblsmtpd",
    "tcpclient",
    "clients",
];

#[test]
fn tcprules() {
    side_by_side::agree("tcprules");
}

#[test]
fn tcprulescheck() {
    side_by_side::agree("tcprulescheck");
}

#[test]
fn argv0() {
    side_by_side::agree("argv0");
}

#[test]
fn addcr_and_delcr() {
    side_by_side::agree("filters");
}

#[test]
fn recordio_and_fixcrio() {
    side_by_side::agree("copiers");
}

#[test]
fn rblsmtpd() {
    alone!();
    let _network = network::Network::start();
    side_by_side::agree("rblsmtpd");
}

#[test]
fn tcpclient() {
    alone!();
    if TcpListener::bind("[::1]:0").is_err() {
        skip!("no IPv6 here");
    }
    let _network = network::Network::start();
    side_by_side::agree("tcpclient");
}

#[test]
fn mconnect_and_its_like() {
    alone!();
    let _network = network::Network::start();
    side_by_side::agree("clients");
}

#[test]
fn every_difference_is_listed() {
    let tables = TABLES.map(side_by_side::table);
    assert_listed(&tables);
}

#[test]
fn there_are_380_cases_at_least() {
    let counts = TABLES.map(|name| (name, side_by_side::table(name).cases().len()));
    for (name, count) in counts {
        println!("{count:4} {name}");
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    assert!(all >= 380, "only {all}");
}
