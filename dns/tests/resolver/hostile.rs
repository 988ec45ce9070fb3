//! Answers of those who mean harm, and of those who only do it.

use crate::host::Host;
use crate::reply::{A, Answer, CNAME, PTR, good, name, silent, v4};
use crate::server::{Query, Reply};
use dns::Unresolved;
use std::time::Duration;
use sys::Errno;

const NONSENSE: Unresolved = Unresolved::Temporary(Errno::PROTO);

/// An answer that leads astray, to 192.0.2.66.
fn forged(query: &Query) -> Answer {
    Answer::to(query).v4(66)
}

#[test]
fn forged_answers_are_waited_past() {
    let mut host = Host::new(|query| {
        let mut other = query.clone();
        other.question = [name("b.example"), query.question[11..].to_vec()].concat();
        let mut other_kind = query.clone();
        let kind = other_kind.question.len() - 3;
        other_kind.question[kind] = 28;
        let mut no_response = forged(query).bytes();
        no_response[2] &= 0x7F;
        vec![
            Reply::Send(Vec::new()),
            Reply::Send(b"x".to_vec()),
            Reply::Send(vec![0xFF; 900]),
            Reply::Send(forged(query).id(query.id ^ 1).bytes()),
            Reply::Send(forged(&other).bytes()),
            Reply::Send(forged(&other_kind).bytes()),
            Reply::Send(no_response),
            Reply::SendFromElsewhere(forged(query).bytes()),
            Reply::Send(Answer::to(query).v4(7).bytes()),
        ]
    })
    .conf("options timeout:30");
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["u1 a.example"]);
}

#[test]
fn forged_answers_alone_do_not_hold_anybody_beyond_the_deadline() {
    let mut host = Host::new(|query| forged(query).id(query.id ^ 1).send())
        .conf("options timeout:30")
        .patience(Duration::from_millis(700));
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::TIMEDOUT)));
}

#[test]
fn an_answer_that_comes_after_its_time_does_not_count() {
    let earlier = std::sync::Mutex::new(None::<Query>);
    let mut host = Host::new(move |query| {
        let mut earlier = earlier.lock().expect("no panic");
        match earlier.take() {
            None => {
                *earlier = Some(query.clone());
                Vec::new()
            }
            // The late answer first: to where the first question came from, then to the new place
            // under the old id.
            Some(first) => vec![
                Reply::SendTo(first.from, forged(&first).bytes()),
                Reply::Send(forged(query).id(first.id).bytes()),
                Reply::Send(Answer::to(query).v4(7).bytes()),
            ],
        }
    })
    .conf("options attempts:5");
    let ids_differ = |host: &Host| {
        let queries = host.servers[0].queries();
        queries[0].id != queries[1].id && queries[0].from != queries[1].from
    };
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert!(ids_differ(&host));
}

#[test]
fn records_of_other_names_do_not_count() {
    let mut host = Host::new(|query| {
        let evil = name("evil.example");
        Answer::to(query)
            .record(&evil, A, &[192, 0, 2, 66])
            .record(&evil, CNAME, &name("a.example"))
            .record(&name("A.Example"), A, &[192, 0, 2, 7])
            .send()
    });
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn many_aliases_are_followed_but_not_too_many() {
    let chain = |length: usize| {
        move |query: &Query| {
            let link = |number: usize| match number {
                0 => name("a.example"),
                number => name(&format!("n{number}.example")),
            };
            // The last one first: order doesn't matter.
            let answer = Answer::to(query).record(&link(length), A, &[192, 0, 2, 7]);
            (0..length)
                .rev()
                .fold(answer, |answer, number| {
                    answer.record(&link(number), CNAME, &link(number + 1))
                })
                .send()
        }
    };
    assert_eq!(Host::new(chain(16)).v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(Host::new(chain(17)).v4("a.example"), Err(NONSENSE));
}

#[test]
fn circles_of_aliases_and_of_pointers_are_seen() {
    let own_alias = |query: &Query| Answer::to(query).with(CNAME, &name("a.example")).send();
    assert_eq!(Host::new(own_alias).v4("a.example"), Err(NONSENSE));
    let circle = |query: &Query| {
        let (a, b) = (name("a.example"), name("b.example"));
        Answer::to(query).record(&a, CNAME, &b).record(&b, CNAME, &a).send()
    };
    assert_eq!(Host::new(circle).v4("a.example"), Err(NONSENSE));
    let own_pointer = |query: &Query| {
        let here = u8::try_from(12 + query.question.len()).expect("near");
        Answer::to(query).record(&[0xC0, here], A, &[192, 0, 2, 7]).send()
    };
    assert_eq!(Host::new(own_pointer).v4("a.example"), Err(NONSENSE));
    let forwards = |query: &Query| {
        let here = u8::try_from(12 + query.question.len()).expect("near");
        Answer::to(query).with(PTR, &[0xC0, here + 14, 0xC0, here + 12]).send()
    };
    assert_eq!(Host::new(forwards).names("192.0.2.1"), Err(NONSENSE));
}

#[test]
fn a_server_of_nonsense_is_not_the_last_word() {
    let cut = |query: &Query| {
        let mut bytes = Answer::to(query).v4(66).bytes();
        bytes.pop();
        vec![Reply::Send(bytes)]
    };
    let mut host = Host::with(vec![Box::new(cut), Box::new(good)]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.servers[1].log(), ["u1 a.example"]);
}

#[test]
fn what_an_answer_calls_a_name_is_not_taken_for_an_address() {
    let mut host = Host::new(|query| {
        assert_eq!(query.name, "6.6.6.6");
        Answer::to(query).flags(crate::reply::NXDOMAIN).send()
    })
    .conf("search corp.example");
    assert_eq!(host.exact("6.6.6.6"), Err(Unresolved::Unknown));
    assert_eq!(host.log(), ["u1 6.6.6.6"]);
    let mut host = Host::new(silent).conf("search corp.example");
    assert_eq!(host.exact("here"), Ok(vec!["10.0.0.9".parse().expect("an address")]));
}

#[test]
fn a_name_from_an_answer_is_never_completed() {
    let mut host =
        Host::new(crate::reply::code(crate::reply::NXDOMAIN)).conf("search corp.example");
    assert_eq!(host.exact("short"), Err(Unresolved::Unknown));
    assert_eq!(host.log(), ["u1 short"]);
}
