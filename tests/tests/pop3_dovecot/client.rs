//! A session with either of them.

use std::collections::{BTreeMap, BTreeSet};

use tests::Pop3Client;
use tests::storm::random::Random;

use crate::{Ids, neighbours};

/// A session, logged in, its list of messages taken.
pub(crate) struct Client {
    /// Whose it is.
    pub(crate) name: &'static str,
    connection: Pop3Client,
    /// By number less one: id and subject.
    messages: Vec<(String, String)>,
    marked: BTreeSet<usize>,
}

impl Client {
    /// Logs in and looks.
    pub(crate) fn new(name: &'static str, mut connection: Pop3Client) -> Client {
        for command in ["USER joe", "PASS secret"] {
            let reply = connection.command(command).expect("a reply");
            assert!(reply.starts_with("+OK"), "{name}: {command}: {reply}");
        }
        let mut messages = Vec::new();
        for (at, line) in connection.listing("UIDL").expect("a list").lines().skip(1).enumerate() {
            let (number, id) = line.split_once(' ').expect("a number and an id");
            assert_eq!(number, (at + 1).to_string(), "{name}");
            messages.push((id.to_owned(), String::new()));
        }
        for (at, (_, subject)) in messages.iter_mut().enumerate() {
            let top = connection.listing(&format!("TOP {} 0", at + 1)).expect("a header");
            let line = top.lines().find_map(|line| line.strip_prefix("Subject: "));
            *subject = line.unwrap_or_else(|| panic!("{name}: {top}")).to_owned();
        }
        Client { name, connection, messages, marked: BTreeSet::new() }
    }

    /// The messages by their ids.
    pub(crate) fn ids(&self) -> Ids {
        let ids: BTreeMap<_, _> = self.messages.iter().cloned().collect();
        assert_eq!(ids.len(), self.messages.len(), "{}: an id twice", self.name);
        ids
    }

    /// Takes one, which must be whole.
    pub(crate) fn retrieve(&mut self, random: &mut Random, when: &str) {
        let number = random.below(self.messages.len());
        if self.marked.contains(&number) {
            return;
        }
        let reply = self.connection.listing(&format!("RETR {}", number + 1)).expect("a reply");
        let subject = &self.messages[number].1;
        let (first, text) = reply.split_once('\n').unwrap_or((&reply, ""));
        assert!(first.starts_with("+OK"), "{when}, {}: {subject}: {first}", self.name);
        assert_eq!(text, neighbours::text(subject).trim_end(), "{when}, {}", self.name);
    }

    /// Marks one as deleted.
    pub(crate) fn delete(&mut self, random: &mut Random) {
        let number = random.below(self.messages.len());
        if self.marked.insert(number) {
            let reply = self.connection.command(&format!("DELE {}", number + 1)).expect("a reply");
            assert!(reply.starts_with("+OK"), "{}: {reply}", self.name);
        }
    }

    /// Takes all marks back.
    pub(crate) fn forget(&mut self) {
        let reply = self.connection.command("RSET").expect("a reply");
        assert!(reply.starts_with("+OK"), "{}: {reply}", self.name);
        self.marked.clear();
    }

    /// Says QUIT; what is removed.
    pub(crate) fn quits(mut self, when: &str) -> BTreeSet<String> {
        let reply = self.connection.command("QUIT").expect("a reply");
        assert!(reply.starts_with("+OK"), "{when}, {}: {reply}", self.name);
        let rest = self.connection.rest().expect("the end");
        assert_eq!(rest, b"", "{when}, {}", self.name);
        self.marked.iter().map(|number| self.messages[*number].1.clone()).collect()
    }
}
