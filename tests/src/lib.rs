//! The harness of the end-to-end tests: scratch directories, the finished programs, runs with a deadline.
//!
//! ```text
//! let scratch = Scratch::new("svc");
//! let outcome = Run::new(program("svc")).args(["-u", "/nowhere"]).cwd(scratch.path()).output();
//! assert_eq!(outcome.code, 0);
//! ```
//!
//! Whatever a test starts is ended when the test ends, also when it fails: a [`Child`] by its pid, and what still lives in a
//! [`Scratch`] directory (a supervise, say) together with the directory.

mod alone;
mod child;
mod fresh_root;
mod mail_host;
mod normalise;
mod place;
mod pop3_chain;
mod pop3_client;
mod run;
mod scratch;
pub mod side_by_side;
mod skip;
pub mod storm;
mod syslog_socket;
pub mod tls;
mod wait;

pub use alone::{in_namespaces, namespaces_work};
pub use child::Child;
pub use fresh_root::fresh_root;
pub use mail_host::MailHost;
pub use nix::sys::signal::Signal;
pub use normalise::{number, pids, text};
pub use place::{both, command_dir, debian, path, program, workspace};
pub use pop3_chain::Pop3Chain;
pub use pop3_client::Pop3Client;
pub use run::{Outcome, Run};
pub use scratch::Scratch;
pub use skip::{is_root, record_skip};
pub use syslog_socket::SyslogSocket;
pub use wait::{free_port, happens_within, wait_for, wait_until, waits_for_input};
