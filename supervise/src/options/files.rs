//! Which of the files that mean something there are.

use core::ffi::CStr;
use core::mem::MaybeUninit;
use sys::Errno;
use sys::fs::{self, FileType, Mode, OFlags, RawDir};

/// A file that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Start,
    Run,
    Finish,
    Stop,
    Notify,
    Log,
    NoSetsid,
    Encore,
    Setsid,
    NotificationFd,
    TimeoutKill,
    DownSignal,
    DownGroup,
    TimeoutFinish,
    BackOff,
    MaxRestarts,
    Down,
}

/// A set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Names(u32);

impl File {
    const ALL: [Self; 17] = [
        Self::Start,
        Self::Run,
        Self::Finish,
        Self::Stop,
        Self::Notify,
        Self::Log,
        Self::NoSetsid,
        Self::Encore,
        Self::Setsid,
        Self::NotificationFd,
        Self::TimeoutKill,
        Self::DownSignal,
        Self::DownGroup,
        Self::TimeoutFinish,
        Self::BackOff,
        Self::MaxRestarts,
        Self::Down,
    ];

    pub(super) fn name(self) -> &'static CStr {
        match self {
            Self::Start => c"start",
            Self::Run => c"run",
            Self::Finish => c"finish",
            Self::Stop => c"stop",
            Self::Notify => c"notify",
            Self::Log => c"log",
            Self::NoSetsid => c"no-setsid",
            Self::Encore => c"encore",
            Self::Setsid => c"setsid",
            Self::NotificationFd => c"notification-fd",
            Self::TimeoutKill => c"timeout-kill",
            Self::DownSignal => c"down-signal",
            Self::DownGroup => c"down-group",
            Self::TimeoutFinish => c"timeout-finish",
            Self::BackOff => c"back-off",
            Self::MaxRestarts => c"max-restarts",
            Self::Down => c"down",
        }
    }

    /// Whether it counts only as an executable file.
    fn is_script(self) -> bool {
        match self {
            Self::Start | Self::Finish | Self::Stop | Self::Notify | Self::Log => true,
            // A `run` that isn't executable is an error, not a service without one.
            Self::Run
            | Self::NoSetsid
            | Self::Encore
            | Self::Setsid
            | Self::NotificationFd
            | Self::TimeoutKill
            | Self::DownSignal
            | Self::DownGroup
            | Self::TimeoutFinish
            | Self::BackOff
            | Self::MaxRestarts
            | Self::Down => false,
        }
    }
}

impl Names {
    pub(super) fn has(self, file: File) -> bool {
        self.0 & 1 << file as u32 != 0
    }

    pub(super) fn with(self, file: File) -> Self {
        Self(self.0 | 1 << file as u32)
    }
}

/// Looks which of the files there are in the working directory.
pub(super) fn survey() -> Result<Names, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = fs::open(c".", flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(&directory, &mut buffer);
    let mut names = Names::default();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let found = File::ALL.into_iter().find(|file| file.name() == entry.file_name());
        if let Some(file) = found
            && (!file.is_script() || is_executable(file.name(), entry.file_type()))
        {
            names = names.with(file);
        }
    }
    Ok(names)
}

fn is_executable(name: &CStr, kind: FileType) -> bool {
    let any = Mode::XUSR | Mode::XGRP | Mode::XOTH;
    kind != FileType::Directory
        && fs::stat(name).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode).is_file()
                && Mode::from_raw_mode(stat.st_mode).intersects(any)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_bit_of_its_own() {
        for (bit, file) in File::ALL.into_iter().enumerate() {
            assert_eq!(Names::default().with(file), Names(1 << bit));
        }
    }
}
