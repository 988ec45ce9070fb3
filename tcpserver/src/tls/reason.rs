//! Why a handshake or a connection failed, in words for an administrator.

use super::opening::{Dialect, Opening};
use nix::errno::Errno;
use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

/// The portable text for a system's error.
pub(super) fn system(error: Errno) -> &'static str {
    common::reason(sys::Errno::from_raw_os_error(error as i32))
}

/// Why TLS failed, given what the peer had said first.
pub(super) fn protocol(error: &Error, opening: &Opening) -> String {
    match error {
        Error::InvalidMessage(fault) => match opening.dialect() {
            Dialect::Http => "peer speaks no TLS (plain HTTP request?)".into(),
            Dialect::Text => "peer speaks no TLS (plain text)".into(),
            Dialect::Ssl2 => "no protocol version in common (peer offers SSL 2.0)".into(),
            Dialect::Unknown => "peer speaks no TLS".into(),
            Dialect::Tls | Dialect::Silence => malformed(*fault),
        },
        Error::PeerIncompatible(what) => incompatible(what, opening),
        Error::AlertReceived(alert) => rejected(*alert),
        Error::DecryptError => {
            "peer's message can't be decrypted (damaged, or tampered with)".into()
        }
        Error::PeerSentOversizedRecord => "peer sent a record that is too long".into(),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            match opening.dialect() {
                Dialect::Tls => "peer sent a message out of turn".into(),
                Dialect::Silence | Dialect::Unknown => "peer speaks no TLS".into(),
                Dialect::Http => "peer speaks no TLS (plain HTTP request?)".into(),
                Dialect::Text => "peer speaks no TLS (plain text)".into(),
                Dialect::Ssl2 => "no protocol version in common (peer offers SSL 2.0)".into(),
            }
        }
        Error::PeerMisbehaved(what) => format!("peer breaks the protocol ({what:?})"),
        Error::FailedToGetRandomBytes => "no random numbers".into(),
        // rustls may add to its errors, and a few are for clients only.
        other => other.to_string(),
    }
}

fn malformed(fault: InvalidMessage) -> String {
    format!("peer sent a malformed message ({fault:?})")
}

fn incompatible(what: &PeerIncompatible, opening: &Opening) -> String {
    // Whatever rustls missed first: a client that is that old has no version in common with us.
    if let Some(version @ ("SSL 3.0" | "TLS 1.0" | "TLS 1.1")) = opening.version() {
        return format!("no protocol version in common (peer offers at most {version})");
    }
    match what {
        PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired => {
            "no protocol version in common (we offer TLS 1.2 and 1.3)".into()
        }
        PeerIncompatible::NoCipherSuitesInCommon => "no cipher suite in common".into(),
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::EcPointsExtensionRequired => "no key exchange group in common".into(),
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "peer accepts no signature that our key can make".into()
        }
        other => format!("nothing in common with the peer ({other:?})"),
    }
}

fn rejected(alert: AlertDescription) -> String {
    let reason = match alert {
        AlertDescription::UnknownCA => "unknown CA",
        AlertDescription::BadCertificate => "bad certificate",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateRevoked => "revoked",
        AlertDescription::CertificateExpired => "expired",
        AlertDescription::CertificateUnknown => "certificate unknown",
        AlertDescription::DecryptError => {
            return "peer can't verify our signature (alert; it may know another certificate of the \
                    same name)"
                .into();
        }
        AlertDescription::UnrecognisedName => return "peer rejected our host name (alert)".into(),
        AlertDescription::AccessDenied => return "peer denies access (alert)".into(),
        AlertDescription::UserCanceled => return "peer's user canceled (alert)".into(),
        AlertDescription::HandshakeFailure => {
            return "peer found nothing in common with us (alert handshake failure)".into();
        }
        AlertDescription::ProtocolVersion => {
            return "no protocol version in common (alert from peer)".into();
        }
        AlertDescription::InsufficientSecurity => {
            return "peer finds our ciphers too weak (alert)".into();
        }
        AlertDescription::InternalError => return "peer has an internal error (alert)".into(),
        AlertDescription::CloseNotify => return "peer closed the connection".into(),
        // The rest tell of faults in one of the two programs, not in how they are set up.
        other => return format!("peer refused to go on (alert {other:?})"),
    };
    format!("peer rejected our certificate: {reason} (alert)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(first: &[u8], error: &Error) -> String {
        let mut opening = Opening::default();
        opening.note(first);
        protocol(error, &opening)
    }

    #[test]
    fn what_is_no_tls_is_called_so() {
        let error = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(after(b"GET / HTTP", &error), "peer speaks no TLS (plain HTTP request?)");
        assert_eq!(after(b"USER fred\r\n", &error), "peer speaks no TLS (plain text)");
        assert_eq!(after(b"\0\0\0", &error), "peer speaks no TLS");
    }

    #[test]
    fn old_versions_are_named() {
        let hello = [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 1, 7];
        assert_eq!(
            after(&hello, &Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled)),
            "no protocol version in common (peer offers at most TLS 1.0)"
        );
    }

    #[test]
    fn alerts_about_the_certificate() {
        assert_eq!(
            after(b"\x16\x03\x01", &Error::AlertReceived(AlertDescription::UnknownCA)),
            "peer rejected our certificate: unknown CA (alert)"
        );
    }
}
