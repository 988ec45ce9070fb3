//! A root directory of the test's own: the host's as it is, on which nothing that the test writes stays.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot};

use crate::place::{command_dir, workspace};

/// Turns the test's process to a copy of the host's root: an overlay whose upper layer is in memory. /dev holds only the
/// simplest devices (and no /dev/log), /proc and /sys are the namespaces' own, /run is empty. For root, after [`crate::alone!`].
///
/// # Errors
/// With what could not be done. A kernel without overlayfs, mostly.
pub fn fresh_root() -> Result<(), String> {
    // Mounted over in these namespaces only.
    let base = Path::new("/mnt");
    let done =
        |what: &str, result: nix::Result<()>| result.map_err(|e| format!("unable to {what}: {e}"));
    done("mount memory", mount_new("tmpfs", base, "mode=755"))?;
    let [upper, work, root] = ["upper", "work", "root"].map(|name| base.join(name));
    for dir in [&upper, &work, &root] {
        fs::create_dir(dir).map_err(|e| format!("unable to make {}: {e}", dir.display()))?;
    }
    // What the upper layer's root says is what the new root has.
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
    let layers = format!("lowerdir=/,upperdir={},workdir={}", upper.display(), work.display());
    done("mount an overlay of /", mount_new("overlay", &root, &layers))?;
    for dir in [Path::new("/proc"), Path::new("/sys")] {
        done("bring /proc and /sys", bind(dir, &inside(&root, dir)))?;
    }
    devices(&root).map_err(|e| format!("unable to make /dev: {e}"))?;
    done("empty /run", mount_new("tmpfs", &root.join("run"), "mode=755"))?;
    // The checkout may lie on a file system of its own, which an overlay of / doesn't show.
    let overlaid = fs::metadata("/").map_err(|e| e.to_string())?.dev();
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    for dir in [workspace(), &command_dir(), exe.parent().unwrap_or(workspace())] {
        if fs::metadata(dir).is_ok_and(|there| there.dev() != overlaid) {
            fs::create_dir_all(inside(&root, dir)).map_err(|e| e.to_string())?;
            done("bring the checkout", bind(dir, &inside(&root, dir)))?;
        }
    }
    done("enter the new root", chroot(&root).and_then(|()| chdir("/")))
}

fn devices(root: &Path) -> std::io::Result<()> {
    let dev = root.join("dev");
    mount_new("tmpfs", &dev, "mode=755")?;
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        fs::write(dev.join(name), "")?;
        bind(&Path::new("/dev").join(name), &dev.join(name))?;
    }
    fs::create_dir(dev.join("pts"))?;
    mount_new("devpts", &dev.join("pts"), "newinstance,ptmxmode=0666,mode=620")?;
    symlink("pts/ptmx", dev.join("ptmx"))?;
    for (name, descriptor) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{descriptor}"), dev.join(name))?;
    }
    Ok(())
}

fn inside(root: &Path, path: &Path) -> std::path::PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn mount_new(kind: &str, at: &Path, data: &str) -> nix::Result<()> {
    mount(Some(kind), at, Some(kind), MsFlags::empty(), Some(data))
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
}
