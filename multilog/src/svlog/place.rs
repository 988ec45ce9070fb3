//! Where a service's log is.

use super::directory::Directory;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::Errno;

/// Where services are, unless `$SVDIR` says otherwise.
pub(crate) const SERVICES: &[u8] = b"/service";

/// Where a service has its log: in the directory itself, in the one of that name, or (`*`) in the first one that
/// has one. Of several logs, it is the one that is called `main`.
const PLACES: [&[u8]; 6] = [b"", b"log/main", b"log/*", b"log", b"main", b"*"];

/// The log of what is called `name`: a directory that has one, or a service in `services`.
///
/// # Errors
/// Why there is none: what the first directory that can't be opened says; `ENOENT` where nothing is wrong but that
/// there is no log.
pub(crate) fn find(name: &CStr, services: &[u8]) -> Result<Directory, Errno> {
    let mut why = None;
    for base in bases(name.to_bytes(), services) {
        match within(&base) {
            Ok(found) => return Ok(found),
            Err(Errno::NOENT) => {}
            Err(errno) => why = why.or(Some(errno)),
        }
    }
    Err(why.unwrap_or(Errno::NOENT))
}

/// The directories that may be meant.
fn bases(name: &[u8], services: &[u8]) -> Vec<Vec<u8>> {
    let mut bases = alloc::vec![name.to_vec()];
    if !name.is_empty() && !name.starts_with(b"/") && !name.starts_with(b".") {
        bases.push([services, b"/", name].concat());
    }
    bases
}

fn within(base: &[u8]) -> Result<Directory, Errno> {
    open(base)?;
    let mut why = Errno::NOENT;
    for place in PLACES {
        let found = match place.strip_suffix(b"*") {
            Some(above) => first(&[base, b"/", above].concat()),
            None if place.is_empty() => log(base),
            None => log(&[base, b"/", place].concat()),
        };
        match found {
            Ok(found) => return Ok(found),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => why = errno,
        }
    }
    Err(why)
}

/// The first directory, by name, that has a log.
fn first(above: &[u8]) -> Result<Directory, Errno> {
    let mut why = Errno::NOENT;
    for name in open(above)?.names()? {
        match log(&[above, name.to_bytes()].concat()) {
            Ok(found) => return Ok(found),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => why = errno,
        }
    }
    Err(why)
}

/// The log in this very directory.
fn log(path: &[u8]) -> Result<Directory, Errno> {
    let directory = open(path)?;
    if directory.holds_a_log() { Ok(directory) } else { Err(Errno::NOENT) }
}

fn open(path: &[u8]) -> Result<Directory, Errno> {
    Directory::open(CString::new(path).map_err(|_| Errno::INVAL)?)
}

/// What a service is called in front of its lines: the last part of what was typed. `log` and `main` say too little:
/// what is before them counts, too.
pub(crate) fn title(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let name = &name[..end];
    let mut end = end;
    loop {
        let start = name[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let says_little = [&b""[..], b"log", b"main"].contains(&&name[start..end]);
        if start == 0 || !says_little {
            return &name[start..];
        }
        end = start - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        for (name, expected) in [
            ("dns", "dns"),
            ("/service/dns", "dns"),
            ("/service/dns//", "dns"),
            ("/service/dns/log/main", "dns/log/main"),
            ("dns/log//main/", "dns/log//main"),
            ("/var/log/dns", "dns"),
            ("/log/main", "/log/main"),
            ("log", "log"),
            ("/log", "/log"),
            (".", "."),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(title(name.as_bytes()), expected.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_name_may_be_that_of_a_service() {
        let bases = |name: &str| bases(name.as_bytes(), b"/service");
        assert_eq!(bases("dns"), [&b"dns"[..], b"/service/dns"]);
        assert_eq!(
            bases("dns/log/trouble"),
            [&b"dns/log/trouble"[..], b"/service/dns/log/trouble"]
        );
        assert_eq!(bases("./dns"), [b"./dns"]);
        assert_eq!(bases("/dns"), [b"/dns"]);
        assert_eq!(bases(""), [b""]);
    }
}
