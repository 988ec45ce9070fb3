//! tcpserver: runs a program for each connection to a TCP port, in the clear or over TLS.
//!
//! What is pure and what acts are apart. Pure: [`options`], [`tls_options`], [`address`], [`services`], [`hosts`],
//! [`line`](mod@line) (the log's lines) and [`table`] (how many connections there are, and whether
//! another may be accepted). Acting: [`resolve`], [`socket`], [`privilege`], [`signals`],
//! [`launch`], [`encrypted`], [`log`], and [`server`], the loop that ties them together. A
//! connection's TLS is the crate `tls`; [`certificate`] is the other program, tcpserver-cert.

pub mod address;
pub mod certificate;
pub mod encrypted;
pub mod hosts;
pub mod launch;
pub mod line;
pub mod log;
pub mod options;
pub mod privilege;
pub mod resolve;
pub mod server;
pub mod services;
pub mod signals;
pub mod socket;
pub mod table;
pub mod tls_options;

pub use server::run;
