//! The resolver against servers of every kind, on loopback addresses.

mod configured;
mod host;
mod hostile;
mod limits;
mod reply;
mod server;
mod servers;
mod tcp;

use dns::{Families, Unresolved};
use host::Host;
use reply::{A, AAAA, Answer, CNAME, NXDOMAIN, PTR, TXT, good, name, v4, v6};
use std::collections::HashSet;
use std::net::IpAddr;

#[test]
fn addresses_of_each_family_in_the_wanted_order() {
    let mut host = Host::new(|query| match query.kind {
        A => Answer::to(query).v4(1).v4(2).send(),
        AAAA => Answer::to(query).v6(1).send(),
        _ => panic!("not asked for"),
    });
    let of = |host: &mut Host, families| host.addresses("a.example", families);
    let ipv6 = IpAddr::from(v6(1));
    assert_eq!(of(&mut host, Families::V4), Ok(vec![v4(1), v4(2)]));
    assert_eq!(of(&mut host, Families::V6), Ok(vec![ipv6]));
    assert_eq!(host.log(), ["u1 a.example", "u28 a.example"]);
    assert_eq!(of(&mut host, Families::V4First), Ok(vec![v4(1), v4(2), ipv6]));
    assert_eq!(of(&mut host, Families::V6First), Ok(vec![ipv6, v4(1), v4(2)]));
}

#[test]
fn one_family_without_addresses_is_no_trouble() {
    let mut host = Host::new(|query| match query.kind {
        A => Answer::to(query).send(),
        _ => good(query),
    });
    assert_eq!(host.addresses("a.example", Families::V4First), Ok(vec![v6(7).into()]));
    assert_eq!(host.v4("a.example"), Err(Unresolved::Unknown));
}

#[test]
fn a_family_that_is_never_answered_for_costs_little() {
    let mut host = Host::new(|query| if query.kind == A { good(query) } else { Vec::new() })
        .conf("options timeout:30 attempts:5");
    assert_eq!(host.addresses("a.example", Families::V6First), Ok(vec![v4(7)]));
    assert_eq!(host.servers[0].queries().len(), 2, "nobody waited for the next round");
}

#[test]
fn a_family_whose_server_fails_does_not_spoil_the_other() {
    let mut host = Host::new(|query| match query.kind {
        A => good(query),
        _ => Answer::to(query).flags(reply::SERVFAIL).send(),
    });
    assert_eq!(host.addresses("a.example", Families::V4First), Ok(vec![v4(7)]));
    let mut host = Host::new(|query| match query.kind {
        A => Answer::to(query).send(),
        _ => Answer::to(query).flags(reply::SERVFAIL).send(),
    });
    let trouble = Err(Unresolved::Temporary(sys::Errno::AGAIN));
    assert_eq!(host.addresses("a.example", Families::V4First), trouble);
}

#[test]
fn no_such_name_ends_the_look_up_for_both_families() {
    let mut host = Host::new(|query| match query.kind {
        A => Answer::to(query).flags(NXDOMAIN).send(),
        _ => Vec::new(),
    })
    .conf("options timeout:30 attempts:5");
    assert_eq!(host.addresses("a.example", Families::V4First), Err(Unresolved::Unknown));
}

#[test]
fn names_of_addresses() {
    let mut host = Host::new(|query| {
        assert_eq!(query.kind, PTR);
        match query.name.as_str() {
            "1.2.0.192.in-addr.arpa" => Answer::to(query)
                .with(PTR, &name("Mail.Example"))
                .with(PTR, &name("b%: é.example"))
                .send(),
            name if name.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa") => {
                Answer::to(query).with(PTR, b"\x04six6\x07example\0").send()
            }
            "2.2.0.192.in-addr.arpa" => Answer::to(query).with(PTR, b"\0").send(),
            _ => Answer::to(query).flags(NXDOMAIN).send(),
        }
    });
    assert_eq!(
        host.names("192.0.2.1"),
        Ok(vec!["mail.example".into(), "b\\045\\072\\040\\303\\251.example".into()])
    );
    assert_eq!(host.names("2001:db8::9"), Ok(vec!["six6.example".into()]));
    assert_eq!(host.names("::ffff:192.0.2.1").map(|names| names.len()), Ok(2));
    assert_eq!(host.names("192.0.2.2"), Err(Unresolved::Unknown), "the root is no host");
    assert_eq!(host.names("192.0.2.3"), Err(Unresolved::Unknown));
}

#[test]
fn a_name_of_an_address_may_be_an_alias() {
    // RFC 2317: how a few addresses of a network are delegated.
    let mut host = Host::new(|query| {
        let target = name("1.0-25.2.0.192.in-addr.arpa");
        Answer::to(query).with(CNAME, &target).record(&target, PTR, &name("a.example")).send()
    });
    assert_eq!(host.names("192.0.2.1"), Ok(vec!["a.example".into()]));
}

#[test]
fn texts() {
    let mut host = Host::new(|query| {
        assert_eq!((query.kind, query.name.as_str()), (TXT, "2.0.0.127.rbl.example"));
        Answer::to(query).with(TXT, b"\x05ab\xFF%\n\x03cd\0").with(TXT, b"\0").send()
    });
    assert_eq!(
        host.txt("2.0.0.127.rbl.example"),
        Ok(vec![b"ab\xFF%\ncd\0".to_vec(), b"".to_vec()])
    );
    let mut host = Host::new(reply::code(NXDOMAIN));
    assert_eq!(host.txt("2.0.0.127.rbl.example"), Err(Unresolved::Unknown));
}

#[test]
fn addresses_and_localhost_are_nobody_elses_business() {
    let mut host = Host::new(good);
    host.file("hosts", "");
    assert_eq!(host.v4("192.0.2.1"), Ok(vec![v4(1)]));
    assert_eq!(host.v4("[192.0.2.1]"), Ok(vec![v4(1)]));
    assert_eq!(host.v4("2001:db8::1"), Err(Unresolved::Unknown));
    assert_eq!(host.addresses("2001:db8::1", Families::V6), Ok(vec![v6(1).into()]));
    for name in ["localhost", "LOCALHOST.", "a.localhost"] {
        let loopback = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(host.v4(name), Ok(vec![loopback("127.0.0.1")]), "{name}");
        assert_eq!(host.exact(name), Ok(vec![loopback("127.0.0.1")]), "{name}");
        assert_eq!(host.addresses(name, Families::V6), Ok(vec![loopback("::1")]), "{name}");
    }
    assert_eq!(host.log(), [""; 0]);
}

#[test]
fn names_are_asked_for_as_they_are_typed() {
    let mut host = Host::new(good);
    for typed in ["MiXed.example", "é.example", "trailing.example.", "a..b"] {
        assert_eq!(host.v4(typed), Ok(vec![v4(7)]), "{typed}");
    }
    assert_eq!(host.log(), ["u1 MiXed.example", "u1 é.example", "u1 trailing.example", "u1 a.b"]);
}

#[test]
fn a_name_that_cannot_be_asked_for_is_trouble_as_with_the_original() {
    let mut host = Host::new(good);
    let trouble = Unresolved::Temporary(sys::Errno::PROTO);
    let label = "x".repeat(64);
    assert_eq!(host.v4(&format!("{label}.example")), Err(trouble));
    assert_eq!(host.exact(&format!("{label}.example")), Err(trouble));
    assert_eq!(host.txt(&"abcdefg.".repeat(32)), Err(trouble));
    assert_eq!(host.log(), [""; 0]);
}

#[test]
fn nobody_can_guess_ids_or_ports() {
    let mut host = Host::new(good);
    for _ in 0..64 {
        assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    }
    let queries = host.servers[0].queries();
    assert_eq!(queries.len(), 64);
    let ids: HashSet<u16> = queries.iter().map(|query| query.id).collect();
    let ports: HashSet<u16> = queries.iter().map(|query| query.from.port()).collect();
    assert!(ids.len() > 56, "{ids:?}");
    assert!(ports.len() > 48, "{ports:?}");
    let in_a_row = queries.windows(2).filter(|two| two[1].id.wrapping_sub(two[0].id) < 8).count();
    assert!(in_a_row < 8, "{queries:?}");
}
