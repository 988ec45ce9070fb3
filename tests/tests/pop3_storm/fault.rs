//! What befalls a session, and when.

use tests::storm::random::Random;

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) what: What,
    pub(crate) when: When,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// Nothing; one session more.
    Nothing,
    /// The client's host says goodbye, as when a program ends.
    ClientCloses,
    /// The client's host wants to hear no more.
    ClientResets,
    /// The client sends nothing more, and still takes all that comes.
    ClientStopsSending,
    /// One of the session's programs is killed.
    Kill(Role),
    /// The disk has no room left, until the round is over.
    DiskIsFull,
    /// The file system has no inode left, until the round is over.
    NoInodes,
}

/// The programs of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Popup,
    Checker,
    Pop3d,
    /// What encrypts; there is none in the clear.
    Relay,
    /// Any of those that are there.
    Any,
}

/// The moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// The client has been greeted.
    Greeted,
    /// The password is on its way.
    Password,
    /// So many thousandths of the replies have come.
    Replies(usize),
    /// QUIT was sent, and so much was done since.
    Quit(usize),
}

impl What {
    /// Whether a session may be cut by it.
    pub(crate) fn harms(self) -> bool {
        match self {
            What::Nothing | What::DiskIsFull | What::NoInodes => false,
            What::ClientCloses | What::ClientResets | What::ClientStopsSending | What::Kill(_) => {
                true
            }
        }
    }
}

impl Fault {
    /// Each kind has its turn, so that a short storm has them all.
    pub(crate) fn of_round(round: usize, random: &mut Random) -> Fault {
        let kinds = [
            What::Kill(Role::Pop3d),
            What::ClientCloses,
            What::Kill(Role::Relay),
            What::DiskIsFull,
            What::Kill(Role::Popup),
            What::ClientResets,
            What::Kill(Role::Checker),
            What::ClientStopsSending,
            What::Kill(Role::Any),
            What::NoInodes,
            What::Kill(Role::Pop3d),
            What::Nothing,
        ];
        let what = kinds[round % kinds.len()];
        let when = match random.below(10) {
            _ if what == What::Kill(Role::Checker) => When::Password,
            0 => When::Greeted,
            1 => When::Password,
            2..=5 => When::Replies(random.below(1000)),
            _ => When::Quit(random.below(600)),
        };
        Fault { what, when }
    }
}
