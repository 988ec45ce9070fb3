//! What CAPA says (RFC 2449), in each state, true on the day of the commit.
//!
//! Not there yet, as they aren't on offer yet: SASL, STLS and UTF8; nor AUTH-RESP-CODE, which would
//! have a refused login read `-ERR [AUTH] ...` (RFC 3206) where users and scripts know the original's
//! `-ERR authorization failed`. What is IMPLEMENTATION, RFC 2449 lets a server keep from those who
//! haven't logged in.

/// Before login. TOP and UIDL are named here too: RFC 2449 has a client look for them before it
/// logs in, though only the program after the checker answers them.
pub const BEFORE_LOGIN: &[u8] = b"+OK these are on offer\r\n\
    TOP\r\nUSER\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nEXPIRE NEVER\r\n\
    .\r\n";

/// After login.
pub const AFTER_LOGIN: &[u8] = b"+OK these are on offer\r\n\
    TOP\r\nUSER\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nEXPIRE NEVER\r\n\
    IMPLEMENTATION daemontools-rs\r\n\
    .\r\n";
