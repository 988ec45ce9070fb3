//! Starting one program again and again without waiting for its exec: each child has a stack of its own
//! and a copy of what it needs, and this process goes on meanwhile, on another processor if there is one.

use super::{Spawn, SpawnError};
use crate::args::Vector;
use crate::exec::Program;
use crate::signal::SignalSet;
use core::ffi::CStr;
use rustix::fd::BorrowedFd;
use rustix::process::Pid;

/// What all starts have in common. Never freed, as a child may still be looking at it.
#[derive(Clone, Copy)]
pub struct Starting {
    /// The program.
    pub program: &'static Program,
    /// Its arguments, the name first.
    pub args: &'static Vector<'static>,
    /// Numbers to close in the child.
    pub close: &'static [i32],
    /// The mask of blocked signals that it starts with.
    pub mask: SignalSet,
    /// Signals that do what they do by default, though we ignore them.
    pub defaults: SignalSet,
}

impl Starting {
    fn spawn<'a>(
        &self,
        descriptors: &'a [(BorrowedFd<'a>, i32)],
        env: &'a Vector<'a>,
    ) -> Spawn<'a> {
        Spawn {
            descriptors,
            close: self.close,
            mask: self.mask,
            defaults: self.defaults,
            ..Spawn::new(self.program, self.args, env)
        }
    }
}

/// Starts children. Those that there is no room for, and with the C library's calls all of them (whose
/// `errno` a child would share), are waited for, as [`Spawn::start`] does.
#[derive(Default)]
pub struct Starter {
    #[cfg(freestanding)]
    births: beside::Births,
}

impl Starter {
    /// Starts the program with `stream` as its standard input and output. What goes wrong in a child
    /// that isn't waited for, [`Starter::failure`] tells later.
    ///
    /// # Errors
    /// What went wrong before this returned.
    pub fn start<'a>(
        &mut self,
        starting: &Starting,
        stream: BorrowedFd<'_>,
        env: impl Iterator<Item = &'a CStr> + Clone,
    ) -> Result<Pid, SpawnError> {
        #[cfg(freestanding)]
        if let Some(result) = self.births.start(starting, stream, env.clone()) {
            return result;
        }
        starting.spawn(&[(stream, 0), (stream, 1)], &env.collect()).start()
    }

    /// Why this child, which has ended, had never run its program. Told once.
    pub fn failure(&mut self, pid: Pid) -> Option<SpawnError> {
        #[cfg(freestanding)]
        return self.births.failure(pid);
        #[cfg(not(freestanding))]
        {
            let _ = pid;
            None
        }
    }
}

#[cfg(freestanding)]
mod beside {
    use super::{SpawnError, Starting};
    use crate::args::Vector;
    use crate::raw;
    use crate::signal::{self, SignalSet};
    use crate::spawn::failure;
    use alloc_crate::{boxed::Box, vec::Vec};
    use core::ffi::{CStr, c_char};
    use core::mem::MaybeUninit;
    use core::ptr;
    use core::sync::atomic::{AtomicI32, AtomicU8, Ordering};
    use rustix::fd::{AsRawFd, BorrowedFd};
    use rustix::process::Pid;

    /// So many may be on their way to their exec.
    const AT_ONCE: usize = 4;

    /// Enough for what a child does before its exec, also in a debug build.
    const STACK: usize = 32 * 1024;

    /// The places where children are between clone and exec, each with the last child that was there
    /// and hasn't been asked about. They are never freed: the kernel writes to them, too.
    #[derive(Default)]
    pub(super) struct Births(Vec<(Option<Pid>, *mut Birth)>);

    /// What a child has, which is written to only while there is none.
    struct Birth {
        stack: MaybeUninit<[u8; STACK]>,
        starting: Option<Starting>,
        stream: i32,
        /// The environment's strings, and where they begin.
        text: Vec<u8>,
        env: Vec<*const c_char>,
        /// Set to 0 by the kernel when the child has left.
        busy: AtomicI32,
        step: AtomicU8,
        error: AtomicI32,
    }

    impl Births {
        /// `None`: there is no room.
        pub(super) fn start<'a>(
            &mut self,
            starting: &Starting,
            stream: BorrowedFd<'_>,
            env: impl Iterator<Item = &'a CStr>,
        ) -> Option<Result<Pid, SpawnError>> {
            let index = self.room()?;
            let (pid, place) = self.0.get_mut(index)?;
            // SAFETY: there is no child here, as `room` has seen, so it is all ours.
            let birth = unsafe { &mut **place };
            birth.fill(starting, stream.as_raw_fd(), env);
            // SAFETY: the stack is within the place, and ends there.
            let top = unsafe { (&raw mut birth.stack).cast::<u8>().add(STACK) };
            let busy = birth.busy.as_ptr();
            // Until its mask is set, no handler of ours may run in a child that shares our memory.
            let mask = signal::set_mask(SignalSet::ALL);
            // SAFETY: the place stays where it is, and while `busy` isn't 0 nobody but the child looks
            // at more of it than the three atomics.
            let result = unsafe { raw::clone_beside(child, place.cast(), top, busy) };
            signal::set_mask(mask);
            *pid = result.ok();
            if result.is_err() {
                // SAFETY: no child was made; `busy` is an atomic anyway.
                unsafe { &(**place).busy }.store(0, Ordering::Relaxed);
            }
            Some(result.map_err(SpawnError::Clone))
        }

        /// A place without a child, whose failure is known if it had one.
        fn room(&mut self) -> Option<usize> {
            let is_free = |(pid, place): &(Option<Pid>, *mut Birth)| {
                // SAFETY: places are never freed, and these are atomics.
                let (busy, error) = unsafe { (&(**place).busy, &(**place).error) };
                // What the child has done is seen by whoever sees that it has left.
                busy.load(Ordering::Acquire) == 0
                    && (pid.is_none() || error.load(Ordering::Relaxed) == 0)
            };
            let found = self.0.iter().position(is_free);
            if found.is_none() && self.0.len() < AT_ONCE {
                self.0.push((None, Box::into_raw(Box::new(Birth::new()))));
                return Some(self.0.len() - 1);
            }
            found
        }

        pub(super) fn failure(&mut self, pid: Pid) -> Option<SpawnError> {
            let (last, place) = self.0.iter_mut().find(|(last, _)| *last == Some(pid))?;
            *last = None;
            // SAFETY: places are never freed, and these are atomics.
            let (step, error) = unsafe { (&(**place).step, &(**place).error) };
            failure(step, error)
        }
    }

    impl Birth {
        fn new() -> Self {
            Self {
                stack: MaybeUninit::uninit(),
                starting: None,
                stream: -1,
                text: Vec::new(),
                env: Vec::new(),
                busy: AtomicI32::new(0),
                step: AtomicU8::new(0),
                error: AtomicI32::new(0),
            }
        }

        fn fill<'a>(
            &mut self,
            starting: &Starting,
            stream: i32,
            env: impl Iterator<Item = &'a CStr>,
        ) {
            self.starting = Some(*starting);
            self.stream = stream;
            self.text.clear();
            self.env.clear();
            for string in env {
                // The length, until all strings are where they stay.
                self.env.push(ptr::without_provenance(self.text.len()));
                self.text.extend_from_slice(string.to_bytes_with_nul());
            }
            for pointer in &mut self.env {
                *pointer = self.text.as_ptr().cast::<c_char>().wrapping_add(pointer.addr());
            }
            self.env.push(ptr::null());
            self.busy = AtomicI32::new(1);
            self.step = AtomicU8::new(0);
            self.error = AtomicI32::new(0);
        }
    }

    extern "C" fn child(place: *const u8) -> ! {
        // SAFETY: `start` passes its own place, which nobody writes to until we have left, but for
        // atomics.
        let birth = unsafe { &*place.cast::<Birth>() };
        if let Some(starting) = &birth.starting {
            // SAFETY: the parent had it open, and this process has a copy of its table.
            let stream = unsafe { BorrowedFd::borrow_raw(birth.stream) };
            let descriptors = [(stream, 0), (stream, 1)];
            let env = Vector::of(birth.env.as_ptr());
            let spawn = starting.spawn(&descriptors, &env);
            let errno = spawn.prepare_and_exec(&birth.step);
            birth.error.store(errno.raw_os_error(), Ordering::Relaxed);
        }
        raw::exit(111)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spawn::reap;
    use alloc_crate::{boxed::Box, vec::Vec};
    use rustix::fd::{AsFd, OwnedFd};
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        let flags = SocketFlags::CLOEXEC;
        socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a pair")
    }

    fn starting(words: &'static [&'static CStr]) -> Starting {
        let args: Vector<'static> = words.iter().copied().collect();
        Starting {
            program: Box::leak(Box::new(Program::find(words[0], None))),
            args: Box::leak(Box::new(args)),
            close: &[],
            mask: SignalSet::EMPTY,
            defaults: SignalSet::EMPTY,
        }
    }

    /// Many at once, more than there is room for: each has its own stream and environment.
    #[test]
    fn each_child_has_what_was_meant_for_it() {
        let starting = starting(&[c"sh", c"-c", c"read word; echo \"$word $NUMBER\""]);
        let mut starter = Starter::default();
        let mut started = Vec::new();
        for number in 0..40 {
            let (ours, theirs) = pair();
            let variable = std::ffi::CString::new(format!("NUMBER={number}")).expect("no NUL");
            let env = [c"PATH=/bin:/usr/bin", &*variable];
            let pid = starter.start(&starting, theirs.as_fd(), env.into_iter()).expect("a child");
            rustix::io::write(&ours, format!("word{number}\n").as_bytes()).expect("written");
            started.push((pid, number, ours));
        }
        for (pid, number, stream) in started {
            let (mut said, mut buffer) = (Vec::new(), [0; 64]);
            while let Ok(count @ 1..) = rustix::io::read(&stream, &mut buffer) {
                said.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(said, format!("word{number} {number}\n").as_bytes());
            reap(pid);
            assert_eq!(starter.failure(pid), None);
        }
    }

    /// A failure is told once, at once or later, and keeps its place until then.
    #[test]
    fn a_program_that_is_not_there() {
        let starting = starting(&[c"/nonexistent/program"]);
        let mut starter = Starter::default();
        let error = Some(SpawnError::Exec(Errno::NOENT));
        for _ in 0..10 {
            let stream = pair().0;
            match starter.start(&starting, stream.as_fd(), core::iter::empty()) {
                Err(told) => assert_eq!(Some(told), error),
                Ok(pid) => {
                    reap(pid);
                    assert_eq!((starter.failure(pid), starter.failure(pid)), (error, None));
                }
            }
        }
    }
}
