//! The storm.

use std::fs;
use std::time::{Instant, SystemTime};

use tests::{alone, is_root, skip};

use crate::events::Storm;
use crate::host::Host;

const SERVICES: usize = 50;

/// How many events there are unless `STORM` says.
const SHORT: usize = 500;

#[test]
fn storm() {
    if !is_root() {
        skip!("only root has namespaces with a disk to fill");
    }
    alone!();
    let given = std::env::var("STORM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| u64::from(elapsed.subsec_nanos()))
    });
    let events = crate::asked().unwrap_or(SHORT);
    println!("storm: {events} events over {SERVICES} services, STORM_SEED={seed}");
    let begin = Instant::now();
    let mut host = Host::new("storm", "256m");
    for number in 0..SERVICES {
        let service = host.add(&format!("s{number:02}"), number % 2 == 0);
        if number % 10 == 8 {
            host.use_multilog(&format!("s{number:02}"));
        }
        if number % 6 == 1 {
            fs::write(service.join("setsid"), "").expect("a file");
        }
        if number % 8 == 2 {
            fs::write(service.join("last-words"), "").expect("a file");
        }
    }
    for name in host.names.clone() {
        host.link(&name);
    }
    let mut storm = Storm::new(host, seed);
    storm.start_svscan();
    for _ in 0..events {
        storm.event();
        storm.breathe();
    }
    let stormed = begin.elapsed();
    storm.calm();
    storm.all_is_as_asked();
    storm.ask_all();
    storm.end();
    let lines: u64 = storm.host.names.iter().map(|name| storm.host.written(name)).sum();
    println!(
        "storm: {events} events in {stormed:.1?}, calm after {:.1?}: {lines} lines, none lost, none doubled",
        begin.elapsed()
    );
}
