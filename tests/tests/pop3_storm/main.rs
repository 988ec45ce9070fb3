//! Under attack, POP3: sessions that end at a random moment, because the client is gone, any of the programs is killed or the
//! disk is full, while mail is delivered and flagged and a second session works in the same Maildir, which lies on a small file
//! system. After each round, every message is where it must be, once, byte for byte.
//!
//! What must hold:
//! - A message that was delivered is there until a client has marked it as deleted and then said QUIT.
//! - QUIT that is answered +OK has removed all that was marked; not answered (the program was killed in the middle),
//!   some of it. There is no mark that outlives its session.
//! - What came of a RETR to the last dot is the message, whole; what came without the dot is how the message begins.
//! - What can't be had was removed by the other session: what was moved or flagged is found again.
//! - A session whose own programs nobody harms is never cut, and nobody ever sees a message twice.
//!
//! | variable | what |
//! | --- | --- |
//! | `STORM` | as of the other storm: here a twentieth of it is how many rounds there are (`make storm`: 500) |
//! | `STORM_SEED` | which sequence of rounds |

mod delivery;
mod fault;
mod host;
mod message;
mod replies;
mod session;

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use delivery::Delivery;
use fault::Fault;
use host::Host;
use session::{Quit, Told, Visit};
use tests::storm::random::Random;
use tests::{alone, is_root, skip};

/// How many rounds there are unless `STORM` says.
const SHORT: usize = 60;

/// There are always so many messages at the beginning of a round, or up to so many more.
const FEW: usize = 12;

#[test]
fn nothing_is_lost() {
    if !is_root() {
        skip!("only root has namespaces with a disk to fill");
    }
    alone!();
    let given = std::env::var("STORM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| {
        SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| u64::from(elapsed.subsec_nanos()))
    });
    let asked = std::env::var("STORM").ok().and_then(|events| events.parse::<usize>().ok());
    let rounds = asked.map_or(SHORT, |events| events.div_ceil(20));
    println!("storm: {rounds} rounds, STORM_SEED={seed}");
    let begin = Instant::now();
    let mut storm = Storm {
        host: Host::new("3m"),
        delivery: Delivery::default(),
        alive: BTreeSet::new(),
        random: Random::new(seed),
        count: Count::default(),
    };
    for round in 0..rounds {
        storm.round(round);
    }
    let Count { retrieved, removed, halfway, cut } = storm.count;
    println!(
        "storm: {rounds} rounds in {:.1?}: {} delivered, {retrieved} retrieved, {cut} cut, {removed} removed, {halfway} times halfway",
        begin.elapsed(),
        storm.delivery.delivered(),
    );
    let much = retrieved > rounds && removed > rounds && cut > 0;
    assert!(much || rounds < 12, "hardly anything happened");
}

struct Storm {
    host: Host,
    delivery: Delivery,
    /// The messages that must be there.
    alive: BTreeSet<u64>,
    random: Random,
    count: Count,
}

#[derive(Default)]
struct Count {
    retrieved: usize,
    removed: usize,
    /// How many QUITs had removed some messages and not others.
    halfway: usize,
    cut: usize,
}

impl Storm {
    fn round(&mut self, round: usize) {
        let few = FEW + self.random.below(2 * FEW);
        while self.alive.len() < few {
            self.alive.extend(self.delivery.deliver(&self.host, &mut self.random));
        }
        let fault = Fault::of_round(round, &mut self.random);
        let [mut ours, mut others, mut deliveries] =
            [(); 3].map(|()| Random::new(self.random.number()));
        let (host, delivery) = (&self.host, &mut self.delivery);
        let (struck, unharmed, new) = std::thread::scope(|scope| {
            let second = scope.spawn(|| Visit::new(host, &mut others, None).told());
            let delivery = scope.spawn(|| delivery.works_for_a_while(host, &mut deliveries));
            let struck = Visit::new(host, &mut ours, Some(fault)).told();
            let joined = "no panic beside the session";
            (struck, second.join().expect(joined), delivery.join().expect(joined))
        });
        self.alive.extend(new);
        self.host.wait_for_silence();
        self.host.make_room();
        for told in [&struck, &unharmed] {
            self.count.retrieved += told.retrieved;
            self.count.cut += usize::from(told.cut);
        }
        assert!(!unharmed.cut, "round {round}, {fault:?}: the second session was cut");
        for (told, other) in [(&struck, &unharmed), (&unharmed, &struck)] {
            assert!(
                told.refused.is_subset(&other.marked),
                "round {round}, {fault:?}: {told:?}, {other:?}"
            );
        }
        self.judge(&[struck, unharmed], &format!("round {round}, {fault:?}"));
        self.look_at_all(&format!("round {round}, {fault:?}"));
    }

    /// Compares what is on the disk with what the clients were told.
    fn judge(&mut self, sessions: &[Told], when: &str) {
        let there = self.host.messages(when);
        let mut may_be_gone: BTreeSet<u64> = BTreeSet::new();
        for told in sessions {
            match told.quit {
                Quit::NotSaid => {}
                Quit::Done => {
                    for id in &told.marked {
                        assert!(
                            !there.contains(id),
                            "{when}: {id} was removed, and is still there"
                        );
                    }
                    may_be_gone.extend(&told.marked);
                }
                Quit::Unanswered => {
                    let left = told.marked.iter().filter(|id| there.contains(id)).count();
                    self.count.halfway += usize::from(left > 0 && left < told.marked.len());
                    may_be_gone.extend(&told.marked);
                }
            }
        }
        for id in &self.alive {
            let known = there.contains(id) || may_be_gone.contains(id);
            assert!(known, "{when}: message {id} is lost; {sessions:?}");
        }
        let strange: Vec<_> = there.difference(&self.alive).collect();
        assert!(strange.is_empty(), "{when}: {strange:?} were never delivered, or are back");
        self.count.removed += self.alive.difference(&there).count();
        self.alive = there;
    }

    /// In the silence after a round, a session shows exactly what is there.
    fn look_at_all(&mut self, when: &str) {
        self.host.let_time_pass();
        let told = Visit::new(&self.host, &mut self.random, None).looks_at_all();
        assert_eq!(told, self.alive, "{when}: what a session shows");
        self.host.wait_for_silence();
        let there = self.host.messages(when);
        assert_eq!(there, self.alive, "{when}: after a session that only looked");
    }
}
