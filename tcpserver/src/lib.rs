//! tcpserver: runs a program for each connection to a TCP port, in the clear or over TLS.
//!
//! What is pure and what acts are apart. Pure: [`options`], [`address`], [`hosts`],
//! [`network`], [`line`](mod@line) (the log's lines), [`table`] (how many connections there are, and
//! whether another may be accepted) and [`limits`] (how many one client may have). Acting:
//! [`resolve`], [`socket`], [`inherited`], [`privilege`], [`signals`], [`log`], and [`server`], the
//! loop that ties them together. What happens to a connection before its program starts: [`proxy`],
//! [`lookup`] finds out who is there, [`rules`] say whether it is let in, and [`load`] how busy the
//! host is; [`launch`] does it all and starts the program, and [`encrypted`] does with TLS, which is
//! the crate `tls`. [`certificate`] is the other program, tcpserver-cert.

pub mod address;
pub mod certificate;
pub mod encrypted;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod hosts;
pub mod inherited;
pub mod launch;
pub mod limits;
pub mod line;
pub mod load;
pub mod log;
pub mod lookup;
pub mod network;
pub mod options;
pub mod privilege;
pub mod proxy;
pub mod resolve;
pub mod rules;
pub mod server;
pub mod signals;
pub mod socket;
pub mod table;

pub use server::run;
