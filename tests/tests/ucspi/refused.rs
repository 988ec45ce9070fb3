//! What no table can show of rblsmtpd and tcpclient: peers that take their time, where Debian's takes theirs, and which name
//! servers are asked.

use tests::{Run, alone, program};

use crate::network::Network;

const LISTED: &str = "127.0.0.2";

/// `rblsmtpd ARGUMENTS echo smtpd`, for a client that is listed and says nothing.
fn rblsmtpd(arguments: &[&str]) -> Run {
    let run = Run::new(program("rblsmtpd")).args(arguments).args(["echo", "smtpd"]);
    run.env("PATH", tests::path()).env("TCPREMOTEIP", LISTED)
}

#[test]
fn a_list_that_keeps_silent() {
    alone!();
    let _network = Network::start();
    for (closed, out, said) in
        [("-C", "smtpd\n", ""), ("-c", "220 rblsmtpd.local\r\n", "temporary RBL lookup error")]
    {
        let run = rblsmtpd(&[closed, "-r", "silent.test"]);
        let outcome = run.env("RES_OPTIONS", "timeout:1 attempts:1").output();
        assert_eq!(outcome.out(), out, "{closed}");
        assert!(outcome.err().contains(said), "{closed}: {}", outcome.err());
    }
}

#[test]
fn a_host_that_tells_who_it_is_letter_by_letter() {
    alone!();
    let _network = Network::start();
    let outcome = Run::new(program("tcpclient"))
        .args(["-Hl0", "-t", "1", "127.0.1.7", "7", "sh", "-c", "echo \"info: $TCPREMOTEINFO\""])
        .env("PATH", tests::path())
        .output();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "info: \n"), "{outcome:?}");
}

#[test]
fn the_servers_of_resolv_conf_are_asked_unless_the_environment_names_others() {
    alone!();
    let _network = Network::start();
    let arguments = ["-c", "-r", "bl.test"];
    let outcome = rblsmtpd(&arguments).output();
    assert!(outcome.err().contains("451 Listed, see"), "{}", outcome.err());
    // Nobody is there.
    let outcome = rblsmtpd(&arguments).env("DNSCACHEIP", "127.0.0.54").output();
    assert!(outcome.err().contains("451 temporary RBL lookup error"), "{}", outcome.err());
    for servers in ["127.0.0.53", "127.0.0.54 127.0.0.53", "127.0.0.53.127.0.0.54"] {
        let outcome = rblsmtpd(&arguments).env("DNSCACHEIP", servers).output();
        assert!(outcome.err().contains("451 Listed, see"), "{servers}: {}", outcome.err());
    }
}
