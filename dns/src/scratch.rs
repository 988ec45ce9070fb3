//! For the tests: a file with a given content, gone with the value.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Scratch {
    path: CString,
}

impl Scratch {
    pub(crate) fn new(content: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dns-{}-{count}", std::process::id());
        let path: PathBuf = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a scratch file");
        Self { path: CString::new(path.as_os_str().as_bytes()).expect("no NUL") }
    }

    pub(crate) fn path(&self) -> &CStr {
        &self.path
    }

    pub(crate) fn write(&self, content: &[u8]) {
        std::fs::write(self.path.to_str().expect("UTF-8"), content).expect("a scratch file");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.path.to_str().expect("UTF-8"));
    }
}
