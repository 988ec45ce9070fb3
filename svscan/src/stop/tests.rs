use super::*;
use proptest::prelude::*;

const T0: Duration = Duration::from_secs(100);

const fn id(inode: u64) -> Identity {
    Identity { device: 1, inode }
}

const fn post(inode: u64, role: Role) -> Post {
    Post { id: id(inode), role }
}

fn at(milliseconds: u64) -> Duration {
    T0 + Duration::from_millis(milliseconds)
}

const THERE: Seen = Seen::There { heard: true, unread: 0 };
const GONE: Seen = Seen::Gone { unread: 0 };
const UNREAD: Seen = Seen::Gone { unread: 9 };

/// A logger (inode 1) whose service is over, in this state.
fn logger(target: Target) -> Stop {
    let mut stop = Stop::new(&[post(1, Role::Logger)], None, T0);
    stop.targets.insert(post(1, Role::Logger), target);
    stop
}

/// The whole table, for a logger.
#[test]
fn the_table() {
    let untold = Target::Untold { since: Some(T0) };
    let reading = |unread| Target::Reading { unread, since: T0 };
    let asked = Target::Asked { since: T0 };
    let unread = |unread| Seen::There { heard: true, unread };
    let deaf = Seen::There { heard: false, unread: 5 };
    let reads = |after| Target::Reading { unread: 5, since: at(after) };
    for (before, seen, when, order, after) in [
        (Target::Untold { since: None }, GONE, 0, Order::Wait, Target::Over),
        (Target::Untold { since: None }, THERE, 0, Order::Finish, untold),
        (untold, THERE, 999, Order::Finish, untold),
        (untold, THERE, 1000, Order::Terminate, untold),
        (untold, GONE, 1000, Order::Wait, Target::Over),
        (asked, deaf, 999, Order::Wait, asked),
        (asked, deaf, 1000, Order::EndInput, reads(1000)),
        (asked, unread(5), 7, Order::EndInput, reads(7)),
        (asked, GONE, 7, Order::Wait, Target::Over),
        (asked, Seen::Left, 0, Order::Succeed, untold),
        (reading(0), GONE, 0, Order::Wait, Target::Over),
        (reading(0), unread(0), 999, Order::Wait, reading(0)),
        (reading(0), unread(0), 1000, Order::End, reading(0)),
        (reading(9), unread(9), 9999, Order::Wait, reading(9)),
        (reading(9), unread(9), 10_000, Order::End, reading(9)),
        (reading(9), unread(5), 10_000, Order::Wait, reads(10_000)),
        (reading(9), unread(0), 5000, Order::Wait, Target::Reading { unread: 0, since: at(5000) }),
        (Target::Told, THERE, 99_999, Order::Wait, Target::Told),
        (Target::Told, GONE, 0, Order::Wait, Target::Over),
        (Target::Untold { since: None }, Seen::Left, 0, Order::Succeed, untold),
        (untold, Seen::Left, 999, Order::Succeed, untold),
        (untold, Seen::Left, 1000, Order::Wait, Target::Over),
        (Target::Untold { since: None }, UNREAD, 0, Order::Succeed, untold),
        (untold, UNREAD, 999, Order::Succeed, untold),
        (untold, UNREAD, 1000, Order::Wait, Target::Over),
        (asked, UNREAD, 7, Order::Wait, Target::Over),
        (reading(9), UNREAD, 7, Order::Wait, Target::Over),
        (reading(9), Seen::Left, 0, Order::Succeed, untold),
        (Target::Told, Seen::Left, 0, Order::Succeed, untold),
        (Target::Over, Seen::Left, 0, Order::Wait, Target::Over),
        (Target::Over, THERE, 0, Order::Wait, Target::Over),
        (Target::Over, GONE, 0, Order::Wait, Target::Over),
    ] {
        let mut stop = logger(before);
        let what = format!("{before:?}, {seen:?} after {when} ms");
        assert_eq!(stop.see(post(1, Role::Logger), seen, at(when)), order, "{what}");
        assert_eq!(stop.targets[&post(1, Role::Logger)], after, "{what}");
    }
}

#[test]
fn what_was_told_is_told_once() {
    let mut stop = Stop::new(&[post(1, Role::Service), post(1, Role::Logger)], None, T0);
    assert_eq!(stop.see(post(1, Role::Service), THERE, T0), Order::End);
    stop.told(post(1, Role::Service), Order::End, T0);
    assert_eq!(stop.see(post(1, Role::Service), THERE, at(50_000)), Order::Wait);
    stop.see(post(1, Role::Service), GONE, at(50_000));
    assert_eq!(stop.see(post(1, Role::Logger), THERE, at(50_000)), Order::Finish);
    assert_eq!(stop.tick(), TICK);
    stop.told(post(1, Role::Logger), Order::Finish, at(50_000));
    assert_eq!(stop.tick(), BLINK);
    assert_eq!(stop.see(post(1, Role::Logger), THERE, at(50_000)), Order::EndInput);
    assert_eq!(stop.see(post(1, Role::Logger), THERE, at(51_000)), Order::End);
    stop.told(post(1, Role::Logger), Order::End, at(51_000));
    assert!(!stop.is_over());
    stop.see(post(1, Role::Logger), GONE, at(51_001));
    assert!(stop.is_over() && stop.turn().is_empty());
}

/// Services first, each logger when its service is over, svscan's own logger at the very end.
#[test]
fn the_order() {
    let posts = [
        post(1, Role::Service),
        post(1, Role::Logger),
        post(2, Role::Service),
        post(3, Role::Logger),
    ];
    let mut stop = Stop::new(&posts, Some(id(3)), T0);
    assert_eq!(stop.turn(), [posts[0], posts[2]]);
    stop.see(posts[0], GONE, T0);
    assert_eq!(stop.turn(), [posts[1], posts[2]]);
    stop.see(posts[1], GONE, T0);
    assert_eq!(stop.turn(), [posts[2]]);
    stop.see(posts[2], GONE, T0);
    assert_eq!(stop.turn(), [posts[3]]);
    stop.see(posts[3], GONE, T0);
    assert!(stop.is_over());
    assert!(Stop::new(&[], None, T0).is_over());
}

#[test]
fn who_is_waited_for_is_said_every_ten_seconds() {
    let mut stop = Stop::new(&[post(1, Role::Service)], None, T0);
    assert_eq!(stop.remind(at(9999)), []);
    assert_eq!(stop.remind(at(10_000)), [post(1, Role::Service)]);
    assert_eq!(stop.remind(at(19_999)), []);
    assert_eq!(stop.remind(at(20_000)).len(), 1);
}

proptest! {
    /// Whatever happens: no logger is told to end before its service is over, `dx` and TERM are said once at most, and
    /// when all are gone it is over.
    #[test]
    fn nothing_out_of_order(steps in prop::collection::vec((0usize..6, any::<bool>(), 0u64..3, any::<bool>(), any::<bool>(), 0u64..3000), 0..80)) {
        let posts: Vec<Post> = (1..=3)
            .flat_map(|inode| [post(inode, Role::Service), post(inode, Role::Logger)])
            .collect();
        let mut stop = Stop::new(&posts, None, T0);
        let mut now = T0;
        let mut gone: Vec<Post> = Vec::new();
        let mut ended: Vec<Post> = Vec::new();
        for (which, ends, unread, heard, delivered, pause) in steps {
            now += Duration::from_millis(pause);
            let turn = stop.turn();
            let Some(who) = turn.get(which % turn.len().max(1)).copied() else { break };
            prop_assert!(!gone.contains(&who));
            if who.role == Role::Logger {
                let service = Post { id: who.id, role: Role::Service };
                prop_assert!(gone.contains(&service));
            }
            let seen = if ends { GONE } else { Seen::There { heard, unread } };
            if ends { gone.push(who); }
            let order = stop.see(who, seen, now);
            if matches!(order, Order::End | Order::Terminate) {
                prop_assert!(!ended.contains(&who));
                if delivered || order == Order::Terminate { ended.push(who); }
            }
            if order != Order::Wait && (delivered || order == Order::Terminate) {
                stop.told(who, order, now);
            }
        }
        for _ in 0..6 {
            stop.turn().into_iter().for_each(|who| _ = stop.see(who, GONE, now));
        }
        prop_assert!(stop.is_over());
    }
}
