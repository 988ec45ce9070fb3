//! What svscan does for supervises that are there already.

use super::*;

#[test]
fn fifos_that_were_removed_come_back() {
    let scratch = Scratch::new("mended");
    let directory = scratch.dir("service");
    let there = service(&scratch, "a", "exec sleep 1000\n");
    scratch.file("all/a/down", "");
    link(&scratch, "a");
    let path = path().into_string().expect("a PATH in UTF-8");
    let running = svscan(&directory, &path);
    wait_until("supervise", SECONDS(10), || is_supervised(&there));
    for gone in ["control", "ok"] {
        let fifo = there.join("supervise").join(gone);
        fs::remove_file(&fifo).expect("remove a FIFO");
        // As the scan that comes anyway once a minute.
        running.signal(Signal::SIGHUP);
        wait_until(gone, SECONDS(10), || fifo.exists());
    }
    svc("-u", &[&there]);
    wait_until("the service", SECONDS(10), || {
        scratch.inhabitants().iter().any(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
        })
    });
}

/// It isn't lost: the supervises of an svscan that was killed still have it.
#[test]
fn what_an_earlier_svscans_logger_has_to_read_is_no_loss() {
    let scratch = Scratch::new("no-loss");
    let directory = scratch.dir("service");
    for name in ["a", "b"] {
        service(&scratch, name, "echo a line; exec sleep 1000\n");
    }
    scratch.script("all/a/log/run", "#!/bin/sh\nexec sleep 1000\n");
    link(&scratch, "a");
    let path = path().into_string().expect("a PATH in UTF-8");
    let first = svscan(&directory, &path);
    let [there, log] = ["all/a", "all/a/log"].map(|name| scratch.join(name));
    wait_until("both", SECONDS(10), || is_supervised(&there) && is_supervised(&log));
    first.signal(Signal::SIGKILL);
    first.wait(SECONDS(10));
    let second = svscan(&directory, &path);
    let pipe = there.join("supervise/logpipe");
    wait_until("svscan to have the pipe", SECONDS(10), || {
        fs::read_dir(format!("/proc/{}/fd", second.pid())).is_ok_and(|mut descriptors| {
            descriptors
                .any(|fd| fs::read_link(fd.expect("an fd").path()).is_ok_and(|to| to == pipe))
        })
    });
    fs::remove_file(directory.join("a")).expect("remove the link");
    wait_until("svscan to let go of it", SECONDS(20), || {
        fs::read_dir(format!("/proc/{}/fd", second.pid())).is_ok_and(|mut descriptors| {
            descriptors.all(|fd| {
                fd.is_ok_and(|fd| !fs::read_link(fd.path()).is_ok_and(|target| target == pipe))
            })
        })
    });
    link(&scratch, "b");
    wait_until("the next service", SECONDS(10), || is_supervised(&scratch.join("all/b")));
    let said = String::from_utf8_lossy(&second.stderr()).into_owned();
    assert!(!said.contains("that nobody read"), "{said}");
}
