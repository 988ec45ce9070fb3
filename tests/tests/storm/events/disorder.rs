//! What a storm puts out of order around services: their scripts, links and files, the disk, and what the clock has left.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::wait_for;

use super::{Script, Storm};
use crate::SOON;
use crate::host::Target;

impl Storm {
    pub(super) fn spoil_run(&mut self, target: &Target) {
        let how = *self.random.of(&[Script::Away, Script::NotExecutable, Script::NoProgram]);
        let known = self.known.get_mut(target).expect("a known target");
        if known.run != Script::Fine || self.disk_is_full {
            return;
        }
        known.run = how;
        let run = target.directory.join("run");
        fs::rename(&run, target.directory.join("run.away")).expect("rename run");
        if how != Script::Away {
            fs::write(&run, "nothing that runs\n").expect("write run");
            let mode = if how == Script::NoProgram { 0o755 } else { 0o644 };
            fs::set_permissions(&run, fs::Permissions::from_mode(mode)).expect("chmod run");
        }
        self.note(format!("run of {}: {how:?}", target.name()));
    }

    pub(crate) fn mend_run(&mut self, target: &Target) {
        let known = self.known.get_mut(target).expect("a known target");
        if known.run == Script::Fine {
            return;
        }
        known.run = Script::Fine;
        fs::rename(target.directory.join("run.away"), target.directory.join("run"))
            .expect("rename run");
        self.note(format!("run of {} is back", target.name()));
    }

    pub(super) fn unlink(&mut self, name: &str) {
        let safe = match self.host.logger(name) {
            Some(logger) => self.is_held(&logger, &[], false),
            None => true,
        };
        let leaves = |target: &Target| self.known[target].wanted.is_leaving();
        let leaving =
            [Some(self.host.service(name)), self.host.logger(name)].iter().flatten().any(leaves);
        if !safe || leaving || self.unlinked.iter().any(|other| other == name) {
            return;
        }
        fs::remove_file(self.host.entry(name)).expect("remove a link");
        self.unlinked.push(name.to_owned());
        self.note(format!("the link of {name} goes"));
    }

    pub(super) fn link_one(&mut self) {
        if self.unlinked.is_empty() || self.disk_is_full {
            return;
        }
        let at = self.random.below(self.unlinked.len());
        let name = self.unlinked.swap_remove(at);
        self.host.link(&name);
        self.note(format!("the link of {name} is back"));
    }

    /// Leaves in a status what a jump of the clock would have left. supervise stands still meanwhile, so that it doesn't write
    /// another one in that moment.
    pub(super) fn shift_clock(&mut self, target: &Target) {
        let label: [u8; 12] = *self.random.of(&[
            [0x40, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0],
            [0x40, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0],
            [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0; 12],
        ]);
        let now = self.refresh(target);
        let [supervise] = now[..] else { return };
        let _ = kill(Pid::from_raw(supervise), Signal::SIGSTOP);
        wait_for(SOON, || {
            processes::find(supervise).is_none_or(|process| process.state == 'T').then_some(())
        });
        let (new, path) = (target.file("status.storm"), target.file("status"));
        if let Ok(mut bytes) = fs::read(&path)
            && bytes.len() >= 18
        {
            bytes[..12].copy_from_slice(&label);
            match fs::write(&new, &bytes) {
                Ok(()) => fs::rename(&new, &path).expect("replace the status"),
                Err(_) => _ = fs::remove_file(&new),
            }
        }
        let _ = kill(Pid::from_raw(supervise), Signal::SIGCONT);
        self.note(format!("clock of {}: {:02x?}", target.name(), &label[..8]));
    }

    pub(super) fn fill_disk(&mut self) {
        if self.disk_is_full {
            return;
        }
        let mut file = fs::File::create(self.host.tree().join("fill")).expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![0; size];
            while file.write_all(&block).is_ok() {}
        }
        self.disk_is_full = true;
        self.note("the disk is full".to_owned());
    }

    pub(crate) fn free_disk(&mut self) {
        if std::mem::take(&mut self.disk_is_full) {
            fs::remove_file(self.host.tree().join("fill")).expect("remove a file");
            self.note("the disk has room".to_owned());
        }
    }

    /// Removes a file of supervise's. It learns of that with its next status, which half of the time comes at once.
    pub(super) fn remove(&mut self, target: &Target) {
        let file = *self.random.of(&["control", "ok", "status", "lock"]);
        let now = self.refresh(target);
        let Some(mut control) = target.control() else { return };
        let parent =
            now.first().and_then(|pid| processes::find(*pid)).map(|process| process.parent);
        if file == "lock" && (parent.is_none() || parent != self.host.svscan()) {
            return;
        }
        if now.len() != 1 || self.disk_is_full || fs::remove_file(target.file(file)).is_err() {
            return;
        }
        self.note(format!("{file} of {} is removed", target.name()));
        if file != "lock" && self.random.once_in(2) {
            return;
        }
        // Through the FIFO that supervise has open, wherever its name is: one of the letters that always make a new status.
        let letter = *self.random.of(b"udo");
        if control.write_all(&[letter]).is_err() {
            return;
        }
        self.note(format!("{} to {}, for its {file}", char::from(letter), target.name()));
        self.wanted_of(target).sent(&[letter]);
        if self.wanted_of(target).is_leaving() {
            return;
        }
        let back = || target.file(file).exists().then_some(());
        assert!(wait_for(SOON, back).is_some(), "{file} of {} is not put back", target.name());
    }
}
