//! What ps(1) and svstat(8) show of a multilog that pauses.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use sys::title::Placard;
use sys::{Args, Env};

/// What stands in place of our arguments while we pause: `multilog: pausing: `, and why. It takes no disk, no descriptor and
/// no right to write anywhere; everybody may read it in /proc; and our name (/proc/PID/comm) stays what scripts look for.
#[derive(Clone, Copy)]
pub(super) struct Notice(&'static RefCell<Placard>);

/// What svstat looks for.
const PAUSING: &[u8] = b"multilog: pausing: ";

/// In place of the beginning of what is too long.
const CUT: &[u8] = b"...";

impl Notice {
    /// For the very start: strings that were taken from `args` and `env` before must not be used any more.
    pub(super) fn new(args: Args, env: Env) -> Self {
        Self(Box::leak(Box::new(RefCell::new(Placard::over(args, env)))))
    }

    /// We pause, because of `what` with `object`, and perhaps for a reason.
    pub(super) fn put_up(self, what: &str, object: &[u8], reason: Option<&str>) {
        let mut placard = self.0.borrow_mut();
        let text = text(what, object, reason, placard.len());
        placard.show(&text);
    }

    /// We go on.
    pub(super) fn take_off(self) {
        self.0.borrow_mut().take_off();
    }
}

/// The text. If there isn't room enough, the object loses its beginning.
fn text(what: &str, object: &[u8], reason: Option<&str>, room: usize) -> Vec<u8> {
    let separator: &str = if reason.is_some() { ": " } else { "" };
    let reason = [separator, reason.unwrap_or_default()].concat();
    let over = (PAUSING.len() + what.len() + object.len() + reason.len()).saturating_sub(room);
    let rest = object.get(over + CUT.len()..).filter(|_| over > 0);
    let (cut, object) = rest.map_or((&b""[..], object), |rest| (CUT, rest));
    [PAUSING, what.as_bytes(), cut, object, reason.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_before_all_of_the_path() {
        let whole = "multilog: pausing: unable to write to /var/log/x/current: out of disk space";
        let text = |room| {
            let reason = Some("out of disk space");
            let text = text("unable to write to ", b"/var/log/x/current", reason, room);
            String::from_utf8(text).expect("ASCII")
        };
        assert_eq!(text(whole.len()), whole);
        let cut = "multilog: pausing: unable to write to .../log/x/current: out of disk space";
        assert_eq!(text(whole.len() - 1), cut);
        let most = "multilog: pausing: unable to write to ...: out of disk space";
        assert_eq!(text(most.len()), most);
        // Beyond that it is cut at its end.
        assert_eq!(text(most.len() - 1), whole);
    }

    #[test]
    fn there_may_be_no_reason() {
        let text = text("processor failed in ", b"./main", None, 100);
        assert_eq!(text, b"multilog: pausing: processor failed in ./main");
    }
}
