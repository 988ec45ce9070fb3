//! What the host's files and the environment say.

use crate::host::Host;
use crate::reply::{Answer, NXDOMAIN, PTR, SERVFAIL, code, good, name, v4};
use crate::server::Query;
use crate::server::Reply;
use dns::{Environment, Families, Unresolved};
use std::net::IpAddr;

fn here() -> Vec<IpAddr> {
    vec!["10.0.0.9".parse().expect("an address")]
}

/// Knows this name only.
fn only(known: &'static str) -> impl Fn(&Query) -> Vec<Reply> + Send + 'static {
    move |query| match query.name == known {
        true => good(query),
        false => code(NXDOMAIN)(query),
    }
}

#[test]
fn short_names_are_completed() {
    let search = "search a.example b.example";
    let mut host = Host::new(only("mail.b.example")).conf(search);
    assert_eq!(host.v4("mail"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["u1 mail.a.example", "u1 mail.b.example"]);
    let mut host = Host::new(only("mail")).conf(search);
    assert_eq!(host.v4("mail"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["u1 mail.a.example", "u1 mail.b.example", "u1 mail"]);
    let mut host = Host::new(only("nothing")).conf(search);
    assert_eq!(host.v4("mail.c"), Err(Unresolved::Unknown));
    assert_eq!(host.v4("mail."), Err(Unresolved::Unknown));
    assert_eq!(host.log(), ["u1 mail.c", "u1 mail"]);
    let mut host = Host::new(only("mail.c.b.example")).conf(search).conf("options ndots:2");
    assert_eq!(host.v4("mail.c"), Ok(vec![v4(7)]));
}

#[test]
fn trouble_on_the_way_ends_the_search() {
    let mut host = Host::new(|query| match query.name.as_str() {
        "mail.a.example" => code(SERVFAIL)(query),
        _ => good(query),
    })
    .conf("search a.example b.example");
    assert_eq!(host.v4("mail"), Err(Unresolved::Temporary(sys::Errno::AGAIN)));
    assert_eq!(host.log(), ["u1 mail.a.example"]);
}

#[test]
fn a_name_without_addresses_does_not_end_the_search() {
    let mut host = Host::new(|query| match query.name.as_str() {
        "mail.a.example" => Answer::to(query).send(),
        _ => good(query),
    })
    .conf("search a.example b.example");
    assert_eq!(host.v4("mail"), Ok(vec![v4(7)]));
}

#[test]
fn the_hosts_file_comes_first_unless_told_otherwise() {
    let mut host = Host::new(|query| match query.kind {
        PTR => Answer::to(query).with(PTR, &name("other.example")).send(),
        _ => good(query),
    });
    assert_eq!(host.v4("Here"), Ok(here()));
    assert_eq!(host.v4("here.example."), Ok(here()));
    assert_eq!(host.names("10.0.0.9"), Ok(vec!["here.example".into()]));
    assert_eq!(host.log(), [""; 0]);
    host.file("nsswitch.conf", "hosts: dns files\n");
    assert_eq!(host.v4("here.example"), Ok(vec![v4(7)]));
    assert_eq!(host.names("10.0.0.9"), Ok(vec!["other.example".into()]));
}

#[test]
fn the_hosts_file_stands_in_for_a_dns_that_does_not_know_or_cannot_tell() {
    for mind in [NXDOMAIN, SERVFAIL] {
        let mut host = Host::new(code(mind));
        host.file("nsswitch.conf", "hosts: dns files\n");
        assert_eq!(host.v4("here"), Ok(here()));
    }
    let mut host = Host::new(code(NXDOMAIN));
    host.file("nsswitch.conf", "hosts: dns [NOTFOUND=return] files\n");
    assert_eq!(host.v4("here.example"), Err(Unresolved::Unknown));
    let mut host = Host::new(code(SERVFAIL));
    host.file("nsswitch.conf", "hosts: dns [!UNAVAIL=return] files\n");
    assert_eq!(host.v4("here"), Ok(here()), "trouble counts as not available");
}

#[test]
fn trouble_in_the_dns_is_told_though_the_files_did_not_know_either() {
    let mut host = Host::new(code(SERVFAIL));
    host.file("nsswitch.conf", "hosts: dns files\n");
    let trouble = Err(Unresolved::Temporary(sys::Errno::AGAIN));
    assert_eq!(host.v4("elsewhere.example"), trouble);
}

#[test]
fn the_dns_may_be_out_of_the_question() {
    let mut host = Host::new(good);
    host.file("nsswitch.conf", "hosts: files\n");
    assert_eq!(host.v4("here"), Ok(here()));
    assert_eq!(host.v4("a.example"), Err(Unresolved::Unknown));
    assert_eq!(host.log(), [""; 0]);
}

#[test]
fn changes_of_the_files_are_seen() {
    let mut host = Host::with(vec![
        Box::new(|query| Answer::to(query).v4(1).send()),
        Box::new(|query| Answer::to(query).v4(2).send()),
    ]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(1)]));
    host.file("resolv.conf", "nameserver 127.0.0.2\n");
    assert_eq!(host.v4("a.example"), Ok(vec![v4(2)]));
    host.file("dnsrewrite", "=a.example:here\n");
    assert_eq!(host.v4("a.example"), Ok(here()));
    host.file("hosts", "10.0.0.8 here\n");
    assert_eq!(host.v4("a.example"), Ok(vec!["10.0.0.8".parse().expect("an address")]));
    host.file("dnsrewrite", "=a.example:[192.0.2.5]\n");
    assert_eq!(host.v4("a.example"), Ok(vec![v4(5)]));
}

#[test]
fn a_file_that_cannot_be_read_is_trouble_and_named_by_its_reason() {
    let mut host = Host::new(good);
    std::fs::remove_file(host.dir().join("resolv.conf")).expect("removed");
    std::fs::create_dir(host.dir().join("resolv.conf")).expect("made");
    let trouble = Unresolved::Temporary(sys::Errno::ISDIR);
    assert_eq!(host.v4("a.example"), Err(trouble));
    assert_eq!(host.names("192.0.2.1"), Err(trouble));
    assert_eq!(host.txt("a.example"), Err(trouble));
    std::fs::remove_dir(host.dir().join("resolv.conf")).expect("removed");
    host.file("resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn the_environment_names_other_servers_and_domains() {
    let mut host = Host::with(vec![Box::new(code(NXDOMAIN)), Box::new(only("mail.b.example"))])
        .conf("search a.example")
        .environment(Environment {
            cache: Some(b"127.0.0.2".to_vec()),
            domains: Some(b"b.example".to_vec()),
            ..Environment::default()
        });
    assert_eq!(host.addresses("mail", Families::V4), Ok(vec![v4(7)]));
    assert_eq!(host.servers[0].log(), [""; 0]);
    assert_eq!(host.servers[1].log(), ["u1 mail.b.example"]);
}
