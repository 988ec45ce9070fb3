//! Local time in every zone that the host knows, beside Debian's tai64nlocal, and so the C library's localtime.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::{Outcome, Run, Scratch, debian, program, skip};

const ZONES: &str = "/usr/share/zoneinfo";

/// A generator of numbers (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).unsigned_abs()).cast_signed()
    }
}

/// Labels of these times, a line each.
fn labels(times: impl IntoIterator<Item = i64>) -> String {
    times.into_iter().fold(String::new(), |mut text, time| {
        let seconds = ((1 << 62) + 10 + time).cast_unsigned();
        let _ = writeln!(text, "@{seconds:016x}00000001 {time}");
        text
    })
}

fn converted(program: &Path, zone: Option<&str>, labels: &str) -> Outcome {
    let run =
        Run::new(program).env_remove("TZDIR").stdin(labels).deadline(Duration::from_secs(120));
    match zone {
        Some(zone) => run.env("TZ", zone),
        None => run.env_remove("TZ"),
    }
    .output()
}

/// Ours and Debian's make the same of the labels.
fn agree(debians: &Path, zone: Option<&str>, labels: &str) {
    let ours = converted(&program("tai64nlocal"), zone, labels).out();
    let theirs = converted(debians, zone, labels).out();
    if ours != theirs {
        let differing = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
        panic!("TZ={zone:?}: ours and Debian's: {differing:?}");
    }
    assert_eq!(ours.lines().count(), labels.lines().count());
}

/// Seconds before and after 1970 of about these years.
const fn year(year: i64) -> i64 {
    (year - 1970) * 31_556_952
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        // The same files again.
        if path.ends_with("posix") {
            continue;
        }
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if std::fs::read(&path).is_ok_and(|file| file.starts_with(b"TZif")) {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_zone_of_the_host() {
    let Some(debians) = debian("tai64nlocal") else { return };
    let zones = files(Path::new(ZONES));
    if zones.is_empty() {
        skip!("there are no zones in {ZONES}: apt-get install tzdata");
    }
    let mut random = Random(20_261_123);
    for zone in zones {
        let name = zone.strip_prefix(ZONES).expect("below it").to_str().expect("UTF-8");
        // A few days apart from 1880 on, each zone with other times; and some from far away.
        let mut times: Vec<i64> = (0..3000)
            .map(|step| year(1880) + step * 2_500_000 + random.between(0, 2_500_000))
            .collect();
        times.extend((0..200).map(|_| random.between(year(1), year(9999))));
        // All around the leap seconds that `right/` knows, for instance at the end of 2016.
        times.extend(1_483_228_820..1_483_228_830);
        agree(&debians, Some(name), &labels(times));
    }
}

/// Labels become times and labels again: the same ones, where times say how far from UTC they are; else such that have the
/// same time, as there may be two.
#[test]
fn every_zone_and_back() {
    let zones = files(Path::new(ZONES));
    if zones.is_empty() {
        skip!("there are no zones in {ZONES}: apt-get install tzdata");
    }
    let (mut random, scratch) = (Random(7_654_321), Scratch::new("zones"));
    let script = r#"
        "$0" -i labels | "$0" -r | cmp - labels
        "$0" labels >times && "$0" -r times | "$0" | cmp - times
    "#;
    for zone in zones.iter().step_by(7) {
        let name = zone.strip_prefix(ZONES).expect("below it");
        let mut times: Vec<i64> = (0..1000)
            .map(|step| year(1880) + step * 7_500_000 + random.between(0, 7_500_000))
            .collect();
        times.extend((0..100).map(|_| random.between(year(1), year(9999))));
        times.extend(1_483_228_820..1_483_228_830);
        scratch.file("labels", labels(times));
        let run = Run::sh(script).arg(program("tai64nlocal")).env_remove("TZDIR").env("TZ", name);
        let outcome = run.cwd(scratch.path()).output();
        let told = (outcome.code, outcome.out(), outcome.err());
        assert_eq!(told, (0, String::new(), String::new()), "TZ={}", name.display());
    }
}

#[test]
fn the_names_of_zones() {
    let Some(debians) = debian("tai64nlocal") else { return };
    let labels = labels((0..400).map(|step| year(1971) + step * 9_000_001));
    let berlin = format!("{ZONES}/Europe/Berlin");
    for zone in [
        None,
        Some(""),
        Some(":"),
        Some("UTC"),
        Some("Europe/Berlin"),
        Some(":Europe/Berlin"),
        Some(&berlin),
        Some("Europe/../Asia/Tokyo"),
        Some("No/Such"),
        Some("/etc/passwd"),
        Some("/"),
        Some("/dev/null"),
        Some("::Europe/Berlin"),
    ] {
        agree(&debians, zone, &labels);
    }
    let scratch = Scratch::new("tzdir");
    std::fs::copy(berlin, scratch.join("Mine")).expect("copy a zone");
    let run = |program: &Path| {
        Run::new(program).env("TZ", "Mine").env("TZDIR", scratch.path()).stdin(&*labels).output()
    };
    assert_eq!(run(&program("tai64nlocal")).out(), run(&debians).out());
}

/// Rules in `$TZ` itself, from 1971 on: before, the C library of Debian 12 knows no summer.
#[test]
fn rules_of_every_kind() {
    let Some(debians) = debian("tai64nlocal") else { return };
    let mut random = Random(424_242);
    let fixed =
        ["UTC0", "CET-1", "FOO+3:30", "FOO-12:45:30", "<+0330>-3:30", "<-03>3", "ABC25", "ABC0:99"];
    let summers = [
        "EST5EDT4,M3.2.0/2,M11.1.0/2",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "XXX3EDT4,0/0,J365/23",
        "CET-1CEST,M3.5.0,M10.5.0/3,junk",
    ];
    let made: Vec<String> = (0..150).map(|_| rules(&mut random)).collect();
    for rules in fixed.into_iter().chain(summers).chain(made.iter().map(String::as_str)) {
        let mut times: Vec<i64> = (0..1500)
            .map(|step| year(1971) + step * 3_000_000 + random.between(0, 3_000_000))
            .collect();
        times.extend((0..50).map(|_| random.between(year(1971), year(9999))));
        // The turn of a year, hour by hour.
        times.extend((-30..30).map(|hour| 1_704_067_200 + hour * 3600));
        agree(&debians, Some(rules), &labels(times));
    }
}

fn rules(random: &mut Random) -> String {
    let mut day = || match random.below(3) {
        0 => format!("J{}", random.between(1, 366)),
        1 => random.below(366).to_string(),
        _ => format!("M{}.{}.{}", random.between(1, 13), random.between(1, 6), random.below(7)),
    };
    let (begin, end) = (day(), day());
    let time = |random: &mut Random| match random.below(3) {
        0 => String::new(),
        1 => format!("/{}", random.between(-24, 168)),
        _ => format!("/{}:{:02}:{:02}", random.below(25), random.below(60), random.below(60)),
    };
    let (begin_time, end_time) = (time(random), time(random));
    let standard = random.between(-13, 13);
    let summer = if random.below(2) == 0 { String::new() } else { (standard - 1).to_string() };
    format!("AAA{standard}BBB{summer},{begin}{begin_time},{end}{end_time}")
}
