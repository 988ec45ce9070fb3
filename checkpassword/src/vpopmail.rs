//! vpopmail's layout: who has a domain stands in qmail's `users/cdb` or `users/assign`, and the users of a
//! domain in `vpasswd.cdb` or `vpasswd` in its directory.
//!
//! As there, names are taken in lower case, `user%domain` and `user/domain` are as good as `user@domain` (once, clients
//! could not have an `@` in a name), and a name without a domain is of `$VPOPMAIL_DOMAIN`, or of the one that
//! `etc/defaultdomain` names. In a line, uid and gid are no ids but flags: the ids are the domain's.

mod domain;

pub use domain::{Domain, may_use};
pub(crate) use domain::{apart, assigned, is_domain};

use crate::lines;
use crate::users::{Entry, Trouble, Trust, Users};
use std::ffi::CString;
use sys::account;
use sys::fs::{Dir, FileType, Mode, OFlags, open, stat};
use sys::{Env, Errno};

/// Where qmail keeps who gets whose mail.
const USERS: &[u8] = b"/var/qmail/users";

/// vpopmail's directory.
pub struct Vpopmail {
    home: Vec<u8>,
    default: Option<Vec<u8>>,
}

/// Where a file stands, and what is wrong there.
pub struct Wrong(pub Vec<u8>, pub Trouble);

/// A user of a domain.
pub struct Found {
    /// `user@domain`.
    pub name: Vec<u8>,
    /// What stands in the line.
    pub entry: Entry,
    /// The domain's ids.
    pub ids: (u32, u32),
    /// The file with the line.
    pub path: Vec<u8>,
}

impl Vpopmail {
    /// The directory that `$VPOPMAIL` names, or the home of the account `vpopmail`; `None` without either.
    ///
    /// # Errors
    /// The account can't be looked up.
    pub fn find(env: Env) -> Result<Option<Self>, account::Trouble> {
        let named =
            |name: &[u8]| env.get(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        let home = match named(b"VPOPMAIL") {
            Some(home) => home,
            None => match account::by_name(b"vpopmail")? {
                Some(account) => account.home,
                None => return Ok(None),
            },
        };
        Ok(Some(Self { home, default: named(b"VPOPMAIL_DOMAIN") }))
    }

    /// The user who logs in as `login`; `None` if there is none.
    ///
    /// # Errors
    /// A file that is missing or not to be trusted.
    pub fn user(&self, login: &[u8]) -> Result<Option<Found>, Wrong> {
        let (user, domain) = apart(login);
        let Some(domain) = domain.or_else(|| self.default_domain()) else { return Ok(None) };
        if user.is_empty() || !is_domain(&domain) {
            return Ok(None);
        }
        let Some(Domain { name, ids, directory }) = self.domain(&domain)? else { return Ok(None) };
        let (path, users) = open_users(&directory, ids.0)?;
        let entry = users.find(&user).map_err(|trouble| Wrong(path.clone(), trouble))?;
        let name = [&user[..], b"@", &name].concat();
        Ok(entry.map(|entry| Found { name, entry, ids, path }))
    }

    /// The file of some domain's users, as a sample of what their hashes are like: the default one's, or any.
    #[must_use]
    pub fn sample(&self) -> Option<Users> {
        let of = |domain: &Domain| {
            open_users(&domain.directory, domain.ids.0).ok().map(|(_, users)| users)
        };
        let default = self.default_domain().and_then(|name| self.domain(&name).ok()?);
        default.as_ref().and_then(of).or_else(|| {
            let path = path(&[&self.home, b"domains"]).ok()?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let entries = Dir::new(open(&*path, flags, Mode::empty()).ok()?).ok()?;
            let mut names = entries.flatten().map(|entry| entry.file_name().to_bytes().to_vec());
            names.find_map(|name| of(&self.domain(&name).ok()??))
        })
    }

    fn default_domain(&self) -> Option<Vec<u8>> {
        let from_file = || {
            let path = path(&[&self.home, b"etc/defaultdomain"]).ok()?;
            let file =
                open(&*path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
                    .ok()?;
            lines::find(&file, |line| Some(line.text.trim_ascii().to_vec())).ok()?
        };
        let name = self.default.clone().or_else(from_file)?.to_ascii_lowercase();
        is_domain(&name).then_some(name)
    }

    /// Where `domain` lives; `None` if nowhere.
    fn domain(&self, domain: &[u8]) -> Result<Option<Domain>, Wrong> {
        if !is_domain(domain) {
            return Ok(None);
        }
        // The same stands in both, but for what is between the fields.
        let places: [(&[u8], &[u8], u8); 2] = [(b"/cdb", b"!", 0), (b"/assign", b"+", b':')];
        for (name, prefix, separator) in places {
            let place = [USERS, name].concat();
            let Some(users) = existing(&place)? else { continue };
            let entry = users.find(&[prefix, domain, b"-"].concat());
            let entry = entry.map_err(|trouble| Wrong(place, trouble))?;
            return Ok(entry.and_then(|entry| assigned(&entry.rest, separator)));
        }
        self.without_qmail(domain)
    }

    /// On a host without qmail: the directory of the domain's name, and whose that is.
    fn without_qmail(&self, domain: &[u8]) -> Result<Option<Domain>, Wrong> {
        let directory = [&self.home[..], b"/domains/", domain].concat();
        let unreadable = |errno| Wrong(directory.clone(), Trouble::Unreadable(errno));
        let status = match stat(&*path(&[&directory]).map_err(unreadable)?) {
            Ok(status) => status,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(unreadable(errno)),
        };
        let is_directory = FileType::from_raw_mode(status.st_mode) == FileType::Directory;
        let ids = (status.st_uid, status.st_gid);
        Ok(is_directory.then(|| Domain { name: domain.to_vec(), ids, directory }))
    }
}

/// The users of the domain that lives in `directory`, and where they stand. They may be the domain's own, `owner`, and
/// readable by everybody where the directory lets nobody else in.
fn open_users(directory: &[u8], owner: u32) -> Result<(Vec<u8>, Users), Wrong> {
    let unreadable = |errno| Wrong(directory.to_vec(), Trouble::Unreadable(errno));
    let status = stat(&*path(&[directory]).map_err(unreadable)?).map_err(unreadable)?;
    let trust = Trust { owner: Some(owner), readable: status.st_mode & 0o001 == 0 };
    let open = |name: &[u8]| {
        let place = [directory, b"/", name].concat();
        let users =
            path(&[&place]).map_err(Trouble::Unreadable).and_then(|path| Users::open(&path, trust));
        (place, users)
    };
    match open(b"vpasswd.cdb") {
        (_, Err(Trouble::Unreadable(Errno::NOENT))) => {}
        (place, users) => {
            return users
                .map_err(|trouble| Wrong(place.clone(), trouble))
                .map(|users| (place, users));
        }
    }
    let (place, users) = open(b"vpasswd");
    users.map_err(|trouble| Wrong(place.clone(), trouble)).map(|users| (place, users))
}

/// What qmail has at `place`, if anything: whoever could write there would choose ids.
fn existing(place: &[u8]) -> Result<Option<Users>, Wrong> {
    let open = path(&[place]).map_err(Trouble::Unreadable);
    match open.and_then(|path| Users::open(&path, Trust { owner: None, readable: true })) {
        Ok(users) => Ok(Some(users)),
        Err(Trouble::Unreadable(Errno::NOENT)) => Ok(None),
        Err(trouble) => Err(Wrong(place.to_vec(), trouble)),
    }
}

fn path(parts: &[&[u8]]) -> Result<CString, Errno> {
    CString::new(parts.join(&b'/')).map_err(|_| Errno::NOENT)
}
