use super::*;
use proptest::prelude::*;

/// Password and hash, made by other implementations.
fn vectors() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("vectors.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('\t').expect("a tab"))
}

fn hash(text: &str) -> Hash<'_> {
    match Stored::parse(text.as_bytes()) {
        Ok(Stored::Hash(hash)) => hash,
        other => panic!("{text}: {other:?}"),
    }
}

fn unusable(text: &[u8]) -> Unusable<'_> {
    match Stored::parse(text) {
        Err(unusable) => unusable,
        Ok(other) => panic!("{}: {other:?}", text.escape_ascii()),
    }
}

#[test]
fn hashes_made_elsewhere_verify() {
    let mut count = 0;
    for (password, text) in vectors() {
        assert_eq!(hash(text).verify(password.as_bytes()), Ok(true), "{password:?} {text}");
        count += 1;
    }
    assert!(count >= 70, "{count}");
}

#[test]
fn other_passwords_do_not() {
    for (password, text) in vectors().filter(|(password, _)| password.len() < 20) {
        if hash(text).memory() > 2 << 20 {
            continue;
        }
        let wrong = format!("q{password}");
        assert_eq!(hash(text).verify(wrong.as_bytes()), Ok(false), "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_password() {
    // perl -e 'print crypt("\xff\xfe\x01", "\$6\$abc\$")'
    let text = "$6$abc$ZfWeR5X64/VoYzYmjdIx2v0pAoD9wqULNVWvVA9cgBuB4.M0VffUpZynGT1EfhK1QR.mUMvnSrBvP.vz5kwp11";
    assert_eq!(hash(text).verify(b"\xff\xfe\x01"), Ok(true));
}

#[test]
fn a_hash_that_is_cut_short_or_long_is_malformed_or_another_one() {
    for (_, text) in vectors().filter(|(password, _)| *password == "correct horse") {
        for length in 1..text.len() {
            if let Ok(Stored::Hash(hash)) = Stored::parse(&text.as_bytes()[..length]) {
                panic!("{text} cut to {length}: {hash:?}");
            }
        }
        assert!(!matches!(Stored::parse(format!("{text}.").as_bytes()), Ok(Stored::Hash(_))));
    }
}

#[test]
fn fields_that_no_password_opens() {
    assert!(matches!(Stored::parse(b""), Ok(Stored::Empty)));
    for text in ["!", "*", "!!", "!*", "*LK*", "!$6$abc$", "x", "NP", "NOPASSWORD", "*0"] {
        assert!(matches!(Stored::parse(text.as_bytes()), Ok(Stored::Locked)), "{text}");
    }
}

#[test]
fn what_cannot_be_checked_says_why() {
    let long_salt = format!("$y$j9T${}${}", "a".repeat(88), ".".repeat(43));
    let long = format!("$6${}$x", "a".repeat(400));
    let result = ".".repeat(43);
    let yescrypt = |params: &str| format!("$y${params}$abcdefgh${result}");
    let scrypt = |params: &str| format!("$7${params}abcdefgh${result}");
    let sha512 = |head: &str| format!("$6${head}${}", ".".repeat(86));
    let bcrypt = |cost: &str| format!("$2b${cost}${}", ".".repeat(53));
    let cases = [
        ("$md5,rounds=94150$1HKFFv7M$$G/T1INuYZcVHNJTdCK7vi".into(), Unusable::Malformed),
        ("$3$$cfc43211ba8dc470832267827cac140".into(), Unusable::Malformed),
        ("$4$$cfc43211ba8dc470832267827cac1407".into(), Unusable::Unknown("$4")),
        ("$2x$05$abc".into(), Unusable::Unknown("$2x")),
        ("$argon2id$v=19$m=65536$abc$def".into(), Unusable::Unknown("$argon2id")),
        ("$".into(), Unusable::Unknown("")),
        ("$$$$".into(), Unusable::Unknown("")),
        ("$a-b$".into(), Unusable::Unknown("")),
        ("abRy4/6THFs9Uabcdefghijk".into(), Unusable::Unknown("")),
        ("$6$".into(), Unusable::Malformed),
        ("$y$".into(), Unusable::Malformed),
        ("$7$".into(), Unusable::Malformed),
        ("_abc".into(), Unusable::Malformed),
        ("$6$a\u{fc}b$".into(), Unusable::Malformed),
        ("a b".into(), Unusable::Malformed),
        (long, Unusable::Malformed),
        (long_salt, Unusable::Malformed),
        (yescrypt("j9"), Unusable::Malformed),
        (yescrypt("j9T."), Unusable::Malformed),
        (yescrypt(""), Unusable::Malformed),
        (yescrypt("79T"), Unusable::Unsupported),
        (yescrypt("j753/"), Unusable::Unsupported),
        (yescrypt("jzzzzzzzzzzzz"), Unusable::Costly),
        (yescrypt("jGT"), Unusable::Costly),
        (yescrypt("jHT"), Unusable::Costly),
        (yescrypt("j9T/zzzzzz"), Unusable::Costly),
        (scrypt("./..../...."), Unusable::Malformed),
        (scrypt("z/..../...."), Unusable::Costly),
        (scrypt("5zzzzzzzzzz"), Unusable::Costly),
        (scrypt("5/....zzzzz"), Unusable::Costly),
        // 128 r N beyond 64 bits
        (scrypt("S....U/...."), Unusable::Costly),
        (sha512("rounds=0$abc"), Unusable::Malformed),
        (sha512("rounds=+5000$abc"), Unusable::Malformed),
        (sha512("rounds=99999999999999999999$abc"), Unusable::Malformed),
        (sha512("rounds=999999999$abc"), Unusable::Costly),
        (sha512("a-b"), Unusable::Unsupported),
        (bcrypt("03"), Unusable::Malformed),
        (bcrypt("32"), Unusable::Malformed),
        (bcrypt("5"), Unusable::Malformed),
        (bcrypt("31"), Unusable::Costly),
    ];
    for (text, expected) in &cases {
        assert_eq!(unusable(text.as_bytes()), *expected, "{text}");
    }
}

#[test]
fn debians_highest_costs_are_within_bounds() {
    let result = ".".repeat(43);
    // mkpasswd -m yescrypt -R 11, mkpasswd -m scrypt -R 11
    for text in [format!("$y$jFT$abcdefgh${result}"), format!("$7$GU..../....abcdefgh${result}")] {
        let memory = hash(&text).memory();
        assert!(memory > 1 << 30, "{text}: {memory}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn no_field_breaks_the_parser(field: Vec<u8>) {
        let _ = Stored::parse(&field).is_ok();
    }

    #[test]
    fn no_cost_is_beyond_the_bounds(
        prefix in "\\$(7\\$[./0-9A-Za-z]{11}|g?y\\$[j./][./0-9A-Za-z]{2,18}\\$)",
        salt in "([./0-9A-Za-z]{4})?",
        result in "[./0-9A-Za-z]{43}",
    ) {
        let field = format!("{prefix}{salt}${result}");
        if let Ok(Stored::Hash(hash)) = Stored::parse(field.as_bytes()) {
            prop_assert!(hash.memory() as u128 <= yescrypt::MAX_MEMORY);
        }
    }

    #[test]
    fn no_field_like_a_hash_breaks_the_parser(
        prefix in "\\$(y|gy|7|6|5|1|2[abxy]|sha1|md5)\\$|_|",
        rest in "(rounds=)?[./0-9A-Za-z$=]{0,120}",
    ) {
        let field = format!("{prefix}{rest}");
        let _ = Stored::parse(field.as_bytes()).is_ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A hash with a byte or two changed is no hash, or one that can be computed; never a panic.
    #[test]
    fn no_garbled_hash_breaks_the_crates(
        which: usize,
        places in prop::collection::vec((0_usize..120, b' '..=b'~'), 1..3),
        password in prop::collection::vec(1_u8..=255, 0..40),
    ) {
        let mut field = vectors().nth(which % vectors().count()).expect("a vector").1.as_bytes().to_vec();
        for (place, byte) in places {
            let place = place % field.len();
            field[place] = byte;
        }
        if let Ok(Stored::Hash(hash)) = Stored::parse(&field)
            && is_cheap(&hash, &field)
        {
            let _ = hash.verify(&password).is_ok();
        }
    }
}

/// Whether a garbled hash still takes no more than moments in an unoptimised test: its cost may be
/// what was garbled.
fn is_cheap(hash: &Hash<'_>, field: &[u8]) -> bool {
    let costs_time = field.starts_with(b"$2") && field.get(4..6).is_none_or(|cost| cost > b"06")
        || field.starts_with(b"_") && !field.starts_with(b"_J9..");
    hash.memory() < 1 << 20 && !costs_time
}
