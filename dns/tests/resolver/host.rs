//! A host with configuration files of its own, and servers.

use crate::server::{self, Mind, Query, Reply, Server};
use dns::{Environment, Families, Places, Resolver, Unresolved};
use std::ffi::CString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Long enough for a loaded machine; only tests of silence wait for a deadline, a shorter one.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Host {
    dir: PathBuf,
    pub(crate) servers: Vec<Server>,
    port: u16,
    resolver: Resolver,
    patience: Duration,
}

impl Host {
    /// With one server.
    pub(crate) fn new(mind: impl Fn(&Query) -> Vec<Reply> + Send + 'static) -> Host {
        Host::with(vec![Box::new(mind)])
    }

    /// With several, in the order of resolv.conf, at 127.0.0.1, 127.0.0.2 ...
    pub(crate) fn with(minds: Vec<Mind>) -> Host {
        let local = |(last, mind)| (IpAddr::from(Ipv4Addr::new(127, 0, 0, last)), mind);
        Host::at((1..).zip(minds).map(local).collect())
    }

    /// With servers at these addresses.
    pub(crate) fn at(minds: Vec<(IpAddr, Mind)>) -> Host {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("dns-host-{}-{count}", std::process::id()));
        fs::create_dir(&dir).expect("a scratch directory");
        let lines: String =
            minds.iter().map(|(address, _)| format!("nameserver {address}\n")).collect();
        let (port, servers) = server::start(minds);
        let resolver = Resolver::new(places(&dir, port), Environment::default());
        let host = Host { dir, servers, port, resolver, patience: PATIENCE };
        host.file("resolv.conf", &format!("{lines}search .\noptions timeout:1 attempts:2\n"));
        host.file("nsswitch.conf", "hosts: files dns\n");
        host.file("hosts", "127.0.0.1 localhost\n10.0.0.9 here.example here\n");
        host
    }

    /// Replaces a configuration file.
    pub(crate) fn file(&self, name: &str, content: &str) {
        fs::write(self.dir.join(name), content).expect("written");
    }

    /// Adds to resolv.conf.
    pub(crate) fn conf(self, line: &str) -> Host {
        let path = self.dir.join("resolv.conf");
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, format!("{text}{line}\n")).expect("written");
        self
    }

    /// What a look-up may take.
    pub(crate) fn patience(mut self, patience: Duration) -> Host {
        self.patience = patience;
        self
    }

    pub(crate) fn environment(mut self, environment: Environment) -> Host {
        self.resolver = Resolver::new(places(&self.dir, self.port), environment);
        self
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The first server's log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.servers[0].log()
    }

    fn deadline(&self) -> Duration {
        sys::clock::monotonic() + self.patience
    }

    /// The IPv4 addresses of a name that somebody typed.
    pub(crate) fn v4(&mut self, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
        self.addresses(name, Families::V4)
    }

    pub(crate) fn addresses(
        &mut self,
        name: &str,
        of: Families,
    ) -> Result<Vec<IpAddr>, Unresolved> {
        let deadline = self.deadline();
        self.resolver.name_to_addresses(name.as_bytes(), of, deadline)
    }

    pub(crate) fn exact(&mut self, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
        let deadline = self.deadline();
        self.resolver.exact_name_to_addresses(name.as_bytes(), Families::V4, deadline)
    }

    pub(crate) fn names(&mut self, address: &str) -> Result<Vec<String>, Unresolved> {
        let deadline = self.deadline();
        let names =
            self.resolver.address_to_names(address.parse().expect("an address"), deadline)?;
        Ok(names.into_iter().map(|name| String::from_utf8(name).expect("ASCII")).collect())
    }

    pub(crate) fn txt(&mut self, name: &str) -> Result<Vec<Vec<u8>>, Unresolved> {
        let deadline = self.deadline();
        self.resolver.txt(name.as_bytes(), deadline)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn places(dir: &Path, port: u16) -> Places {
    let path = |name: &str| {
        CString::new(dir.join(name).into_os_string().into_encoded_bytes()).expect("no NUL")
    };
    Places {
        resolv_conf: path("resolv.conf"),
        nsswitch: path("nsswitch.conf"),
        hosts: path("hosts"),
        rewrite: path("dnsrewrite"),
        port,
    }
}
