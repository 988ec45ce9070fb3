//! Dovecot as neighbour: it and the finished chain serve one Maildir at the same time, with the UIDLs that Dovecot makes of file
//! names and with those that it makes by default. No message is lost, no flag and no UIDL.

mod client;
mod neighbours;

use std::collections::{BTreeMap, BTreeSet};

use neighbours::Neighbours;
use tests::storm::random::Random;
use tests::{alone, is_root, skip};

const ROUNDS: usize = 25;

/// In namespaces, for its accounts and its socket; if it is not there, the test says so and is over.
macro_rules! with_dovecot {
    () => {
        if !is_root() {
            skip!("only root can run dovecot as Debian does");
        }
        if !neighbours::installed() {
            skip!("no dovecot-pop3d to live with");
        }
        alone!();
    };
}

/// How Dovecot is told to make UIDLs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Uidl {
    /// `%f`: the name of the file, as we do.
    OfTheFile,
    /// The default: its own numbers.
    OfItsOwn,
}

/// What somebody has been told by UIDL: the message of each id.
type Ids = BTreeMap<String, String>;

fn live_together(uidl: Uidl) {
    let mut random = Random::new(uidl as u64);
    let host = Neighbours::new(uidl);
    let mut expected = BTreeSet::new();
    let mut number = 0;
    let (mut ours_before, mut theirs_before) = (Ids::new(), Ids::new());
    let mut flags = host.flags();
    for round in 0..ROUNDS {
        let when = format!("{uidl:?}, round {round}");
        while expected.len() < 20 {
            expected.insert(host.deliver(number, &mut random));
            number += 1;
        }
        // Who is there first finds new messages, which the other finds moved.
        let (mut ours, mut theirs) = if random.once_in(2) {
            let ours = host.ours();
            (ours, host.theirs())
        } else {
            let theirs = host.theirs();
            (host.ours(), theirs)
        };
        for known in [&mut ours, &mut theirs] {
            let subjects: BTreeSet<_> = known.ids().values().cloned().collect();
            assert_eq!(subjects, expected, "{when}: what {} has", known.name);
        }
        let (ours_now, theirs_now) = (ours.ids(), theirs.ids());
        keeps_its_ids(&ours_before, &ours_now, &when);
        keeps_its_ids(&theirs_before, &theirs_now, &when);
        if uidl == Uidl::OfTheFile {
            assert_eq!(ours_now, theirs_now, "{when}: the same UIDLs");
        }
        (ours_before, theirs_before) = (ours_now, theirs_now);
        // Both take and mark some, sometimes the same; and mail comes meanwhile.
        for _ in 0..random.below(30) {
            let client = if random.once_in(2) { &mut ours } else { &mut theirs };
            match random.below(8) {
                0 | 1 => client.delete(&mut random),
                2 if random.once_in(4) => client.forget(),
                3 if expected.len() < 40 => {
                    expected.insert(host.deliver(number, &mut random));
                    number += 1;
                }
                _ => client.retrieve(&mut random, &when),
            }
        }
        // Flags were set by Dovecot, for what it has sent, and nobody takes one off.
        let (first, second) = if random.once_in(2) { (ours, theirs) } else { (theirs, ours) };
        let mut removed = first.quits(&when);
        removed.extend(second.quits(&when));
        for subject in &removed {
            expected.remove(subject);
        }
        let there = host.flags();
        assert_eq!(there.keys().cloned().collect::<BTreeSet<_>>(), expected, "{when}: the files");
        for (subject, now) in &there {
            let before = flags.get(subject).map_or("", String::as_str);
            let kept = before.chars().all(|flag| now.contains(flag));
            assert!(kept, "{when}: {subject} had the flags {before}, and now {now}");
        }
        flags = there;
    }
    let seen = flags.values().filter(|flags| flags.contains('S')).count();
    let flagged = flags.values().filter(|flags| flags.contains('F')).count();
    assert!(seen > 0 && flagged > 0, "{flags:?}");
    assert!(!host.log().contains("warning") && !host.log().contains("fatal"), "{}", host.log());
    assert!(!host.dovecots_log().contains("Error"), "{}", host.dovecots_log());
}

/// An id that was told once belongs to the same message for ever.
#[track_caller]
fn keeps_its_ids(before: &Ids, now: &Ids, when: &str) {
    for (id, subject) in before {
        let now = now.get(id);
        assert!(now.is_none_or(|now| now == subject), "{when}: {id} was {subject}, and is {now:?}");
    }
    let of = |ids: &Ids| -> BTreeMap<_, _> {
        ids.iter().map(|(id, subject)| (subject.clone(), id.clone())).collect()
    };
    let (before, now) = (of(before), of(now));
    for (subject, id) in &before {
        let now = now.get(subject);
        assert!(now.is_none_or(|now| now == id), "{when}: {subject} was {id}, and is {now:?}");
    }
}

#[test]
fn with_the_uidls_of_files() {
    with_dovecot!();
    live_together(Uidl::OfTheFile);
}

#[test]
fn with_uidls_of_dovecots_own() {
    with_dovecot!();
    live_together(Uidl::OfItsOwn);
}
