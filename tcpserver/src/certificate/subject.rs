//! Who a certificate is for.

use std::net::IpAddr;

/// Most names that one certificate may be for. Every handshake carries them all.
const MAX_HOSTS: usize = 100;

/// The holder of a certificate. Empty strings stand for what isn't said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Subject {
    pub(super) country: String,
    pub(super) state: String,
    pub(super) locality: String,
    pub(super) organization: String,
    pub(super) unit: String,
    /// Names and addresses, the most important first: that one is the common name too.
    pub(super) hosts: Vec<Host>,
    pub(super) email: String,
}

/// What a client may call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// A DNS name in lower case; its first label may be `*`.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// One line of a subject: its option, the question for it, and its longest value (RFC 5280, A.1).
pub(super) struct Field {
    pub(super) option: &'static str,
    pub(super) question: &'static str,
    pub(super) longest: usize,
    pub(super) place: fn(&mut Subject) -> &mut String,
}

/// The fields that are mere text, in the order in which they are asked for and written.
pub(super) const FIELDS: [Field; 6] = [
    Field {
        option: "--country",
        question: "Country (two letters)",
        longest: 2,
        place: |subject| &mut subject.country,
    },
    Field {
        option: "--state",
        question: "State or province",
        longest: 128,
        place: |subject| &mut subject.state,
    },
    Field {
        option: "--locality",
        question: "City",
        longest: 128,
        place: |subject| &mut subject.locality,
    },
    Field {
        option: "--organization",
        question: "Organization",
        longest: 64,
        place: |subject| &mut subject.organization,
    },
    Field { option: "--unit", question: "Unit", longest: 64, place: |subject| &mut subject.unit },
    Field {
        option: "--email",
        question: "E-mail address",
        longest: 255,
        place: |subject| &mut subject.email,
    },
];

impl Field {
    /// Sets the field.
    ///
    /// # Errors
    /// What is wrong with the value, to be shown to whoever gave it.
    pub(super) fn set(&self, subject: &mut Subject, value: &str) -> Result<(), &'static str> {
        let value = value.trim();
        if value.chars().any(char::is_control) {
            return Err("a control character in it");
        }
        if value.chars().count() > self.longest {
            return Err("too long");
        }
        let wrong = match self.option {
            _ if value.is_empty() => None,
            "--country" => {
                let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
                (value.len() != 2 || !letters).then_some("not two letters")
            }
            "--email" => {
                let address = value.is_ascii() && value.contains('@');
                (!address).then_some("not an e-mail address")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let place = (self.place)(subject);
        *place = match self.option {
            "--country" => value.to_ascii_uppercase(),
            _ => value.into(),
        };
        Ok(())
    }
}

impl Host {
    /// A DNS name (RFC 1123), or an IPv4 or IPv6 address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if !text.is_ascii() {
            return Err("not in ASCII (write it in its xn-- form)");
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = name.strip_prefix("*.").unwrap_or(&name);
        let good = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if name.len() > 253 || !labels.split('.').all(good) {
            return Err("neither a host name nor an address");
        }
        if labels.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err("neither a host name nor an address");
        }
        Ok(Self::Name(name))
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Address(address) => address.to_string(),
        }
    }
}

impl Subject {
    /// Adds a name or an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add_host(&mut self, text: &str) -> Result<(), &'static str> {
        let host = Host::parse(text)?;
        if self.hosts.len() == MAX_HOSTS {
            return Err("too many names");
        }
        if !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
        Ok(())
    }

    /// The name that goes into the subject too, for software that looks nowhere else: the first
    /// that fits there.
    pub(super) fn common_name(&self) -> Option<String> {
        self.hosts.iter().map(Host::text).find(|text| text.len() <= 64)
    }

    /// All names and addresses, in one line.
    pub(super) fn hosts_line(&self) -> String {
        self.hosts.iter().map(Host::text).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        assert_eq!(Host::parse("Mail.Example.ORG."), Ok(Host::Name("mail.example.org".into())));
        assert_eq!(Host::parse("*.example.org"), Ok(Host::Name("*.example.org".into())));
        assert_eq!(Host::parse("localhost"), Ok(Host::Name("localhost".into())));
        assert_eq!(Host::parse("::1"), Ok(Host::Address("::1".parse().unwrap())));
        assert_eq!(Host::parse("192.0.2.1"), Ok(Host::Address("192.0.2.1".parse().unwrap())));
        let long = "a.".repeat(127) + "a";
        for bad in ["", ".", "a..b", "-a", "a-", "a b", "*", "a.*.b", "1.2.3", "256.1.1.1", &long] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Host::parse("bücher.example"), Err("not in ASCII (write it in its xn-- form)"));
    }

    #[test]
    fn a_name_that_is_too_long_for_the_subject_stands_among_the_alternatives_only() {
        let mut subject = Subject::default();
        let long = format!("{}.{}.example", "a".repeat(40), "b".repeat(40));
        subject.add_host(&long).unwrap();
        assert_eq!(subject.common_name(), None);
        subject.add_host("short.example").unwrap();
        assert_eq!(subject.common_name().unwrap(), "short.example");
        subject.add_host("SHORT.example").unwrap();
        assert_eq!(subject.hosts.len(), 2);
    }

    #[test]
    fn fields_are_checked() {
        let mut subject = Subject::default();
        let [country, _, _, organization, _, email] = &FIELDS;
        assert_eq!(country.set(&mut subject, "ru"), Ok(()));
        assert_eq!(subject.country, "RU");
        assert_eq!(country.set(&mut subject, "r1"), Err("not two letters"));
        assert_eq!(country.set(&mut subject, ""), Ok(()));
        assert_eq!(organization.set(&mut subject, &"é".repeat(64)), Ok(()));
        assert_eq!(organization.set(&mut subject, &"é".repeat(65)), Err("too long"));
        assert_eq!(organization.set(&mut subject, "a\x1b[0m"), Err("a control character in it"));
        assert_eq!(email.set(&mut subject, "root"), Err("not an e-mail address"));
    }
}
