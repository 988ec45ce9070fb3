use super::*;
use proptest::prelude::*;

const T0: Duration = Duration::from_secs(100);

const RUNNING: State = State::Running { since: T0, pid: 7 };

/// No bound on how many are started at once.
const ALL: usize = usize::MAX;

fn id(inode: u64) -> Identity {
    Identity { device: 1, inode }
}

fn entry(name: &str, inode: u64, log: bool) -> Listed {
    Listed { name: CString::new(name).unwrap(), id: id(inode), log }
}

fn post(inode: u64, role: Role) -> Post {
    Post { id: id(inode), role }
}

fn at(milliseconds: u64) -> Duration {
    T0 + Duration::from_millis(milliseconds)
}

/// A plan that knows one service (inode 1, named `a`), whose supervise is in this state.
fn one(state: State) -> Plan {
    let mut plan = Plan::default();
    plan.take_in(Scan::Regular, vec![entry("a", 1, false)], T0);
    plan.services.get_mut(&id(1)).unwrap().service = Some(state);
    plan
}

/// The whole table: each state × each scan × listed or not → the state after it, or forgotten.
#[test]
fn the_table_of_scans() {
    let now = at(10_000);
    let due = State::Due { at: now };
    let later = State::Due { at: at(20_000) };
    let running = State::Running { since: T0, pid: 7 };
    for (before, scan, listed, after) in [
        (later, Scan::Regular, true, Some(later)),
        (later, Scan::Prompted, true, Some(later)),
        (later, Scan::Regular, false, None),
        (later, Scan::Prompted, false, None),
        (running, Scan::Regular, true, Some(running)),
        (running, Scan::Prompted, true, Some(running)),
        (running, Scan::Regular, false, Some(running)),
        (running, Scan::Prompted, false, Some(running)),
        (State::Resting, Scan::Regular, true, Some(due)),
        (State::Resting, Scan::Prompted, true, Some(State::Resting)),
        (State::Resting, Scan::Regular, false, None),
        (State::Resting, Scan::Prompted, false, None),
        (State::Busy, Scan::Regular, true, Some(due)),
        (State::Busy, Scan::Prompted, true, Some(due)),
        (State::Busy, Scan::Regular, false, None),
        (State::Busy, Scan::Prompted, false, None),
    ] {
        let mut plan = one(before);
        let found = if listed { vec![entry("a", 1, false)] } else { vec![] };
        let changes = plan.take_in(scan, found, now);
        let state = plan.services.get(&id(1)).and_then(|service| service.service);
        assert_eq!(state, after, "{before:?}, {scan:?}, listed: {listed}");
        let forgotten = if after.is_none() { vec![id(1)] } else { vec![] };
        assert_eq!(changes, Changes { forgotten, ..Changes::default() });
    }
}

/// The rest of the table: what happens to a supervise that was due.
#[test]
fn the_table_of_ends() {
    for (lived, asked, expected) in [
        (0, false, State::Due { at: at(1000) }),
        (10, false, State::Due { at: at(1000) }),
        (999, false, State::Due { at: at(1000) }),
        (1000, false, State::Due { at: at(1000) }),
        (5000, false, State::Due { at: at(5000) }),
        (0, true, State::Resting),
        (5000, true, State::Resting),
    ] {
        let mut plan = one(State::Due { at: T0 });
        plan.started(post(1, Role::Service), 77, T0);
        assert_eq!(plan.ended(77, asked, at(lived)), Some(post(1, Role::Service)));
        let after = plan.services[&id(1)].service;
        assert_eq!(after, Some(expected), "lived {lived} ms, asked: {asked}");
        assert_eq!(plan.ended(77, asked, at(lived)), None, "a pid counts once");
    }
}

#[test]
fn a_stranger_is_only_reaped() {
    let mut plan = one(RUNNING);
    assert_eq!(plan.ended(4711, false, at(1)), None);
    assert_eq!(plan.services[&id(1)].service, Some(RUNNING));
}

#[test]
fn a_new_service_is_due_at_once_and_its_logger_first() {
    let mut plan = Plan::default();
    let found = vec![entry("a", 1, true), entry("b", 2, false)];
    let changes = plan.take_in(Scan::Prompted, found, T0);
    assert_eq!(changes, Changes { logged: vec![id(1)], ..Changes::default() });
    let due = [post(1, Role::Logger), post(1, Role::Service), post(2, Role::Service)];
    assert_eq!(plan.due(T0, ALL), due);
    plan.started(due[0], 10, T0);
    plan.failed(due[1]);
    plan.busy(due[2]);
    assert_eq!(plan.due(at(9000), ALL), []);
    assert_eq!(plan.next_start(), None);
}

#[test]
fn a_log_that_appears_later_is_not_looked_for() {
    let mut plan = one(RUNNING);
    let changes = plan.take_in(Scan::Regular, vec![entry("a", 1, true)], at(1));
    assert_eq!(changes, Changes::default());
    assert_eq!(plan.due(at(1), ALL), []);
}

#[test]
fn a_renamed_directory_is_no_new_service() {
    let mut plan = one(RUNNING);
    plan.take_in(Scan::Prompted, vec![entry("z", 1, false)], at(1));
    assert_eq!(plan.due(at(1), ALL), []);
    assert_eq!(plan.name(id(1)).unwrap().as_c_str(), c"z");
}

#[test]
fn two_names_of_one_directory_are_one_service() {
    let mut plan = Plan::default();
    let both = || vec![entry("a", 1, false), entry("b", 1, false)];
    let changes = plan.take_in(Scan::Regular, both(), T0);
    assert_eq!(changes.doubles, [(c"b".into(), c"a".into())]);
    assert_eq!(plan.due(T0, ALL), [post(1, Role::Service)]);
    assert_eq!(plan.name(id(1)).unwrap().as_c_str(), c"a");
    plan.take_in(Scan::Regular, vec![entry("b", 1, false)], T0);
    let changes = plan.take_in(Scan::Regular, both(), T0);
    assert_eq!(changes.doubles, [(c"a".into(), c"b".into())], "the one that counted still does");
    assert_eq!(plan.find(c"b"), Some(id(1)));
}

#[test]
fn no_more_are_due_than_there_is_room() {
    let mut plan = Plan::default();
    plan.take_in(Scan::Regular, (1..9).map(|inode| entry("a", inode, true)).collect(), T0);
    assert_eq!(plan.due(T0, 3).len(), 3);
    assert_eq!(plan.due(T0, 0), []);
}

#[test]
fn what_went_before_its_start_is_not_started() {
    let mut plan = one(State::Due { at: T0 });
    plan.vanished(post(1, Role::Service));
    assert_eq!((plan.due(T0, ALL), plan.next_start()), (vec![], None));
    plan.take_in(Scan::Prompted, vec![entry("a", 1, false)], T0);
    assert_eq!(plan.due(T0, ALL).len(), 1, "it was only renamed");
}

#[test]
fn a_logger_of_our_own_is_no_scans_matter() {
    let mut plan = Plan::default();
    plan.add_own(c".log".into(), id(5), T0);
    let own = post(5, Role::Logger);
    assert_eq!(plan.due(T0, ALL), [own]);
    plan.started(own, 77, T0);
    plan.take_in(Scan::Regular, vec![], at(1));
    plan.ended(77, false, at(2));
    plan.take_in(Scan::Regular, vec![], at(3));
    assert_eq!(plan.due(at(1000), ALL), [own]);
    assert_eq!(plan.posts().collect::<Vec<_>>(), [own]);
}

#[test]
fn only_what_a_regular_scan_would_change_is_unsettled() {
    for (state, expected) in [
        (State::Due { at: T0 }, false),
        (RUNNING, false),
        (State::Resting, true),
        (State::Busy, true),
    ] {
        let mut plan = one(state);
        assert_eq!(plan.is_unsettled(), expected, "{state:?}");
        plan.vanished(post(1, Role::Service));
        assert!(!plan.is_unsettled(), "{state:?}, but nobody looks for it");
    }
}

#[test]
fn another_directory_under_the_same_name_is_a_new_service() {
    let mut plan = one(State::Due { at: T0 });
    plan.started(post(1, Role::Service), 10, T0);
    plan.take_in(Scan::Prompted, vec![entry("a", 2, false)], at(1));
    assert_eq!(plan.due(at(1), ALL), [post(2, Role::Service)]);
    plan.ended(10, false, at(2));
    assert_eq!(plan.due(at(5000), ALL), [post(2, Role::Service)], "the old one is not restarted");
}

#[test]
fn a_vanished_entry_that_comes_back_goes_on() {
    let mut plan = one(State::Due { at: T0 });
    plan.started(post(1, Role::Service), 10, T0);
    plan.take_in(Scan::Prompted, vec![], at(1));
    plan.take_in(Scan::Prompted, vec![entry("a", 1, false)], at(2));
    assert_eq!(plan.due(at(2), ALL), []);
    plan.ended(10, false, at(2000));
    assert_eq!(plan.due(at(2000), ALL), [post(1, Role::Service)]);
}

#[test]
fn a_directory_made_in_place_waits_until_it_is_finished() {
    let mut plan = Plan::default();
    plan.unfinished(c"a".into(), at(1000));
    plan.take_in(Scan::Prompted, vec![entry("a", 1, false)], T0);
    assert!(!plan.knows(id(1)));
    assert_eq!((plan.next_start(), plan.next_finished()), (None, Some(at(1000))));
    let changes = plan.take_in(Scan::Prompted, vec![entry("a", 1, true)], at(1000));
    assert_eq!(plan.next_finished(), None);
    assert_eq!(changes.logged, [id(1)]);
    assert_eq!(plan.due(at(1000), ALL), [post(1, Role::Logger), post(1, Role::Service)]);
}

#[test]
fn what_cannot_be_listed_starts_nothing() {
    let mut plan = one(State::Due { at: T0 });
    plan.unfinished(c"b".into(), at(1000));
    plan.postpone(at(5000));
    assert_eq!((plan.due(at(4999), ALL), plan.next_start()), (vec![], Some(at(5000))));
    assert_eq!(plan.next_finished(), None);
}

#[derive(Debug, Clone)]
enum Step {
    Scan(Scan, Vec<(u8, bool)>),
    Start(u8),
    End(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let scan = prop_oneof![Just(Scan::Regular), Just(Scan::Prompted)];
    prop_oneof![
        (scan, prop::collection::vec((0u8..6, any::<bool>()), 0..6))
            .prop_map(|(scan, found)| Step::Scan(scan, found)),
        (0u8..3).prop_map(Step::Start),
        (any::<u8>(), any::<bool>()).prop_map(|(which, asked)| Step::End(which, asked)),
    ]
}

proptest! {
    /// Whatever happens: never two supervises for one post, none for an entry that wasn't in the last scan, and none
    /// sooner than PACE after its last start unless it had been asked to end.
    #[test]
    fn nothing_is_doubled(steps in prop::collection::vec((step(), 0u64..2000), 0..60)) {
        let mut plan = Plan::default();
        let mut now = T0;
        let mut pid = 1;
        let mut listed: Vec<u64> = Vec::new();
        let mut running: BTreeMap<i32, Post> = BTreeMap::new();
        let mut last: BTreeMap<Post, Duration> = BTreeMap::new();
        for (step, pause) in steps {
            now += Duration::from_millis(pause);
            match step {
                Step::Scan(scan, found) => {
                    listed = found.iter().map(|(inode, _)| u64::from(*inode)).collect();
                    let found = found.iter().map(|(i, log)| entry(&i.to_string(), u64::from(*i), *log));
                    let changes = plan.take_in(scan, found.collect(), now);
                    for gone in changes.forgotten {
                        prop_assert!(running.values().all(|post| post.id != gone));
                        last.retain(|post, _| post.id != gone);
                    }
                }
                Step::Start(answer) => for post in plan.due(now, ALL) {
                    prop_assert!(listed.contains(&post.id.inode));
                    prop_assert!(running.values().all(|other| *other != post));
                    match answer {
                        0 => plan.failed(post),
                        1 => plan.busy(post),
                        _ => {
                            if let Some(last) = last.get(&post) {
                                prop_assert!(now >= *last + PACE);
                            }
                            pid += 1;
                            plan.started(post, pid, now);
                            running.insert(pid, post);
                            last.insert(post, now);
                        }
                    }
                },
                Step::End(which, asked) => {
                    let Some(pid) = running.keys().nth(usize::from(which) % running.len().max(1)).copied()
                        else { continue };
                    let post = running.remove(&pid).unwrap();
                    if asked { last.remove(&post); }
                    prop_assert_eq!(plan.ended(pid, asked, now), Some(post));
                }
            }
        }
    }
}
