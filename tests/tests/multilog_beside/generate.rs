//! Cases, from numbers.

use tests::storm::random::Random;

use crate::case::{Case, Event, FUTURE, Feeding, Found};

/// What lines are made of. Few bytes, so that patterns meet them; and those that mean something to somebody.
const ALPHABET: &[u8] = b"xyzq  *\0\r\xff@\\";

/// What patterns are made of. No digit of a stamp is among them: whether it is there depends on the time.
const PATTERN: &[u8] = b"xyzq **\xff@\\";

/// What is no action to the original. The last ones are actions of ours that ask for more than that the same files are there.
const PASSED_OVER: [&[u8]; 15] =
    [b"", b"x", b"c", b"C", b"?", b"t", b"u", b"1", b"\xff", b"r", b"d", b"D", b"j", b"j", b"b1T"];

/// The case that belongs to this seed.
pub(crate) fn case(seed: u64) -> Case {
    let random = &mut Random::new(seed);
    if random.once_in(10) {
        return at_an_edge(random);
    }
    let feeding = *random.of(&[Feeding::Lines, Feeding::Lines, Feeding::Pieces, Feeding::Flood]);
    let script = script(random, feeding);
    let found = found(random, &script);
    let events = events(random, feeding);
    Case { script, found, feeding, events }
}

/// A line that ends where a file may end, or nearly there: at its size, or 2000 bytes before.
fn at_an_edge(random: &mut Random) -> Case {
    let size = 4096 + random.below(2) * random.below(1000);
    let is_stamped = random.once_in(3);
    let mut script = vec![format!("s{size}").into_bytes(), b"./d".to_vec()];
    if is_stamped {
        script.insert(0, b"t".to_vec());
    }
    let mut found = Vec::new();
    let mut left = size - 2000 * random.below(2) + random.below(5) - 2;
    if random.once_in(2) {
        let content = [b"x".repeat(random.below(1500)), b"\n".to_vec()].concat();
        left -= content.len();
        let (name, also) = ("current".into(), None);
        found.push(Found { directory: "d", name, mode: 0o744, content, also });
    }
    let mut events = Vec::new();
    let mut add = |length: usize| {
        let line = [b"y".repeat(length - 1), b"\n".to_vec()].concat();
        // No larger than what the original reads at once: it would lose the rest.
        events.extend(line.chunks(1024).map(|packet| Event::Comes(packet.to_vec())));
    };
    let stamp = if is_stamped { 26 } else { 0 };
    while left > 0 {
        let length = (stamp + 1 + random.below(1500)).min(left);
        // What would be too short for a line of its own is part of this one.
        let length = if left - length > stamp { length } else { left };
        add(length.saturating_sub(stamp).max(1));
        left -= length;
    }
    for _ in 0..random.below(4) {
        add(1 + random.below(4));
    }
    Case { script, found, feeding: Feeding::Lines, events }
}

/// What encore and we have added isn't in it where it makes other files: letters that the original passes over
/// (docs/DIFFERENCES.md, 52).
fn script(random: &mut Random, feeding: Feeding) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let is_stamped = random.once_in(3);
    if is_stamped {
        words.push(random.of(&[&b"t"[..], b"t", b"t", b"tx", b"t0"]).to_vec());
    }
    for _ in 0..random.below(8) {
        let word = match random.below(16) {
            0..4 => pattern(random),
            4..6 => random.of(&[&b"e"[..], b"e", b"ee", b"ex"]).to_vec(),
            6 => status(random),
            7..9 => size(random),
            9..11 => number(random),
            11 => processor(random, feeding),
            12..15 => log(random),
            _ => random.of(&PASSED_OVER).to_vec(),
        };
        words.push(word);
    }
    if !random.once_in(6) {
        words.push(log(random));
    }
    words
}

fn pattern(random: &mut Random) -> Vec<u8> {
    let mut word = vec![*random.of(b"+-")];
    match random.below(8) {
        0..2 => word.push(b'*'),
        2 => {
            let known: [&[u8]; 6] = [b"", b"@*", b"* x*", b"@4*", b"*@4*", b"x*"];
            word.extend_from_slice(random.of(&known));
        }
        3 => word.extend(b"x".repeat(near(random, &[972, 974, 975, 1000]))),
        _ => {
            let length = random.below(6);
            word.extend((0..length).map(|_| *random.of(PATTERN)));
        }
    }
    word
}

fn status(random: &mut Random) -> Vec<u8> {
    if random.once_in(20) {
        return random.of(&[&b"="[..], b"=.", b"=nowhere/s", b"=d/s"]).to_vec();
    }
    random.of(&[&b"=s"[..], b"=s", b"=status"]).to_vec()
}

fn size(random: &mut Random) -> Vec<u8> {
    let edges: [&[u8]; 10] = [
        b"s",
        b"s0",
        b"sx",
        b"s4095",
        b"s4097x",
        b"s-1",
        b"s99999",
        b"s16777215",
        b"s4294967296",
        b"s18446744073709551617",
    ];
    if random.once_in(4) {
        return random.of(&edges).to_vec();
    }
    format!("s{}", 4096 + random.below(3000)).into_bytes()
}

fn number(random: &mut Random) -> Vec<u8> {
    let words: [&[u8]; 9] = [b"n0", b"n1", b"n2", b"n3", b"n4", b"n", b"nx", b"n3x", b"n1000"];
    random.of(&words).to_vec()
}

/// Where files may end at other lines, a processor must not tell.
fn processor(random: &mut Random, feeding: Feeding) -> Vec<u8> {
    let telling: [&[u8]; 5] = [
        b"!wc -c",
        b"!tr x y",
        b"!cat; cat <&4 >&5; echo more >&5; cat <&4",
        b"!echo state >&5; cat",
        b"!exec cat >&2",
    ];
    if feeding == Feeding::Lines && random.once_in(2) {
        return random.of(&telling).to_vec();
    }
    b"!cat".to_vec()
}

fn log(random: &mut Random) -> Vec<u8> {
    if random.once_in(40) {
        return random.of(&[&b"./nowhere/d"[..], b"/nowhere/d", b"./s", b"./\xff"]).to_vec();
    }
    let places: [&[u8]; 8] =
        [b"./d", b"./d", b"./d", b"./e", b"./e", b".", b"./f/", b"/proc/self/cwd/g"];
    random.of(&places).to_vec()
}

fn found(random: &mut Random, script: &[Vec<u8>]) -> Vec<Found> {
    let mut all = Vec::new();
    let is_stamped = script.first().is_some_and(|word| word.first() == Some(&b't'));
    for (word, directory) in [(&b"./d"[..], "d"), (b"./e", "e"), (b".", ".")] {
        if script.iter().any(|other| other == word) && random.once_in(2) {
            all.extend(found_in(random, directory, is_stamped));
        }
    }
    if script.iter().any(|word| word == b"=s") && random.once_in(3) {
        let content = lines_of(random, 3000);
        all.push(Found { directory: ".", name: "s".into(), mode: 0o640, content, also: None });
    }
    all
}

/// What a logger that ended, or was killed somewhere, may have left.
fn found_in(random: &mut Random, directory: &'static str, is_stamped: bool) -> Vec<Found> {
    let mut all = Vec::new();
    let mut add = |name: &str, mode: u32, content: Vec<u8>, also| {
        all.push(Found { directory, name: name.into(), mode, content, also });
    };
    let mode = *random.of(&[0o744, 0o744, 0o700, 0o644, 0o644, 0o600, 0o654]);
    let is_complete = mode & 0o100 != 0;
    if is_complete || !random.once_in(4) {
        // A file that is about to be full would end within a stamp.
        let longest = *random.of(&[10, 300, if is_stamped { 2000 } else { 6000 }]);
        add("current", mode, lines_of(random, longest), None);
    }
    // 60t: without it, the original's processors never run.
    if is_complete {
        add("state", 0o644, lines_of(random, 30), None);
    }
    if random.once_in(4) {
        let also = random.once_in(2).then(|| stamp(random, 0x1111_1111) + ".s");
        add("previous", *random.of(&[0o644, 0o744]), lines_of(random, 300), also);
    }
    if random.once_in(4) {
        add("processed", *random.of(&[0o644, 0o744]), lines_of(random, 300), None);
    }
    for name in ["state", "newstate", "lock", "other"] {
        if random.once_in(4) && !(is_complete && name == "state") {
            add(name, *random.of(&[0o600, 0o644]), lines_of(random, 30), None);
        }
    }
    for _ in 0..random.below(8) {
        let second = 0x1000_0000 + random.below(0x4000_0000);
        let ending = *random.of(&[".s", ".s", ".s", ".u", "", "x", ".s.gz"]);
        add(&(stamp(random, second) + ending), 0o744, lines_of(random, 30), None);
    }
    if random.once_in(6) {
        // 60t: nothing that sorts behind stamps and is as long as one.
        let odd = ["@", "@4", "@zzzz", "@40000000111111110000000", "@!"];
        add(random.of(&odd), 0o744, lines_of(random, 30), None);
    }
    if random.once_in(8) {
        let number = random.below(0x1000);
        add(&format!("{FUTURE}{number:07x}00000000.s"), 0o744, lines_of(random, 30), None);
    }
    all
}

fn stamp(random: &mut Random, second: usize) -> String {
    format!("@40000000{second:08x}{:08x}", random.below(1_000_000_000))
}

/// Up to so many bytes; its last line may have no end.
fn lines_of(random: &mut Random, longest: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = random.below(longest + 1);
    while bytes.len() < length {
        bytes.extend(line(random));
        bytes.push(b'\n');
    }
    bytes.truncate(length);
    if let Some(last) = bytes.last_mut().filter(|_| random.once_in(2)) {
        *last = b'\n';
    }
    bytes
}

fn events(random: &mut Random, feeding: Feeding) -> Vec<Event> {
    let mut events = Vec::new();
    let most = *random.of(&[1, 3, 10, 60]);
    let lines = random.below(most);
    let mut bytes = Vec::new();
    for _ in 0..lines {
        bytes.extend(line(random));
        bytes.push(b'\n');
    }
    if random.once_in(3) {
        bytes.pop();
    }
    // More than anybody reads at once.
    if feeding == Feeding::Flood && random.once_in(6) {
        let times = 1 + random.below(200_000 / (bytes.len() + 1000));
        bytes = bytes.repeat(times);
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let most = match feeding {
            // No larger than what the original reads at once: it would lose the rest.
            Feeding::Lines if random.once_in(6) => 1 + random.below(end.min(1024)),
            Feeding::Lines => end.min(1024),
            Feeding::Pieces => 1 + random.below(rest.len().min(1024)),
            Feeding::Flood => rest.len(),
        };
        let (now, later) = rest.split_at(most);
        events.push(Event::Comes(now.to_vec()));
        rest = later;
    }
    // A file has no moment at which all is read so far.
    if feeding != Feeding::Flood && random.once_in(3) {
        for _ in 0..random.below(4) {
            let at = random.below(events.len() + 1);
            events.insert(at, Event::Alarm);
        }
        if random.once_in(2) {
            let at = random.below(events.len() + 1);
            events.insert(at, Event::Term);
        }
    }
    events
}

fn line(random: &mut Random) -> Vec<u8> {
    let length = match random.below(20) {
        0..6 => random.below(4),
        6..13 => random.below(40),
        13..16 => random.below(900),
        16 => near(random, &[174, 200]),
        17 => near(random, &[974, 1000, 1024]),
        18 => near(random, &[2000, 2048, 1000]),
        _ => near(random, &[4096, 4070, 8192, 1000]),
    };
    // Most of a long line is the same: it is what is at its ends that counts.
    let (begin, end) = (random.below(12), random.below(12));
    let middle = *random.of(b"xyz ");
    let byte = |at: usize| at < begin || at + end >= length;
    (0..length).map(|at| if byte(at) { *random.of(ALPHABET) } else { middle }).collect()
}

/// A number near one of these.
fn near(random: &mut Random, places: &[usize]) -> usize {
    random.of(places) + random.below(7) - 3
}
