//! libpam behind a safe face, in a crate of its own: all programs share `sys`, and none but checkpassword-pam may be linked
//! with libpam. Of the crates that wrap it, those that are kept up either want libclang to build or don't know pam_setcred(3)
//! yet; what is needed are eight functions.

#[cfg(libpam)]
mod libpam;
#[cfg(not(libpam))]
#[path = "without.rs"]
mod libpam;

pub use libpam::Transaction;

/// A thing that PAM is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// pam_authenticate(3).
    Password,
    /// pam_acct_mgmt(3).
    Account,
    /// pam_setcred(3).
    Credentials,
}
