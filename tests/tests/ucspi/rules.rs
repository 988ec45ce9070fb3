//! Rules: what random ones become, IPv6, damage, trouble with the disk.

use std::fs;
use std::net::Ipv6Addr;
use std::path::Path;

use tests::{Outcome, Run, Scratch, alone, debian, program};

/// Compiles these rules to `rules.cdb` with this tcprules.
fn compile(tcprules: &Path, directory: &Path, text: &[u8]) -> Outcome {
    Run::new(tcprules).args(["rules.cdb", "rules.tmp"]).cwd(directory).stdin(text).output()
}

/// What this tcprulescheck says of `rules.cdb` to these variables.
fn ask(tcprulescheck: &Path, directory: &Path, variables: &[(&str, &str)]) -> Outcome {
    let run = Run::new(tcprulescheck).arg("rules.cdb").cwd(directory).env_clear();
    variables.iter().fold(run, |run, (name, value)| run.env(name, value)).output()
}

/// Numbers that look random and are the same each time (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Pieces of which lines are made that are rules, nearly rules, or none.
const PIECES: [&str; 44] = [
    "1",
    "2",
    "10",
    "255",
    "256",
    "0",
    "01",
    ".",
    ".",
    ".",
    "-",
    "-",
    "@",
    "=",
    "joe",
    "host",
    "[",
    "]",
    "::",
    "/",
    "2001:db8",
    "#",
    " ",
    "\t",
    "\0",
    "\r",
    ":",
    ":",
    ":",
    "allow",
    "deny",
    ":allow",
    ":deny",
    ",A=\"x\"",
    ",B=",
    ",",
    "\"",
    "/x/",
    "\n",
    "\n",
    "18446744073709551616",
    "99999999999",
    "\u{e9}",
    "D",
];

#[test]
fn random_text_becomes_the_same_database_or_the_same_complaint() {
    let Some(theirs) = debian("tcprules") else { return };
    let (scratch, ours) = (Scratch::new("rules"), program("tcprules"));
    let (here, there) = (scratch.dir("ours"), scratch.dir("theirs"));
    let mut random = Random(20_201_123);
    for _ in 0..400 {
        let count = random.below(14);
        let text: String = (0..count).map(|_| random.one_of(&PIECES)).collect();
        let outcomes = [(&ours, &here), (&theirs, &there)].map(|(tcprules, directory)| {
            let _ = fs::remove_file(directory.join("rules.cdb"));
            let outcome = compile(tcprules, directory, text.as_bytes());
            (outcome, fs::read(directory.join("rules.cdb")).ok())
        });
        assert_eq!(outcomes[0], outcomes[1], "{text:?}");
    }
}

#[test]
fn random_clients_are_treated_the_same_by_random_rules() {
    let Some(theirs) = debian("tcprulescheck") else { return };
    let (scratch, ours) = (Scratch::new("clients"), program("tcprulescheck"));
    let ips = ["1.2.3.4", "1.2.3.", "1.2", "", "10.9.8.7", "..", "x", "1.2.3.4.5"];
    let hosts = ["", "a", "a.b", ".a.b", "b", "x.a.b.", "A.b"];
    let infos = ["", "joe", "a@b"];
    let parts =
        ["1.", "1.2.", "1.2.3.", ".", "..", "=", "=.b", "=.a.b", "=.", "", "0.0.0.0", "1.2.3.1-5"];
    let mut random = Random(23_112_020);
    for _ in 0..60 {
        let mut text = String::new();
        for number in 0..random.below(10) {
            let address = match random.below(5) {
                0 => random.one_of(&ips).to_owned(),
                1 => format!("={}", random.one_of(&hosts)),
                2 => random.one_of(&parts).to_owned(),
                3 => format!("{}@{}", random.one_of(&infos), random.one_of(&ips)),
                _ => format!("{}@={}", random.one_of(&infos), random.one_of(&hosts)),
            };
            let what = if random.below(3) == 0 { "deny" } else { "allow" };
            text += &format!("{address}:{what},N=\"{number}\"\n");
        }
        assert_eq!(compile(&program("tcprules"), scratch.path(), text.as_bytes()).code, 0);
        for _ in 0..6 {
            let all =
                [("TCPREMOTEIP", &ips[..]), ("TCPREMOTEHOST", &hosts), ("TCPREMOTEINFO", &infos)];
            let mut variables = Vec::new();
            for (name, values) in all {
                if random.below(3) > 0 {
                    variables.push((name, random.one_of(values)));
                }
            }
            let [our, their] =
                [&ours, &theirs].map(|program| ask(program, scratch.path(), &variables));
            assert_eq!(our, their, "{text} {variables:?}");
        }
    }
}

const IPV6: &str = "\
[2001:DB8:0:0::1]:allow,N=\"address\"
[2001:db8::]/32:allow,N=\"32\"
[2001:db8:8000::]/33:allow,N=\"33\"
[fe80::]/10:deny
[::]/0:allow,N=\"all of IPv6\"
joe@[2001:db8::1]:allow,N=\"joe\"
=host.example:allow,N=\"host\"
=.example:allow,N=\"domain\"
192.0.2.:allow,N=\"IPv4\"
:allow,N=\"default\"
";

#[test]
fn ipv6_addresses_and_networks() {
    let scratch = Scratch::new("ipv6");
    let compiled = compile(&program("tcprules"), scratch.path(), IPV6.as_bytes());
    assert_eq!((compiled.code, compiled.err()), (0, String::new()));
    for (ip, host, info, rule, value) in [
        ("2001:db8::1", None, None, "[2001:db8::1]", "address"),
        ("2001:0db8::0:1", None, None, "[2001:db8::1]", "address"),
        ("[2001:db8::1]", None, None, "[2001:db8::1]", "address"),
        ("2001:db8::1", None, Some("joe"), "joe@[2001:db8::1]", "joe"),
        ("2001:db8::1", Some("host.example"), None, "[2001:db8::1]", "address"),
        ("2001:db8::2", Some("host.example"), None, "=host.example", "host"),
        ("2001:db8::2", Some("other.example"), None, "[2001:db8::]/32", "32"),
        ("2001:db8:7fff:ffff::", None, None, "[2001:db8::]/32", "32"),
        ("2001:db8:8000::", None, None, "[2001:db8:8000::]/33", "33"),
        ("2001:db9::", None, None, "[::]/0", "all of IPv6"),
        ("::1", Some("other.example"), None, "[::]/0", "all of IPv6"),
        ("::ffff:192.0.2.1", None, None, "192.0.2.", "IPv4"),
        ("192.0.2.1", None, None, "192.0.2.", "IPv4"),
        ("198.51.100.1", None, None, "", "default"),
    ] {
        // By the environment, and by arguments.
        let mut variables = vec![("TCPREMOTEIP", ip)];
        variables.extend(host.map(|host| ("TCPREMOTEHOST", host)));
        variables.extend(info.map(|info| ("TCPREMOTEINFO", info)));
        let told = ask(&program("tcprulescheck"), scratch.path(), &variables);
        let expected =
            format!("rule {rule}:\nset environment variable N={value}\nallow connection\n");
        assert_eq!((told.code, told.out()), (0, expected.clone()), "{ip}");
        if info.is_none() {
            let run = Run::new(program("tcprulescheck")).args(["rules.cdb", ip]).args(host);
            assert_eq!(run.cwd(scratch.path()).env_clear().output().out(), expected, "{ip}");
        }
    }
    let denied = ask(&program("tcprulescheck"), scratch.path(), &[("TCPREMOTEIP", "fe80::1%eth0")]);
    assert_eq!(denied.out(), "rule [fe80::]/10:\ndeny connection\n");
}

#[test]
fn the_originals_tcprulescheck_reads_databases_with_ipv6_rules() {
    let Some(theirs) = debian("tcprulescheck") else { return };
    let scratch = Scratch::new("ipv6-old");
    assert_eq!(compile(&program("tcprules"), scratch.path(), IPV6.as_bytes()).code, 0);
    // It sees the keys as they are, and an IPv4 client is none the wiser.
    for (ip, rule) in
        [("[2001:db8::1]", "[2001:db8::1]"), ("192.0.2.7", "192.0.2."), ("2001:db8::1", "")]
    {
        let told = ask(&theirs, scratch.path(), &[("TCPREMOTEIP", ip)]);
        assert!(told.out().starts_with(&format!("rule {rule}:\n")), "{ip}: {}", told.out());
    }
}

#[test]
fn every_length_of_a_network_is_looked_for() {
    let scratch = Scratch::new("lengths");
    let address: Ipv6Addr = "2001:db8:1234:5678:9abc:def0:1234:5679".parse().expect("an address");
    for length in 0..=128_u32 {
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        let network = Ipv6Addr::from_bits(address.to_bits() & mask);
        let text = format!("[{network}]/{length}:deny\n:allow\n");
        assert_eq!(
            compile(&program("tcprules"), scratch.path(), text.as_bytes()).code,
            0,
            "{text}"
        );
        let ip = address.to_string();
        let told = ask(&program("tcprulescheck"), scratch.path(), &[("TCPREMOTEIP", &ip)]);
        assert!(told.out().ends_with("deny connection\n"), "{text}{}", told.out());
    }
}

#[test]
fn a_full_disk_leaves_the_old_database_alone() {
    alone!();
    let scratch = Scratch::new("full");
    let script = format!(
        "mount -t tmpfs -o size=16k tmpfs '{at}' && cd '{at}' || exit 1
        echo '1.2.3.4:deny' | '{tcprules}' rules.cdb rules.tmp || exit 2
        cp rules.cdb before
        seq 1 4000 | sed 's/.*/10.&.:deny/' | '{tcprules}' rules.cdb rules.tmp
        echo \"ends: $?\"
        cmp rules.cdb before && ls",
        at = scratch.dir("small").display(),
        tcprules = program("tcprules").display(),
    );
    let outcome = Run::sh(&script).output();
    assert_eq!(outcome.out(), "ends: 111\nbefore\nrules.cdb\n", "{}", outcome.err());
    let said = "tcprules: fatal: unable to write to rules.tmp: out of disk space\n";
    assert_eq!(outcome.err(), said);
}

#[test]
fn whoever_reads_meanwhile_sees_the_old_database_or_the_new_one() {
    let scratch = Scratch::new("meanwhile");
    let rules = |n: u32| {
        let lines = (0..200).map(|i| format!("10.{i}.:allow,N=\"{n}\"\n"));
        lines.collect::<String>()
    };
    assert_eq!(compile(&program("tcprules"), scratch.path(), rules(0).as_bytes()).code, 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..60 {
                let outcome = compile(&program("tcprules"), scratch.path(), rules(n).as_bytes());
                assert_eq!(outcome.code, 0);
            }
        });
        while !writer.is_finished() {
            let told =
                ask(&program("tcprulescheck"), scratch.path(), &[("TCPREMOTEIP", "10.199.1.1")]);
            assert!(
                told.out().starts_with("rule 10.199.:\nset environment variable N="),
                "{told:?}"
            );
        }
    });
}
