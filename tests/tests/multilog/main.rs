//! multilog, end to end and beside Debian's: the same input, the same files.

mod compress;
mod disk;
mod journal;
mod limits;
mod manual;
mod patterns;
mod processor;
mod recovery;
mod signals;
mod startup;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tests::{Child, Outcome, Run, Scratch, both, debian, program, text};

const SOON: Duration = Duration::from_secs(30);

/// A file that multilog left behind: its name (a stamp as `@`), its mode, its content.
type Left = (String, u32, Vec<u8>);

/// What is in a directory, by name.
fn left(dir: &Path) -> Vec<Left> {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .map_or_else(|_| Vec::new(), |all| all.flatten().map(|e| e.path()).collect());
    entries.sort();
    let describe = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let name = match name.strip_prefix('@') {
            Some(stamp) => format!("@{}", &stamp[24.min(stamp.len())..]),
            None => name,
        };
        // While multilog runs, files come and go.
        let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o7777;
        Some((name, mode, fs::read(&path).unwrap_or_default()))
    };
    entries.into_iter().filter_map(describe).collect()
}

/// The names in a directory that begin with `@`, in order.
fn finished(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("listed")
        .flatten()
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .filter(|name| name.starts_with('@'))
        .collect();
    names.sort();
    names
}

/// All that a log holds, in the order in which it came.
fn logged(dir: &Path) -> Vec<u8> {
    let kept =
        left(dir).into_iter().filter(|(name, ..)| name.starts_with('@') || name == "current");
    kept.flat_map(|(.., content)| content).collect()
}

/// Feeds multilog by a pipe that keeps packets apart: each read gets one, as if lines came slowly.
/// (Debian's collects what comes at once, and finishes files a little later than at the first
/// newline that would do.)
fn fed(multilog: &Path, args: &[&str], packets: &[Vec<u8>], dir: &Path) -> Outcome {
    let (reader, writer) = pipe2(OFlag::O_DIRECT | OFlag::O_CLOEXEC).expect("a pipe");
    let mut child = Command::new(multilog)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::from(reader))
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut writer = std::io::PipeWriter::from(writer);
    // Of a longer packet, Debian's would lose the rest.
    for packet in packets.iter().flat_map(|packet| packet.chunks(1024)) {
        if writer.write_all(packet).is_err() {
            break;
        }
    }
    drop(writer);
    let mut stderr = Vec::new();
    let mut pipe = child.stderr.take().expect("piped");
    std::io::Read::read_to_end(&mut pipe, &mut stderr).expect("read");
    let code = child.wait().expect("waited").code().unwrap_or(-1);
    Outcome { stdout: Vec::new(), stderr, code }
}

/// Feeds the same to ours and to Debian's, and compares all that is left of it. Gives ours.
fn same(args: &[&str], packets: &[Vec<u8>]) -> Vec<Left> {
    let mut found = Vec::new();
    for (whose, multilog) in both("multilog") {
        let scratch = Scratch::new("multilog-same");
        let outcome = fed(&multilog, args, packets, scratch.path());
        let files = (left(scratch.path()), left(&scratch.join("d")), left(&scratch.join("e")));
        found.push((whose, outcome.code, text(&outcome.stderr), files));
    }
    let (_, code, stderr, files) = found[0].clone();
    for (whose, their_code, their_stderr, their_files) in &found[1..] {
        assert_eq!((code, &stderr), (*their_code, their_stderr), "{args:?}, {whose}");
        assert!(
            files == *their_files,
            "{args:?}: {:?}\nand {whose} {:?}",
            sizes(&files.1),
            sizes(&their_files.1)
        );
    }
    files.1
}

fn sizes(files: &[Left]) -> Vec<(String, String, usize)> {
    files
        .iter()
        .map(|(name, mode, content)| (name.clone(), format!("{mode:o}"), content.len()))
        .collect()
}

fn packets(lines: &[&str]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.as_bytes().to_vec()).collect()
}

/// Numbers that look random, from a seed: the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn text(&mut self, alphabet: &[u8], longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

#[test]
fn a_log_from_its_beginning() {
    let files = same(&["./d"], &packets(&["one\n", "two\n", "thr", "ee"]));
    let modes: Vec<(&str, u32)> =
        files.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect();
    assert_eq!(modes, [("current", 0o744), ("lock", 0o600), ("state", 0o644)]);
    assert_eq!(files[0].2, b"one\ntwo\nthree\n");
}

#[test]
fn no_input_no_script_no_newline() {
    same(&[], &packets(&["a\n"]));
    same(&["./d"], &[]);
    same(&["./d"], &packets(&["\n", "\n", "\0\r\n", "x\0"]));
    same(&["e"], &packets(&["a", "b"]));
}

#[test]
fn what_is_no_action_is_passed_over() {
    same(&["x", "", "c", "C", "?", "e", "t", "./d"], &packets(&["a\n"]));
    same(&["ex", "ee", "./d"], &packets(&["a\n"]));
}

#[test]
fn files_end_where_debians_end() {
    for length in [1, 100, 523, 524, 525, 697, 698, 699, 999, 1000, 1001, 1023] {
        let line = [b"x".repeat(length), b"\n".to_vec()].concat();
        let files = same(&["s4096", "n100", "./d"], &vec![line; 40]);
        assert!(length < 500 || files.len() > 4, "{length}: {:?}", sizes(&files));
    }
}

#[test]
fn long_lines_are_torn_at_the_size() {
    let kilobyte = b"y".repeat(1024);
    let mut packets = vec![kilobyte; 10];
    packets.push(b"\n".to_vec());
    packets.push(b"next\n".to_vec());
    let files = same(&["s4096", "./d"], &packets);
    assert_eq!(files[0].2.len(), 4096);
    let exactly = packets[..4].to_vec();
    same(&["s4096", "./d"], &exactly);
}

#[test]
fn few_files_are_kept() {
    let lines: Vec<Vec<u8>> =
        (0..60).map(|number| format!("{number:0700}\n").into_bytes()).collect();
    for (number, kept) in [("n0", 1), ("n2", 1), ("n3", 2), ("n10", 9), ("nx", 1), ("n5x", 4)] {
        let files = same(&["s4096", number, "./d"], &lines);
        let finished = files.iter().filter(|(name, ..)| name == "@.s").count();
        assert_eq!(finished, kept, "{number}");
    }
}

#[test]
fn alerts_and_status_files_at_their_limits() {
    for length in [0, 1, 199, 200, 201, 999, 1000, 1001, 1500] {
        let line = [b"x".repeat(length), b"\n".to_vec()].concat();
        same(&["e", "=status", "./d"], &[line.clone(), b"second\n".to_vec(), line]);
    }
    same(&["-*", "+STAT*", "=status", "e"], &packets(&["STAT 1\n", "x\n", "STAT 2\n", "y\n"]));
}

#[test]
fn a_status_file_is_1001_bytes() {
    let scratch = Scratch::new("multilog-status");
    scratch.file("status", "z".repeat(2000));
    let outcome =
        fed(&program("multilog"), &["=status"], &packets(&["a\n", "bc\n"]), scratch.path());
    assert_eq!(outcome.code, 0);
    let content = fs::read(scratch.join("status")).expect("status");
    assert!(content.starts_with(b"bc\n\n\n") && content[..1001].ends_with(b"\n\n"));
    assert_eq!(&content[1001..], "z".repeat(999).as_bytes(), "no more than 1001 bytes are ours");
}

#[test]
fn many_lines_of_all_kinds() {
    let mut dice = Dice(20_261_123);
    for round in 0..40 {
        let size = format!("s{}", 4096 + dice.below(3000));
        let number = format!("n{}", 2 + dice.below(30));
        let first = format!("-{}", text(&dice.text(b"ab*x ", 4)));
        let second = format!("+{}", text(&dice.text(b"ab*x ", 4)));
        let args = [&*size, &number, &first, "./d", &second, "./e", "=status"];
        let lines: Vec<Vec<u8>> = (0..dice.below(60))
            .map(|_| {
                let longest = [3, 40, 900][dice.below(3)];
                let mut line = dice.text(b"abx *\0\r\xFF", longest);
                line.push(b'\n');
                line
            })
            .collect();
        same(&args, &lines);
        assert!(round < 40);
    }
}

#[test]
fn stamps_are_from_the_clock_and_in_order() {
    for (form, width) in [("t", 26), ("T", 18), ("i", 28), ("I", 33)] {
        let scratch = Scratch::new("multilog-stamps");
        let lines = "a\n\nb\n".repeat(500);
        let outcome = Run::new(program("multilog"))
            .args([form, "./d"])
            .env("TZ", "EAT-3")
            .cwd(scratch.path())
            .stdin(lines.clone())
            .output();
        assert_eq!(outcome.code, 0);
        let log = String::from_utf8(logged(&scratch.join("d"))).expect("ASCII");
        let stamps: Vec<&str> = log.lines().map(|line| &line[..width]).collect();
        assert!(stamps.is_sorted() && stamps.iter().all(|stamp| stamp.ends_with(' ')), "{form}");
        if form == "t" {
            assert!(stamps.windows(2).all(|two| two[0] != two[1]), "each line has its own");
        }
        let bare: String = log.lines().map(|line| format!("{}\n", &line[width..])).collect();
        assert_eq!(bare, lines);
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let seconds = match form {
            "t" => u64::from_str_radix(&stamps[0][1..17], 16).expect("hex") - (1 << 62) - 10,
            "T" => stamps[0][..10].parse().expect("a number"),
            "i" => as_date_reads_it(stamps[0]),
            _ => {
                assert!(stamps[0].ends_with("+03:00 "), "{}", stamps[0]);
                as_date_reads_it(stamps[0])
            }
        };
        assert!(now.abs_diff(seconds) < 300, "{seconds} at {now}");
    }
}

/// The seconds since 1970 that this is.
fn as_date_reads_it(stamp: &str) -> u64 {
    let output = Command::new("date").args(["-d", stamp.trim(), "+%s"]).output().expect("date");
    text(&output.stdout).trim().parse().expect("a number")
}

#[test]
fn patterns_see_the_stamp() {
    for (whose, multilog) in both("multilog") {
        let scratch = Scratch::new("multilog-stamp-pattern");
        let args = ["t", "-*", "+@* fatal: *", "./d"];
        fed(&multilog, &args, &packets(&["fatal: x\n", "y\n"]), scratch.path());
        let log = text(&logged(&scratch.join("d")));
        assert!(log.ends_with(" fatal: x\n") && log.lines().count() == 1, "{whose}: {log}");
    }
}

#[test]
fn megabytes_without_a_newline_pass_through_little_memory() {
    let scratch = Scratch::new("multilog-long");
    let line = b"0123456789abcdef".repeat(512 * 1024);
    let mut child = Run::new(program("multilog"))
        .args(["t", "s1000000", "n100", "./d", "e"])
        .cwd(scratch.path())
        .spawn();
    tests::wait_until("it is ready", SOON, || scratch.join("d/current").exists());
    let before = resident(&child);
    child.write(&line);
    tests::wait_until("all is written", SOON, || logged(&scratch.join("d")).len() >= line.len());
    let grown = resident(&child) - before;
    assert!(grown < 1000, "{grown} kB more are resident");
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    let log = logged(&scratch.join("d"));
    assert!(log[26..log.len() - 1] == line && log.ends_with(b"f\n"));
}

/// Kilobytes.
fn resident(child: &Child) -> i64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("a status");
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    kilobytes.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn codes_of_finished_files() {
    let scratch = Scratch::new("multilog-code");
    let lines: Vec<Vec<u8>> = vec![[b"x".repeat(999), b"\n".to_vec()].concat(); 8];
    let args = ["s4096", "wgz", "./d", "./e"];
    assert_eq!(fed(&program("multilog"), &args, &lines, scratch.path()).code, 0);
    for dir in ["d", "e"] {
        let finished = left(&scratch.join(dir)).iter().filter(|(name, ..)| name == "@.gz").count();
        assert_eq!(finished, 2, "{dir}");
    }
}

#[test]
fn sizes_beyond_sixteen_megabytes() {
    let scratch = Scratch::new("multilog-size");
    let outcome = Run::new(program("multilog"))
        .args(["s20000000", "./d"])
        .cwd(scratch.path())
        .stdin(b"0123456789abcde\n".repeat(1_100_000))
        .output();
    assert_eq!(outcome.code, 0);
    assert_eq!(fs::metadata(scratch.join("d/current")).expect("current").len(), 17_600_000);
}

#[test]
fn a_clock_that_was_set_back_costs_no_file() {
    let scratch = Scratch::new("multilog-clock");
    let future = "@4000000080000000000000ff.s";
    scratch.file(&format!("d/{future}"), "of the future\n");
    let lines: Vec<Vec<u8>> =
        (0..6).map(|number| format!("{number:0999}\n").into_bytes()).collect();
    let args = ["s4096", "n3", "./d"];
    assert_eq!(fed(&program("multilog"), &args, &lines, scratch.path()).code, 0);
    let names: Vec<String> = fs::read_dir(scratch.join("d"))
        .expect("listed")
        .flatten()
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .filter(|name| name.starts_with('@'))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.as_str() > future), "{names:?}");
    assert!(logged(&scratch.join("d")) == lines.concat());
}

#[test]
fn debian_goes_on_with_our_log_and_we_with_theirs() {
    let Some(theirs) = debian("multilog") else { return };
    let ours = program("multilog");
    let scratch = Scratch::new("multilog-turns");
    let mut expected = Vec::new();
    for turn in 0..6 {
        let lines: Vec<Vec<u8>> =
            (0..7).map(|number| format!("{turn} {number:0600}\n").into_bytes()).collect();
        let whose = if turn % 2 == 0 { &ours } else { &theirs };
        let outcome = fed(whose, &["s4096", "n50", "./d"], &lines, scratch.path());
        assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
        expected.extend(lines.concat());
    }
    assert!(logged(&scratch.join("d")) == expected);
    assert!(left(&scratch.join("d")).iter().all(|(name, ..)| name != "@.u"));
}
