//! Signals by name.

use sys::signal::Signal;

/// The name of a signal, without `SIG`; `None` for real-time signals and numbers that are none.
pub(crate) fn signal_name(number: u8) -> Option<&'static str> {
    let number = i32::from(number);
    NAMES.iter().find_map(|(signal, name)| (signal.as_raw() == number).then_some(*name))
}

const NAMES: [(Signal, &str); 30] = [
    (Signal::HUP, "HUP"),
    (Signal::INT, "INT"),
    (Signal::QUIT, "QUIT"),
    (Signal::ILL, "ILL"),
    (Signal::TRAP, "TRAP"),
    (Signal::ABORT, "ABRT"),
    (Signal::BUS, "BUS"),
    (Signal::FPE, "FPE"),
    (Signal::KILL, "KILL"),
    (Signal::USR1, "USR1"),
    (Signal::SEGV, "SEGV"),
    (Signal::USR2, "USR2"),
    (Signal::PIPE, "PIPE"),
    (Signal::ALARM, "ALRM"),
    (Signal::TERM, "TERM"),
    (Signal::CHILD, "CHLD"),
    (Signal::CONT, "CONT"),
    (Signal::STOP, "STOP"),
    (Signal::TSTP, "TSTP"),
    (Signal::TTIN, "TTIN"),
    (Signal::TTOU, "TTOU"),
    (Signal::URG, "URG"),
    (Signal::XCPU, "XCPU"),
    (Signal::XFSZ, "XFSZ"),
    (Signal::VTALARM, "VTALRM"),
    (Signal::PROF, "PROF"),
    (Signal::WINCH, "WINCH"),
    (Signal::IO, "IO"),
    (Signal::POWER, "PWR"),
    (Signal::SYS, "SYS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_kill_lists_them() {
        for (number, name) in [(1, "HUP"), (9, "KILL"), (11, "SEGV"), (15, "TERM")] {
            assert_eq!(signal_name(number), Some(name));
        }
        assert_eq!(signal_name(0), None);
        assert_eq!(signal_name(64), None);
    }

    #[test]
    fn no_signal_and_no_name_stands_twice() {
        for (index, (signal, name)) in NAMES.iter().enumerate() {
            let (before, _) = NAMES.split_at(index);
            assert!(before.iter().all(|(s, n)| s != signal && n != name), "{name}");
        }
    }
}
