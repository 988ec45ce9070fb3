//! A root directory of the test's own: the host's as it is, on which nothing that the test writes stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot};

/// Turns the test's process to a copy of the host's root: overlays whose upper layers are in memory. /dev holds only the
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
    done("mount an overlay of /", overlay(Path::new("/"), &upper, &work, &root))?;
    for dir in [Path::new("/proc"), Path::new("/sys")] {
        done("bring /proc and /sys", bind(dir, &inside(&root, dir)))?;
    }
    devices(&root).map_err(|e| format!("unable to make /dev: {e}"))?;
    done("empty /run", mount_new("tmpfs", &root.join("run"), "mode=755"))?;
    for (number, dir) in other_mounts()?.into_iter().enumerate() {
        let upper = base.join(format!("upper.{number}"));
        let work = base.join(format!("work.{number}"));
        // A file system that can't lie under another stays away.
        let _ = fs::create_dir(&upper)
            .and_then(|()| fs::create_dir(&work))
            .and_then(|()| overlay(&dir, &upper, &work, &inside(&root, &dir)).map_err(Into::into));
    }
    done("enter the new root", chroot(&root).and_then(|()| chdir("/")))
}

/// Directories below / that are file systems of their own, which an overlay of / doesn't show: /home, perhaps.
fn other_mounts() -> Result<Vec<PathBuf>, String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|e| e.to_string())?;
    let ours = ["/proc", "/sys", "/dev", "/run", "/mnt"];
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    let other = |point: &&Path| {
        point.parent().is_some() && point.is_dir() && !ours.iter().any(|dir| point.starts_with(dir))
    };
    Ok(points.filter(other).map(Path::to_owned).collect())
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

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn mount_new(kind: &str, at: &Path, data: &str) -> nix::Result<()> {
    mount(Some(kind), at, Some(kind), MsFlags::empty(), Some(data))
}

fn overlay(lower: &Path, upper: &Path, work: &Path, at: &Path) -> nix::Result<()> {
    let [lower, upper, work] = [lower, upper, work].map(Path::display);
    mount_new("overlay", at, &format!("lowerdir={lower},upperdir={upper},workdir={work}"))
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
}
