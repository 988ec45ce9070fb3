//! Where the programs are: ours in `command/`, Debian's in `/usr/bin`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::skip::record_skip;

/// The checkout.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

/// Where our finished programs are: `$COMMAND_DIR`, or `command/` in the checkout.
pub fn command_dir() -> PathBuf {
    std::env::var_os("COMMAND_DIR").map_or_else(|| workspace().join("command"), PathBuf::from)
}

/// Our program `name`, finished. If `command/` has not got it, `make` is run, once.
///
/// # Panics
/// If it isn't there even so.
pub fn program(name: &str) -> PathBuf {
    let path = command_dir().join(name);
    // Cargo knows who@ and its like by another name than `make`.
    if let Some(name) = name.strip_suffix('@').filter(|_| !path.exists()) {
        let built = command_dir().join(format!("{name}-at"));
        if built.exists() {
            return built;
        }
    }
    if !path.exists() && std::env::var_os("COMMAND_DIR").is_none() {
        make();
    }
    assert!(path.exists(), "there is no {}: run make", path.display());
    path
}

/// Debian's program `name` (packages daemontools and ucspi-tcp), to compare with. Its absence is recorded as a skip.
pub fn debian(name: &str) -> Option<PathBuf> {
    let path = Path::new("/usr/bin").join(name);
    if path.exists() {
        return Some(path);
    }
    record_skip(&format!(
        "no Debian {name} to compare with: apt-get install daemontools ucspi-tcp"
    ));
    None
}

/// For one test body against both: `("ours", path)` and, where it is installed, `("debian", path)`.
pub fn both(name: &str) -> Vec<(&'static str, PathBuf)> {
    let mut programs = vec![("ours", program(name))];
    programs.extend(debian(name).map(|path| ("debian", path)));
    programs
}

/// A PATH that finds our programs first, then the system's.
pub fn path() -> OsString {
    let mut path = command_dir().into_os_string();
    path.push(":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    path
}

fn make() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let target = workspace().join("target");
        fs::create_dir_all(&target).expect("make target/");
        // Test programs run side by side, and two makes would build twice.
        let lock = File::create(target.join("make.lock")).expect("create target/make.lock");
        lock.lock().expect("lock target/make.lock");
        let status = Command::new("make").args(["-s", "-C"]).arg(workspace()).status();
        assert!(status.is_ok_and(|s| s.success()), "make failed");
    });
}
