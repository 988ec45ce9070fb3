//! The spool: full, killed, damaged, on a full disk.
