//! How little svscan does: asleep while nothing happens, a few at a time when much does, and yet nothing is missed.

use super::*;

/// How often a process has gone to sleep.
fn sleeps(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|line| line.trim().parse().ok()).expect("a number")
}

/// Waits until it has done nothing for a while, longer than any regular scan would let it.
fn wait_for_rest(pid: i32) {
    wait_until("svscan to rest", SECONDS(120), || {
        let before = sleeps(pid);
        wait_for(SECONDS(7), || (sleeps(pid) != before).then_some(())).is_none()
    });
}

#[test]
fn nothing_happens_and_nothing_is_done() {
    let scratch = Scratch::new("rest");
    let directory = scratch.dir("service");
    let path = path().into_string().expect("a PATH in UTF-8");
    for number in 0..20 {
        service(&scratch, &format!("s{number}"), "exec sleep 1000\n");
        scratch.script(&format!("all/s{number}/log/run"), "#!/bin/sh\nexec cat\n");
        link(&scratch, &format!("s{number}"));
    }
    let running = svscan(&directory, &path);
    wait_until("all services", SECONDS(60), || scratch.inhabitants().len() == 81);
    wait_for_rest(running.pid());
    // Nor do events that concern nobody bother it, beyond a look.
    let before = sleeps(running.pid());
    for number in 0..20 {
        scratch.file(&format!("all/other{number}"), "");
    }
    wait_until("a look", SECONDS(5), || sleeps(running.pid()) > before);
    // What is unsettled is looked at as often as ever.
    link(&scratch, "nowhere");
    let before = sleeps(running.pid());
    wait_until("regular scans", SECONDS(20), || sleeps(running.pid()) > before + 2);
    fs::remove_file(directory.join("nowhere")).expect("remove a link");
    wait_for_rest(running.pid());
}

/// An svscan in its deepest rest.
struct Resting {
    scratch: Scratch,
    running: Child,
}

impl Resting {
    /// Its services are links to these directories.
    fn new(scratch: Scratch, targets: &[&str]) -> Resting {
        let directory = scratch.dir("service");
        for target in targets {
            let entry = target.replace('/', "-");
            symlink(scratch.join(target), directory.join(entry)).expect("make a link");
        }
        let path = path().into_string().expect("a PATH in UTF-8");
        let running = svscan(&directory, &path);
        let resting = Resting { scratch, running };
        wait_until("all services", SECONDS(20), || {
            targets.iter().all(|target| is_supervised(&resting.at(target)))
        });
        wait_for_rest(resting.running.pid());
        resting
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn rename(&self, old: &str, new: &str) {
        fs::rename(self.at(old), self.at(new)).expect("rename");
    }

    /// What the original would notice within five seconds is noticed within five seconds.
    fn is_soon_up(&self, name: &str) {
        wait_until(name, SECONDS(5), || {
            is_supervised(&self.at(name)) && pid_of(&self.at(name)).is_some()
        });
    }
}

fn sleeper(scratch: &Scratch, name: &str) {
    scratch.script(&format!("{name}/run"), "#!/bin/sh\nexec sleep 1000\n");
}

#[test]
fn a_target_that_is_replaced_is_noticed_from_the_deepest_rest() {
    let scratch = Scratch::new("target");
    sleeper(&scratch, "all/a");
    let resting = Resting::new(scratch, &["all/a"]);
    resting.rename("all/a", "all/old");
    sleeper(&resting.scratch, "all/new");
    resting.rename("all/new", "all/a");
    resting.is_soon_up("all/a");
    assert!(is_supervised(&resting.at("all/old")), "nothing is stopped");
    // Removed and made anew in its place, too.
    wait_for_rest(resting.running.pid());
    fs::remove_dir_all(resting.at("all/a")).expect("remove");
    sleeper(&resting.scratch, "all/a");
    resting.is_soon_up("all/a");
}

/// A deploy: a link on the way is switched.
#[test]
fn a_link_on_the_way_that_is_switched_is_noticed_from_the_deepest_rest() {
    let scratch = Scratch::new("switched");
    sleeper(&scratch, "1/a");
    sleeper(&scratch, "2/a");
    symlink("1", scratch.join("current")).expect("make a link");
    let resting = Resting::new(scratch, &["current/a"]);
    symlink("2", resting.at("next")).expect("make a link");
    resting.rename("next", "current");
    resting.is_soon_up("2/a");
}

#[test]
fn a_directory_on_the_way_that_is_replaced_is_noticed_from_the_deepest_rest() {
    let scratch = Scratch::new("parent");
    sleeper(&scratch, "all/a");
    let resting = Resting::new(scratch, &["all/a"]);
    resting.rename("all", "old");
    sleeper(&resting.scratch, "new/a");
    resting.rename("new", "all");
    resting.is_soon_up("all/a");
}

/// An entry that is removed and made again is the service that it was; `svc -x` has it started anew.
#[test]
fn an_entry_that_comes_back_is_noticed_from_the_deepest_rest() {
    let scratch = Scratch::new("back");
    sleeper(&scratch, "all/a");
    let resting = Resting::new(scratch, &["all/a"]);
    let before = supervise_of(&resting.at("all/a"));
    let entry = resting.at("service/all-a");
    fs::remove_file(&entry).expect("remove a link");
    symlink("../all/a", &entry).expect("make a link");
    wait_for_rest(resting.running.pid());
    assert_eq!(supervise_of(&resting.at("all/a")), before);
    svc("-dx", &[&entry]);
    wait_until("another supervise", SECONDS(6), || {
        let now = supervise_of(&resting.at("all/a"));
        now.is_some() && now != before
    });
}

/// HUP is a regular scan at once.
#[test]
fn a_hangup_has_it_look() {
    happens_within(SECONDS(4), "the start that the signal brings", || {
        let (scratch, directory, path) = with_fake(
            "hangup",
            "echo \"started $1\" >>../noted; [ -e ../fail ] && exit 0; exec sleep 1000\n",
        );
        scratch.file("fail", "");
        service(&scratch, "a", "");
        link(&scratch, "a");
        let running = svscan(&directory, &path);
        wait_until("a start", SECONDS(10), || noted(&scratch).len() == 1);
        let start = Instant::now();
        wait_until("svscan to have seen the end", SECONDS(5), || {
            scratch.inhabitants() == [running.pid()]
        });
        wait_until("a second start", SECONDS(20), || {
            running.signal(Signal::SIGHUP);
            noted(&scratch).len() >= 2
        });
        start.elapsed()
    });
}

/// A thousand services come up a few at a time.
#[test]
fn no_more_than_a_few_are_started_at_once() {
    const TO_COME_UP: &str = "echo x >>\"$NOTED\"; cd \"$1\"; mkdir -p supervise; \
        echo $$ >\"$STARTING/$$\"; ls \"$STARTING\" | wc -l >>\"$COUNTS\"; mkfifo supervise/ok; \
        rm \"$STARTING/$$\"; exec sleep 1000 3<>supervise/ok\n";
    let (scratch, directory, path) = with_fake("batch", TO_COME_UP);
    scratch.dir("starting");
    for number in 0..300 {
        fs::create_dir(directory.join(format!("s{number}"))).expect("make a directory");
    }
    let _running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .env("STARTING", scratch.join("starting"))
        .env("COUNTS", scratch.join("counts"))
        .spawn();
    wait_until("all starts", SECONDS(120), || noted(&scratch).len() == 300);
    wait_until("all counts", SECONDS(20), || {
        fs::read_to_string(scratch.join("counts")).unwrap_or_default().lines().count() == 300
    });
    let counts = fs::read_to_string(scratch.join("counts")).expect("counts");
    let most = counts.lines().filter_map(|line| line.trim().parse::<usize>().ok()).max();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let limit = (16 * processors).clamp(32, 128);
    // One that is late may be given up, and another is started in its place.
    assert!(most.is_some_and(|most| most <= 2 * limit), "{most:?} at once, {limit} may be");
    assert!(most.is_some_and(|most| most > 1), "{most:?} at once: it is a batch");
}

/// A supervise that doesn't come up holds up the others for a moment only.
#[test]
fn one_that_does_not_come_up_is_not_waited_for() {
    let (scratch, directory, path) =
        with_fake("late", "echo \"started $1\" >>\"$NOTED\"; exec sleep 1000\n");
    for number in 0..150 {
        fs::create_dir(directory.join(format!("s{number}"))).expect("make a directory");
    }
    let _running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .spawn();
    wait_until("all starts", SECONDS(60), || noted(&scratch).len() == 150);
}

/// What is ignored is said once, with the reason, until that changes.
#[test]
fn what_is_ignored_is_said_once() {
    let (scratch, directory, path) = with_fake("ignored", NOTE_AND_STAY);
    service(&scratch, "a", "");
    link(&scratch, "a");
    symlink("a", directory.join("b")).expect("make a link");
    symlink("nowhere", directory.join("dangling")).expect("make a link");
    symlink("circle", directory.join("circle")).expect("make a link");
    symlink("README/x", directory.join("behind")).expect("make a link");
    for name in ["README", ".hidden"] {
        scratch.file(&format!("service/{name}"), "");
    }
    symlink("nowhere", directory.join(".dangling")).expect("make a link");
    let running = svscan(&directory, &path);
    let mut expected = vec![
        "svscan: ignoring README: not a directory",
        "svscan: warning: ignoring b: the same directory as a",
        "svscan: warning: unable to stat behind: not a directory",
        "svscan: warning: unable to stat circle: symbolic link loop",
        "svscan: warning: unable to stat dangling: file does not exist",
    ];
    let said = || -> Vec<String> {
        let text = String::from_utf8_lossy(&running.stderr()).into_owned();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    wait_until("all of it", SECONDS(10), || said().len() >= expected.len());
    assert_eq!(said(), expected);
    // Two more scans, and not a word; then one of them changes.
    let before = sleeps(running.pid());
    wait_until("regular scans", SECONDS(20), || sleeps(running.pid()) > before + 2);
    assert_eq!(said(), expected);
    fs::remove_file(directory.join("b")).expect("remove a link");
    fs::write(directory.join("b"), "").expect("make a file");
    expected.insert(1, "svscan: ignoring b: not a directory");
    wait_until("the change", SECONDS(10), || said().len() >= expected.len());
    assert_eq!(said(), expected);
}
