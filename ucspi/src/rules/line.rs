//! A line of a rule file: `ADDRESS:INSTRUCTIONS`.

use super::instructions::{Instruction, encode};
use super::network::Network;
use super::range::Range;
use alloc::vec::Vec;

/// A rule: the keys of its records, and the value of each.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    address: Address<'a>,
    value: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    /// As the original has it.
    Range(Range<'a>),
    /// With what is said there, and the `@`.
    Network(&'a [u8], Network),
}

/// A line that isn't a rule, though it has a colon: as it is, without blanks at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'a>(pub &'a [u8]);

/// Reads a line, with its newline or without. `None` for what means nothing: a line that begins with `#`, or
/// has no colon.
///
/// The address ends at the first colon, but for IPv6 in brackets. `allow` or `deny` follows, and any number of
/// `,NAME=QvalueQ`, where Q is any byte. Blanks and tabs count, but for those at the end.
///
/// # Errors
/// A line that is malformed.
pub fn parse(line: &[u8]) -> Result<Option<Rule<'_>>, Malformed<'_>> {
    if line.first() == Some(&b'#') {
        return Ok(None);
    }
    let blank = |byte: &u8| matches!(byte, b'\n' | b' ' | b'\t');
    let line = &line[..line.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1)];
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Ok(None) };
    let rule = ipv6(line, colon).or_else(|| plain(line, colon));
    rule.map(Some).ok_or(Malformed(line))
}

impl Rule<'_> {
    /// The keys of its records: several for a range, none for an empty one.
    pub fn keys(&self) -> impl Iterator<Item = Vec<u8>> {
        let (range, network) = match &self.address {
            Address::Range(range) => (Some(range), None),
            Address::Network(said, network) => (None, Some([*said, &network.key()].concat())),
        };
        range.into_iter().flat_map(Range::addresses).chain(network)
    }

    /// The value of each of its records.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

fn plain(line: &[u8], colon: usize) -> Option<Rule<'_>> {
    let value = value(&line[colon + 1..])?;
    Range::parse(&line[..colon]).map(|range| Rule { address: Address::Range(range), value })
}

/// A rule whose address is `[IPv6]` or `[IPv6]/LENGTH`, or `INFO@[IPv6]`.
fn ipv6(line: &[u8], colon: usize) -> Option<Rule<'_>> {
    let bracket = line[..colon].iter().rposition(|byte| *byte == b'[')?;
    let (said, rest) = line.split_at(bracket);
    let (network, rest) = Network::parse(rest)?;
    // What is said somewhere in a network is never looked for.
    if !said.is_empty() && !(said.ends_with(b"@") && network.is_one_address()) {
        return None;
    }
    let value = value(rest.strip_prefix(b":")?)?;
    Some(Rule { address: Address::Network(said, network), value })
}

/// The record's value for these instructions.
fn value(text: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut rest = match text.strip_prefix(b"deny") {
        Some(rest) => {
            encode(Instruction::Deny, &mut value);
            rest
        }
        None => text.strip_prefix(b"allow")?,
    };
    while !rest.is_empty() {
        let variable = rest.strip_prefix(b",")?;
        let equals = variable.iter().position(|byte| *byte == b'=')?;
        let (quote, quoted) = variable[equals + 1..].split_first()?;
        let end = quoted.iter().position(|byte| byte == quote)?;
        let assignment = [&variable[..=equals], &quoted[..end]].concat();
        encode(Instruction::Set(&assignment), &mut value);
        rest = &quoted[end + 1..];
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Read = Result<Option<(Vec<String>, String)>, String>;

    fn read(line: &str) -> Read {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("ASCII");
        let rule = parse(line.as_bytes()).map_err(|Malformed(line)| text(line))?;
        Ok(rule.map(|rule| (rule.keys().map(|key| text(&key)).collect(), text(rule.value()))))
    }

    #[test]
    fn rules() {
        for (line, keys, value) in [
            ("1.2.3.4:deny\n", &["1.2.3.4"][..], "D\0"),
            (":allow", &[""], ""),
            (":allow \t \n", &[""], ""),
            (" :deny", &[" "], "D\0"),
            ("10.1-2.:allow,A=\"x y\"", &["10.1.", "10.2."], "+A=x y\0"),
            (":deny,A=/x/,B=,,\n", &[""], "D\0+A=x\0+B=\0"),
            (":allow,=\"x\",A==B=", &[""], "+=x\0+A=B\0"),
            ("=host:allow", &["=host"], ""),
            ("1.9-5:allow", &[], ""),
            ("[2001:DB8::1]:deny", &["[2001:db8::1]"], "D\0"),
            ("[2001:db8::]/32:allow,A=:x:\n", &["[2001:db8::]/32"], "+A=x\0"),
            ("[::]/0:allow", &["[::]/0"], ""),
            ("joe@[2001:db8::1]/128:allow", &["joe@[2001:db8::1]"], ""),
            ("a[b@[::1]:allow", &["a[b@[::1]"], ""),
            // The original's meaning stays.
            ("[x]:allow", &["[x]"], ""),
            ("[:allow,A=']:deny'", &["["], "+A=]:deny\0"),
            ("[10.0.0.0]/8:allow", &["[10.0.0.0]/8"], ""),
        ] {
            let keys = keys.iter().map(ToString::to_string).collect();
            assert_eq!(read(line), Ok(Some((keys, value.into()))), "{line}");
        }
    }

    #[test]
    fn what_means_nothing() {
        for line in ["", "\n", "#", "#1.2.3.4:deny\n", " \t\n", "1.2.3.4 deny", "[2001"] {
            assert_eq!(read(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn malformed_lines() {
        for line in [
            ":",
            "1.2.3.4:foo",
            "1.2.3.4: deny",
            ":denyx",
            ":deny\r",
            ":allow,",
            ":allow,A",
            ":allow,A=",
            ":allow,A=\"",
            ":allow,A=\"x",
            ":allow,A=\"x\"B",
            ":allow,A=\"x\",",
            "a-b:allow",
            "2001:db8::1:allow",
            "[2001:db8::1]",
            "[2001:db8::1]allow",
            "[2001:db8::1]:foo",
            "[2001:db8::1]/32:allow",
            "x[::1]:allow",
            "joe@[2001:db8::]/32:allow",
        ] {
            assert_eq!(read(&format!("{line} \n")), Err(line.into()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_safely(line: Vec<u8>) {
            let _ = parse(&line).map(|rule| rule.map(|rule| rule.keys().count()));
        }

        // What the original reads is read the same way: a line with an IPv6 rule is an error to it.
        #[test]
        fn an_ipv6_rule_is_none_of_the_originals(
            line in "[a@=]{0,2}\\[[0-9a-f:]{0,8}\\](/[0-9]{1,3})?:(allow|deny)(,A=\"b\")?"
        ) {
            let line = line.as_bytes();
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            prop_assert!(ipv6(line, colon).is_none() || plain(line, colon).is_none());
        }
    }
}
