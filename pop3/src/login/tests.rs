use super::*;
use std::string::String;
use std::vec::Vec;

const CLEAR: Terms = Terms { ways: ALL, encryption: Encryption::Absent, required: false };
const ALL: Ways =
    Ways::NONE.with(Way::User).with(Way::Apop).with(Way::CramMd5).with(Way::Plain).with(Way::Login);
const OFFERED: Terms = Terms { encryption: Encryption::OnOffer, ..CLEAR };
const REQUIRED: Terms = Terms { required: true, ..OFFERED };
const ENCRYPTED: Terms = Terms { encryption: Encryption::Present, ..REQUIRED };

const DIGEST: &str = "0123456789abcdef0123456789abcdef";

/// What a dialogue comes to: replies in short, and in capitals what is to be done.
fn answers(login: &mut Login, lines: &[&[u8]]) -> Vec<String> {
    lines.iter().map(|line| answer(login, Line::Whole(line))).collect()
}

fn answer(login: &mut Login, line: Line<'_>) -> String {
    let known = |login: &Login| {
        let credentials = login.credentials();
        let text = [credentials.name(), credentials.secret()].map(String::from_utf8_lossy);
        std::format!(" {}/{}/{:?}", text[0], text[1], credentials.proof())
    };
    match login.handle(line) {
        Effect::Say(reply) => {
            let text = String::from_utf8(reply.to_vec()).unwrap();
            text.strip_suffix("\r\n").unwrap().into()
        }
        Effect::Bye(reply) => {
            assert_eq!(reply, b"+OK\r\n");
            "BYE".into()
        }
        Effect::Capa => "CAPA".into(),
        Effect::Mechanisms => "MECHANISMS".into(),
        Effect::Challenge => "CHALLENGE".into(),
        Effect::StartTls => "TLS".into(),
        Effect::Check => std::format!("CHECK{}", known(login)),
        Effect::Refuse => std::format!("REFUSE{}", known(login)),
    }
}

const FIRST: &str = "-ERR authorization first";
const SYNTAX: &str = "-ERR syntax error";
const OK: &str = "+OK";
const NONE: &str = "-ERR that is not on offer";
const WITHHELD: &str = "-ERR [SYS/PERM] nobody logs in here without TLS";

/// A line, and the answer in each of four: TLS is absent, on offer, required, there.
const TABLE: [(&str, [&str; 4]); 47] = [
    ("user joe", [OK, OK, WITHHELD, OK]),
    ("user", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("user ", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("user a\0b", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("pass x", ["-ERR USER first", "-ERR USER first", WITHHELD, "-ERR USER first"]),
    ("pass", ["-ERR USER first", "-ERR USER first", WITHHELD, "-ERR USER first"]),
    ("apop", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("apop joe", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("apop joe 0123456789abcdef", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("auth", ["MECHANISMS", "MECHANISMS", WITHHELD, "MECHANISMS"]),
    ("auth plain", ["+ ", "+ ", WITHHELD, "+ "]),
    ("AUTH Plain ", ["+ ", "+ ", WITHHELD, "+ "]),
    ("auth plain =", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("auth plain *", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("auth plain AA x", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("auth login", ["+ VXNlcm5hbWU6", "+ VXNlcm5hbWU6", WITHHELD, "+ VXNlcm5hbWU6"]),
    ("auth login am9l", ["+ UGFzc3dvcmQ6", "+ UGFzc3dvcmQ6", WITHHELD, "+ UGFzc3dvcmQ6"]),
    ("auth cram-md5", ["CHALLENGE", "CHALLENGE", WITHHELD, "CHALLENGE"]),
    ("auth cram-md5 am9l", [SYNTAX, SYNTAX, WITHHELD, SYNTAX]),
    ("auth user", [NONE, NONE, WITHHELD, NONE]),
    ("auth apop", [NONE, NONE, WITHHELD, NONE]),
    ("auth scram-sha-1", [NONE, NONE, WITHHELD, NONE]),
    ("auth digest-md5 AA", [NONE, NONE, WITHHELD, NONE]),
    ("stls", [NONE, "TLS", "TLS", "-ERR TLS has begun already"]),
    ("stls x", [SYNTAX; 4]),
    ("capa", ["CAPA"; 4]),
    ("capa x", [SYNTAX; 4]),
    ("noop", [OK; 4]),
    ("noop x", [SYNTAX; 4]),
    ("utf8", [OK; 4]),
    ("utf8 user", [SYNTAX; 4]),
    ("lang *", ["+OK i-default as ever"; 4]),
    ("lang de", ["-ERR that language is not spoken here"; 4]),
    ("lang de en", [SYNTAX; 4]),
    ("quit", ["BYE"; 4]),
    ("quit x", [SYNTAX; 4]),
    ("stat", [FIRST; 4]),
    ("list x", [FIRST; 4]),
    ("retr", [FIRST; 4]),
    ("dele 1", [FIRST; 4]),
    ("rset", [FIRST; 4]),
    ("last", [FIRST; 4]),
    ("top", [FIRST; 4]),
    ("uidl", [FIRST; 4]),
    ("xyzzy", [FIRST; 4]),
    ("", [FIRST; 4]),
    ("*", [FIRST; 4]),
];

#[test]
fn the_whole_table() {
    for (line, expected) in TABLE {
        for (terms, expected) in [CLEAR, OFFERED, REQUIRED, ENCRYPTED].into_iter().zip(expected) {
            let got = answers(&mut Login::new(terms), &[line.as_bytes()]);
            assert_eq!(got, [expected], "{line:?} {terms:?}");
        }
    }
    assert_eq!(answer(&mut Login::new(CLEAR), Line::TooLong), "-ERR line too long");
    // TLS is required and can't be had: that isn't said in as many words, but nobody gets in.
    let nowhere = Terms { encryption: Encryption::Absent, ..REQUIRED };
    let got = answers(&mut Login::new(nowhere), &[b"stls", b"user joe", b"pass x"]);
    assert_eq!(got, [NONE, WITHHELD, WITHHELD]);
}

#[test]
fn what_the_checker_cannot_do_is_not_on_offer() {
    let apop = std::format!("apop joe {DIGEST}");
    let lines = [
        &b"user joe"[..],
        apop.as_bytes(),
        b"auth plain",
        b"auth login",
        b"auth cram-md5",
        b"auth",
    ];
    let first = [OK, "CHECK", "+ ", "+ VXNlcm5hbWU6", "CHALLENGE"];
    let ways = [Way::User, Way::Apop, Way::Plain, Way::Login, Way::CramMd5];
    for (nth, way) in ways.into_iter().enumerate() {
        let terms = Terms { ways: Ways::NONE.with(way), ..CLEAR };
        let list = if nth < 2 { NONE } else { "MECHANISMS" };
        for (line, expected) in lines.iter().zip([NONE; 5].into_iter().chain([list])) {
            let expected = if *line == lines[nth] { first[nth] } else { expected };
            let got = answers(&mut Login::new(terms), &[line]).remove(0);
            assert_eq!(got.split(" joe/").next(), Some(expected), "{way:?} {line:?}");
        }
    }
    let terms = Terms { ways: Ways::NONE.with(Way::Plain), ..CLEAR };
    assert_eq!(answers(&mut Login::new(terms), &[b"pass x"]), [NONE]);
}

#[test]
fn name_then_password() {
    for (lines, expected) in [
        (&[&b"USER joe"[..], b"PASS se cret"][..], &[OK, "CHECK joe/se cret/Password"][..]),
        (&[b"user joe", b"noop", b"pass x"], &[OK, OK, "CHECK joe/x/Password"]),
        (&[b"user joe", b"user ann", b"pass x"], &[OK, OK, "CHECK ann/x/Password"]),
        (&[b"user joe", b"pass", b"pass x"], &[OK, SYNTAX, "CHECK joe/x/Password"]),
        // A name that is none takes the one before with it.
        (&[b"user joe", b"user", b"pass x"], &[OK, SYNTAX, "-ERR USER first"]),
    ] {
        assert_eq!(answers(&mut Login::new(CLEAR), lines), expected);
    }
}

#[test]
fn apop() {
    let line = std::format!("APOP  joe user {DIGEST}");
    let got = answers(&mut Login::new(CLEAR), &[line.as_bytes()]);
    assert_eq!(got, [std::format!("CHECK joe user/{DIGEST}/OfBanner")]);
}

#[test]
fn auth_from_end_to_end() {
    let digest = crate::base64::encode(std::format!("joe {DIGEST}").as_bytes());
    let challenged = std::format!("CHECK joe/{DIGEST}/OfChallenge");
    let asked = ["+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6"];
    for (lines, expected) in [
        (&[&b"auth plain"[..], b"AGpvZQB4"][..], &["+ ", "CHECK joe/x/Password"][..]),
        (&[b"auth plain AGpvZQB4"], &["CHECK joe/x/Password"]),
        // root\0joe\0x
        (&[b"auth plain cm9vdABqb2UAeA=="], &["REFUSE joe/x/Password"]),
        (&[b"auth login", b"am9l", b"eA=="], &[asked[0], asked[1], "CHECK joe/x/Password"]),
        (&[b"auth login am9l", b"eA=="], &[asked[1], "CHECK joe/x/Password"]),
        (&[b"auth cram-md5", &digest], &["CHALLENGE", &challenged]),
    ] {
        assert_eq!(answers(&mut Login::new(CLEAR), lines), expected);
    }
}

#[test]
fn an_exchange_that_comes_to_nothing_leaves_nothing() {
    for begin in [&b"auth plain"[..], b"auth login", b"auth cram-md5"] {
        for (line, said) in [
            ("*", "-ERR as you like"),
            ("**", SYNTAX),
            ("=", SYNTAX),
            ("", SYNTAX),
            ("AGpvZQB4=", SYNTAX),
            ("AGpvZQB", SYNTAX),
            ("quit", SYNTAX),
        ] {
            let mut login = Login::new(CLEAR);
            let got = answers(&mut login, &[b"user joe", begin, line.as_bytes(), b"pass x"]);
            if (begin, line) == (b"auth login", "quit") {
                // Four characters are base64.
                assert_eq!(got[2], "+ UGFzc3dvcmQ6");
                continue;
            }
            assert_eq!(got[2..], [said, "-ERR USER first"], "{begin:?} {line}");
            assert_eq!(answers(&mut login, &[b"user ann", b"pass x"])[1], "CHECK ann/x/Password");
        }
        let mut login = Login::new(CLEAR);
        answers(&mut login, &[begin]);
        assert_eq!(login.longest_line(), LONGEST_RESPONSE);
        assert_eq!(answer(&mut login, Line::TooLong), "-ERR line too long");
        assert_eq!(login.longest_line(), LIMIT);
        assert_eq!(answers(&mut login, &[b"noop"]), [OK]);
    }
    // In the middle of LOGIN the name is known already.
    let mut login = Login::new(CLEAR);
    let got = answers(&mut login, &[b"auth login", b"am9l", b"*", b"pass x"]);
    assert_eq!(got[2..], ["-ERR as you like", "-ERR USER first"]);
    let mut login = Login::new(CLEAR);
    answers(&mut login, &[b"auth login", b"am9l"]);
    answer(&mut login, Line::TooLong);
    assert_eq!(answers(&mut login, &[b"pass x"]), ["-ERR USER first"]);
}

#[test]
fn nothing_said_before_tls_counts_after_it() {
    let mut login = Login::new(OFFERED);
    assert_eq!(answers(&mut login, &[b"utf8", b"user joe", b"stls"]), [OK, OK, "TLS"]);
    login.encrypted();
    assert_eq!(
        answers(&mut login, &[b"pass x", b"user \xE9", b"stls"]),
        ["-ERR USER first", OK, "-ERR TLS has begun already"]
    );
    let mut login = Login::new(REQUIRED);
    assert!(login.terms().withheld() && login.terms().open() == Ways::NONE);
    login.encrypted();
    assert!(!login.terms().withheld() && login.terms().open() == ALL);
}

#[test]
fn bytes_are_bytes_until_they_are_said_to_be_utf_8() {
    let mut login = Login::new(CLEAR);
    let latin = b"apop Andr\xE9 0123456789abcdef0123456789abcdef";
    assert_eq!(answers(&mut login, &[b"user Andr\xE9"]), [OK]);
    let got = answers(&mut login, &[b"pass \xE9"]);
    assert_eq!((got, login.credentials().secret()), (answers_checked(), &b"\xE9"[..]));
    assert_eq!(
        answers(&mut login, &[b"utf8", b"user Andr\xE9", b"user joe", b"pass \xE9", latin]),
        [OK, "-ERR that is no UTF-8", OK, "-ERR that is no UTF-8", "-ERR that is no UTF-8"]
    );
    let got = answers(&mut login, &["user André".as_bytes(), "pass é".as_bytes()]);
    assert_eq!(got, [OK, "CHECK André/é/Password"]);
}

fn answers_checked() -> Vec<String> {
    std::vec![String::from("CHECK Andr\u{FFFD}/\u{FFFD}/Password")]
}
