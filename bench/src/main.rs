//! bench: what our programs cost, side by side with Debian's: both are measured in turn, several times, and the medians are
//! compared. `bench [AREA ...]`; `bench worker ...` is one client of a server under load,
//! `bench source` and `bench sink` are programs behind one.

mod chain;
mod logging;
mod measure;
mod place;
mod pop3;
mod server;
mod suite;
mod supervision;
mod tcp;
mod tls;
mod tls_client;
mod worker;

use std::process::ExitCode;

use measure::Table;

/// An area's name, and what measures it.
type Area = (&'static str, fn(&mut Table) -> Result<(), String>);

const AREAS: [Area; 6] = [
    ("chain", chain::measure),
    ("supervision", supervision::measure),
    ("tcp", tcp::measure),
    ("tls", tls::measure),
    ("pop3", pop3::measure),
    ("logging", logging::measure),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = args.split_first() {
        match first.as_str() {
            "worker" => return done(worker::run(rest)),
            "source" => return done(worker::source(rest)),
            "sink" => return done(worker::sink(rest)),
            _ => {}
        }
    }
    if let Some(unknown) = args.iter().find(|arg| AREAS.iter().all(|(name, _)| name != arg)) {
        eprintln!(
            "bench: fatal: no area {unknown}; there are chain, supervision, tcp, tls, pop3 and logging"
        );
        return ExitCode::from(100);
    }
    let mut table = Table::new();
    for (name, measure) in AREAS {
        if (args.is_empty() || args.iter().any(|arg| arg == name))
            && let Err(why) = measure(&mut table)
        {
            return done(Err(why));
        }
    }
    table.end();
    ExitCode::SUCCESS
}

fn done(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: fatal: {why}");
            ExitCode::from(111)
        }
    }
}
