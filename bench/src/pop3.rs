//! POP3: our chain against Debian's dovecot. Logins a second, the look that each client takes at its mailbox, messages a
//! second, and what a session keeps in memory.

mod client;
mod maildir;
mod servers;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::measure::{Goal, Row, Table, Whose, alternate};
use crate::place::Scratch;
use crate::worker::{Talk, load};

use client::Session;
use servers::{Checker, Dovecot, Serving, dovecot_installed};

const ROUNDS: usize = 7;

/// What is measured with one mailbox.
type Part = fn(&mut Table, &Path) -> Result<(), String>;

/// How many logins a measurement is, with a checker that costs nothing.
const LOGINS: u32 = 800;
/// The same, where each password takes some milliseconds.
const HASHES: u32 = 96;

/// The long message, in bytes.
const LONG: usize = 50_000_000;
/// Sessions that are logged in and say nothing.
const IDLE: usize = 40;

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let scratch = Scratch::on_disk("pop3")?;
    let mailboxes: [(usize, usize, Part); 4] = [
        (3, 200, |table, home| {
            logins(table, home)?;
            passwords(table, home)?;
            memory(table, home)
        }),
        (10_000, 1_000, |table, home| {
            looks(table, home, 10_000, [Goal::AtMost(15.0), Goal::None])?;
            pipelined(table, home, 10_000)
        }),
        (100_000, 1_000, |table, home| {
            looks(table, home, 100_000, [Goal::AtMost(150.0), Goal::AtMost(500.0)])
        }),
        (1, LONG, long),
    ];
    for (count, bytes, part) in mailboxes {
        let home = scratch.path().join(count.to_string());
        match maildir::make(&home, count, bytes) {
            Ok(()) => part(table, &home)?,
            Err(why) => table.skip(&format!("POP3 with {count} messages of {bytes} bytes"), &why),
        }
        maildir::remove(&home);
    }
    Ok(())
}

/// Each from the greeting to the end of the connection. Dovecot's login processes are the high-performance ones of its manual:
/// they stay, as many as there are processors, and each serves many clients. That the processes behind them stay, too, isn't
/// its way, and is no goal of ours: nothing of one client's should be left in the process that serves the next.
fn logins(table: &mut Table, home: &Path) -> Result<(), String> {
    for clients in [1, 16] {
        for (dovecot, name, goal) in [
            (Dovecot::Logins, "dovecot", Goal::RatioAtLeast(1.5)),
            (Dovecot::All(clients), "dovecot that keeps all processes", Goal::None),
        ] {
            let one = |whose| {
                let server = Serving::clear(home, dovecot).start(whose)?;
                load(server.port, clients, LOGINS, Talk::Login)
            };
            let (ours, other) = alternate(ROUNDS, one, dovecot_installed())?;
            let what = format!("POP3 logins, {clients} at once: {name}");
            table.add(&Row { what, unit: "/s", ours, other, goal });
        }
    }
    Ok(())
}

/// With a password that has to be hashed, beside the hash alone: what a login costs besides.
fn passwords(table: &mut Table, home: &Path) -> Result<(), String> {
    for clients in [1, 16] {
        let one = |whose| match whose {
            Whose::Ours => {
                let mut serving = Serving::clear(home, Dovecot::AsItComes);
                serving.checker = Checker::Yescrypt;
                let server = serving.start(whose)?;
                load(server.port, clients, HASHES, Talk::Login)
            }
            Whose::Others => load(0, clients, HASHES, Talk::Hash),
        };
        let (ours, other) = alternate(ROUNDS, one, Ok(()))?;
        table.add(&Row {
            what: format!("POP3 logins with yescrypt, {clients} at once: the hash alone"),
            unit: "/s",
            ours,
            other,
            goal: Goal::RatioAtLeast(0.97),
        });
    }
    Ok(())
}

/// A session that logs in and says STAT, LIST, UIDL and QUIT, one after the other: the first one ever, and one of those after
/// it. The goals are for the latter and the former.
fn looks(table: &mut Table, home: &Path, count: usize, goals: [Goal; 2]) -> Result<(), String> {
    for (at, kind) in ["warm", "the first time"].into_iter().enumerate() {
        let one = |whose| {
            let server = Serving::clear(home, Dovecot::All(1)).start(whose)?;
            // What was noted before, is that of this server, or of nobody.
            maildir::forget(home)?;
            if at == 0 {
                client::look(server.port, count)?;
            }
            server.settle()?;
            let begin = Instant::now();
            client::look(server.port, count)?;
            Ok(begin.elapsed().as_secs_f64() * 1e3)
        };
        let (ours, other) = alternate(ROUNDS, one, dovecot_installed())?;
        table.add(&Row {
            what: format!("POP3, a look at {count} messages, {kind}: dovecot"),
            unit: "ms",
            ours,
            other,
            goal: goals[at],
        });
    }
    Ok(())
}

/// All messages of a mailbox, asked for without waiting for any.
fn pipelined(table: &mut Table, home: &Path, count: usize) -> Result<(), String> {
    let one = |whose| {
        let server = Serving::clear(home, Dovecot::All(1)).start(whose)?;
        client::look(server.port, count)?;
        server.settle()?;
        let took = Session::log_in(client::connect(server.port)?)?.take_all(count)?;
        Ok(count as f64 / took.as_secs_f64())
    };
    let (ours, other) = alternate(ROUNDS, one, dovecot_installed())?;
    table.add(&Row {
        what: format!("POP3, {count} messages of 1 kB, pipelined: dovecot"),
        unit: "/s",
        ours,
        other,
        goal: Goal::RatioAtLeast(1.5),
    });
    Ok(())
}

/// One long message. Two goals: the higher one counts.
fn long(table: &mut Table, home: &Path) -> Result<(), String> {
    let one = |whose| {
        let server = Serving::clear(home, Dovecot::All(1)).start(whose)?;
        client::look(server.port, 1)?;
        server.settle()?;
        let took = Session::log_in(client::connect(server.port)?)?.take_first(LONG)?;
        Ok(LONG as f64 / 1e6 / took.as_secs_f64())
    };
    let (ours, other) = alternate(ROUNDS, one, dovecot_installed())?;
    let row =
        |what: &str, other, goal| Row { what: what.to_owned(), unit: "MB/s", ours, other, goal };
    let what = "POP3, a message of 50 MB: dovecot";
    table.add(&row(what, other, Goal::RatioAtLeast(1.5)));
    let other = Err("the same figure, and the other goal for it".to_owned());
    table.add(&row("POP3, a message of 50 MB", other, Goal::AtLeast(800.0)));
    Ok(())
}

/// What a session costs, all its processes, that is logged in and says nothing. Dovecot's are its defaults here: a process for
/// each session.
fn memory(table: &mut Table, home: &Path) -> Result<(), String> {
    let pem = servers::certificate(home)?;
    for (kind, certificate) in [("in the clear", None), ("over TLS", Some(pem))] {
        let one = |whose| {
            let server = Serving::by_default(home, certificate.clone()).start(whose)?;
            let mut sessions = Vec::new();
            let mut figures = Vec::new();
            // The first one may have to wait for more than the others.
            for count in [1, 1 + IDLE] {
                while sessions.len() < count {
                    sessions.push(servers::session(server.port, certificate.is_some())?);
                }
                figures.push(server.memory() as f64);
            }
            Ok((figures[1] - figures[0]) / IDLE as f64)
        };
        let (ours, other) = alternate(3, one, dovecot_installed())?;
        table.add(&Row {
            what: format!("POP3, memory of a session {kind}: dovecot"),
            unit: "KiB",
            ours,
            other,
            goal: Goal::None,
        });
    }
    Ok(())
}

/// The path of something in a mailbox's home.
fn maildir_of(home: &Path) -> PathBuf {
    home.join("Maildir")
}
