//! Where the files of a supervised service directory are: in `supervise`, or where `$SUPERVISEDIR` says
//! (daemontools-encore).
//!
//! | `$SUPERVISEDIR` | the files of `/service/web` are in |
//! | --- | --- |
//! | unset | `/service/web/supervise` |
//! | `state` | `/service/web/state` |
//! | `/run/sv` | `/run/sv/service:web`: the service directory's real path, each slash but the first a colon |

use alloc::ffi::CString;
use alloc::vec::Vec;
use sys::{Env, Errno};

/// The name of the environment variable.
pub const VARIABLE: &[u8] = b"SUPERVISEDIR";

/// Where the files of one service directory are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Relative to the service directory, or absolute.
    directory: Vec<u8>,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Its flock(2) keeps out a second supervise.
    Lock,
    /// The FIFO that letters come through.
    Control,
    /// The FIFO that has a reader as long as the directory is supervised.
    Ok,
    /// What the service does: [`crate::status`].
    Status,
    /// The next status, not complete yet.
    NewStatus,
    /// More of what it does: [`crate::detail`].
    Detail,
    /// What a killed supervise leaves to the next one: [`crate::record`].
    Process,
    /// The same of the `log` that it runs.
    LogProcess,
    /// The FIFO between the service and its logger.
    LogPipe,
    /// The FIFO through which the service tells that it is ready.
    Ready,
}

impl Place {
    /// The place for the service directory that is the working directory.
    ///
    /// # Errors
    /// `$SUPERVISEDIR` is absolute, and the working directory's path can't be had: as getcwd(2).
    pub fn here(env: Env) -> Result<Self, Errno> {
        match env.get(VARIABLE).filter(|value| !value.is_empty()) {
            None => Ok(Self::default()),
            Some(base) if base.starts_with(b"/") => {
                let service = sys::process::getcwd(Vec::new())?;
                Ok(Self::new(Some(base), service.to_bytes()))
            }
            base => Ok(Self::new(base, b"")),
        }
    }

    /// The place for the service directory of this absolute path, with this `$SUPERVISEDIR`.
    #[must_use]
    pub fn new(base: Option<&[u8]>, service: &[u8]) -> Self {
        let Some(base) = base.filter(|base| !base.is_empty()) else { return Self::default() };
        let mut directory = base.to_vec();
        if base.starts_with(b"/") {
            directory.push(b'/');
            let path = service.strip_prefix(b"/").unwrap_or(service);
            directory.extend(path.iter().map(|byte| if *byte == b'/' { b':' } else { *byte }));
        }
        Self { directory }
    }

    /// The place that another program knows by its [`Self::directory`].
    #[must_use]
    pub fn at(directory: &[u8]) -> Self {
        Self { directory: directory.to_vec() }
    }

    /// The directory of the files: relative to the service directory, or absolute.
    #[must_use]
    pub fn directory(&self) -> CString {
        CString::new(&self.directory[..]).unwrap_or_default()
    }

    /// The path of a file: relative to the service directory, or absolute.
    #[must_use]
    pub fn path(&self, file: File) -> CString {
        let path = [&self.directory[..], b"/", file.name().as_bytes()].concat();
        CString::new(path).unwrap_or_default()
    }
}

impl Default for Place {
    fn default() -> Self {
        Self { directory: b"supervise".to_vec() }
    }
}

impl File {
    /// Its name in the directory.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Control => "control",
            Self::Ok => "ok",
            Self::Status => "status",
            Self::NewStatus => "status.new",
            Self::Detail => "detail",
            Self::Process => "process",
            Self::LogProcess => "process.log",
            Self::LogPipe => "logpipe",
            Self::Ready => "ready",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_places() {
        for (base, service, status) in [
            (None, &b"/service/web"[..], c"supervise/status"),
            (Some(&b""[..]), b"/service/web", c"supervise/status"),
            (Some(b"state"), b"/service/web", c"state/status"),
            (Some(b"/run/sv"), b"/service/web", c"/run/sv/service:web/status"),
            (Some(b"/run/sv"), b"/etc/sv/web/log", c"/run/sv/etc:sv:web:log/status"),
            (Some(b"/run/sv"), b"/", c"/run/sv//status"),
        ] {
            assert_eq!(Place::new(base, service).path(File::Status).as_c_str(), status);
        }
        assert_eq!(Place::default().directory().as_c_str(), c"supervise");
    }

    #[test]
    fn the_variable_decides_where_here_is() {
        let env = |text: &std::ffi::CStr| Env::new(vec![text.to_owned()]);
        let path = |env| Place::here(env).expect("getcwd").path(File::Ok);
        assert_eq!(path(env(c"PATH=/bin")).as_c_str(), c"supervise/ok");
        assert_eq!(path(env(c"SUPERVISEDIR=x")).as_c_str(), c"x/ok");
        let here = std::env::current_dir().expect("cwd").display().to_string();
        let expected = format!("/r/{}/ok", here[1..].replace('/', ":"));
        assert_eq!(path(env(c"SUPERVISEDIR=/r")).to_bytes(), expected.as_bytes());
    }
}
