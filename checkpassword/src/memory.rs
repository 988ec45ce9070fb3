//! Room for a hash in a process that `softlimit -m 5000000` has left with 5,000,000 bytes.
//!
//! yescrypt's default cost needs 16 MiB. softlimit lowers only soft limits, so they may be raised
//! to the hard ones for a while; the next program gets them back as they were.

use core::hint::black_box;
use sys::Errno;
use sys::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is needed beside a hash's own memory: its text, the allocator's bookkeeping. In bytes.
const MARGIN: usize = 256 << 10;

/// The limits that allocation meets, and what the kernel counts against each.
const LIMITS: [(Resource, &str); 2] = [(Resource::As, "address space"), (Resource::Data, "data")];

/// Raised soft limits.
pub struct Room {
    before: [Rlimit; LIMITS.len()],
}

impl Room {
    /// Raises the soft limits to the hard ones.
    ///
    /// # Errors
    /// What setrlimit(2) says.
    pub fn make() -> Result<Self, Errno> {
        let before = LIMITS.map(|(resource, _)| getrlimit(resource));
        for ((resource, _), limit) in LIMITS.iter().zip(&before) {
            let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
            setrlimit(*resource, raised)?;
        }
        Ok(Self { before })
    }

    /// Sees whether `bytes` can be allocated, before a library tries and aborts where they can't.
    ///
    /// # Errors
    /// Why not, for the log.
    pub fn try_out(&self, bytes: usize) -> Result<(), String> {
        let mut probe: Vec<u8> = Vec::new();
        let fits = probe.try_reserve_exact(bytes.saturating_add(MARGIN)).is_ok();
        // Nobody uses the memory, and an optimiser may find that it need not be asked for then.
        black_box(&mut probe);
        if fits {
            return Ok(());
        }
        let hard = LIMITS.iter().zip(&self.before);
        let lowest = hard
            .filter_map(|((_, what), limit)| limit.maximum.map(|maximum| (maximum, *what)))
            .min()
            .filter(|(maximum, _)| *maximum < bytes as u64 + (16 << 20));
        Err(match lowest {
            Some((maximum, what)) => {
                format!("hash needs {bytes} bytes, and the hard limit on {what} is {maximum}")
            }
            None => format!("hash needs {bytes} bytes: out of memory"),
        })
    }

    /// Puts the soft limits back exactly as they were.
    ///
    /// # Errors
    /// What setrlimit(2) says.
    pub fn give_back(self) -> Result<(), Errno> {
        for ((resource, _), limit) in LIMITS.iter().zip(self.before) {
            setrlimit(*resource, limit)?;
        }
        Ok(())
    }
}
