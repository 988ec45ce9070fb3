//! Another host by TLS.
