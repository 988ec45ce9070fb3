use super::*;
use crate::scratch::Scratch;

struct Host {
    resolv_conf: Scratch,
    nsswitch: Scratch,
    rewrite: Option<Scratch>,
}

impl Host {
    fn new(resolv_conf: &str) -> Self {
        Self {
            resolv_conf: Scratch::new(resolv_conf.as_bytes()),
            nsswitch: Scratch::new(b""),
            rewrite: None,
        }
    }

    fn places(&self) -> Places {
        let rewrite = self.rewrite.as_ref().map_or(c"/nowhere/dnsrewrite", Scratch::path);
        Places {
            resolv_conf: self.resolv_conf.path().into(),
            nsswitch: self.nsswitch.path().into(),
            rewrite: rewrite.into(),
            ..Places::default()
        }
    }

    fn read(&self, environment: &[(&str, &str)]) -> Config {
        Config::read(&self.places(), &variables(environment)).expect("readable")
    }
}

fn variables(list: &[(&str, &str)]) -> Environment {
    Environment::of(|name| {
        let found = list.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, value)| value.as_bytes().to_vec())
    })
}

fn servers(config: &Config) -> Vec<String> {
    config.servers.iter().map(ToString::to_string).collect()
}

fn domains(config: &Config) -> Vec<&[u8]> {
    match &config.search {
        Search::Domains { domains, .. } => domains.iter().map(Vec::as_slice).collect(),
        Search::Rules(_) => panic!("rules"),
    }
}

#[test]
fn without_a_word_it_is_this_host_with_growing_patience() {
    let config = Host::new("").read(&[]);
    assert_eq!(servers(&config), ["127.0.0.1:53"]);
    assert_eq!(config.waits, WAITS);
    assert!(!config.rotate && !config.tcp_only);
    assert_eq!(config.steps.len(), 2);
    let places = Places {
        resolv_conf: c"/nowhere/resolv.conf".into(),
        nsswitch: c"/nowhere/nsswitch.conf".into(),
        ..Host::new("").places()
    };
    assert_eq!(Config::read(&places, &Environment::default()).as_ref(), Ok(&config));
}

#[test]
fn files_that_exist_must_be_readable() {
    let places = Places { resolv_conf: c"/etc".into(), ..Host::new("").places() };
    assert_eq!(Config::read(&places, &Environment::default()), Err(Errno::ISDIR));
}

#[test]
fn timeout_and_attempts_replace_the_schedule() {
    let waits = |text| Host::new(text).read(&[]).waits;
    assert_eq!(waits("options timeout:2 attempts:3"), [Duration::from_secs(2); 3]);
    assert_eq!(waits("options timeout:2"), [Duration::from_secs(2); 2]);
    assert_eq!(waits("options attempts:1"), [Duration::from_secs(5)]);
}

#[test]
fn the_environment_goes_before_the_file() {
    let host = Host::new("nameserver 10.0.0.1\nsearch a.example\noptions timeout:2\n");
    let config = host.read(&[
        ("DNSCACHEIP", "10.0.0.2 ::1"),
        ("LOCALDOMAIN", " b.example  c.example"),
        ("RES_OPTIONS", "timeout:9 use-vc rotate"),
    ]);
    assert_eq!(servers(&config), ["10.0.0.2:53", "[::1]:53"]);
    assert_eq!(domains(&config), [&b"b.example"[..], b"c.example"]);
    assert_eq!(config.waits, [Duration::from_secs(9); 2]);
    assert!(config.tcp_only && config.rotate);
    let config = host.read(&[("DNSCACHEIP", "none"), ("LOCALDOMAIN", "")]);
    assert_eq!(servers(&config), ["10.0.0.1:53"]);
    assert_eq!(domains(&config), [b""; 0]);
    assert_eq!(domains(&host.read(&[("LOCALDOMAIN", ". b.example.")])), [b"b.example."]);
}

#[test]
fn rules_replace_the_domains() {
    let mut host = Host::new("search a.example");
    assert_eq!(domains(&host.read(&[])), [b"a.example"]);
    host.rewrite = Some(Scratch::new(b"=x:y\n"));
    assert_eq!(host.read(&[]).search.names(b"x"), [b"y"]);
    let other = Scratch::new(b"=x:z\n");
    let file = other.path().to_str().expect("UTF-8");
    assert_eq!(host.read(&[("DNSREWRITEFILE", file)]).search.names(b"x"), [b"z"]);
    assert_eq!(domains(&host.read(&[("DNSREWRITEFILE", "/nowhere/at/all")])), [b"a.example"]);
}

#[test]
fn a_change_of_any_file_shows() {
    let mut host = Host::new("nameserver 10.0.0.1");
    host.rewrite = Some(Scratch::new(b""));
    let stamp = |host: &Host| Stamp::of(&host.places(), &Environment::default());
    let mut before = stamp(&host);
    assert_eq!(before, stamp(&host));
    let rewrite = host.rewrite.as_ref().expect("one");
    for file in [&host.resolv_conf, &host.nsswitch, rewrite] {
        file.write(b"# something longer than before\n");
        let after = stamp(&host);
        assert_ne!(before, after);
        before = after;
    }
    host.rewrite = None;
    assert_ne!(before, stamp(&host));
}
