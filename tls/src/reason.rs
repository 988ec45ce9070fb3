//! Why a handshake or a connection failed, in words for an administrator.

use super::opening::{Dialect, Opening};
use nix::errno::Errno;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use std::net::IpAddr;

/// The portable text for a system's error.
pub(super) fn system(error: Errno) -> &'static str {
    common::reason(sys::Errno::from_raw_os_error(error as i32))
}

/// Why TLS failed, given what the peer had said first.
pub(super) fn protocol(error: &Error, opening: &Opening) -> String {
    if let Error::InvalidMessage(_)
    | Error::InappropriateMessage { .. }
    | Error::InappropriateHandshakeMessage { .. } = error
        && let Some(reason) = foreign(opening.dialect())
    {
        return reason.into();
    }
    match error {
        Error::InvalidMessage(fault) => format!("peer sent a malformed message ({fault:?})"),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "peer sent a message out of turn".into()
        }
        Error::PeerIncompatible(what) => incompatible(what, opening),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::DecryptError => {
            "peer's message can't be decrypted (damaged, or tampered with)".into()
        }
        Error::PeerSentOversizedRecord => "peer sent a record that is too long".into(),
        Error::PeerMisbehaved(what) => format!("peer breaks the protocol ({what:?})"),
        Error::NoCertificatesPresented => "peer shows no certificate".into(),
        Error::InvalidCertificate(fault) => unverified(fault),
        Error::NoApplicationProtocol => "no application protocol in common (ALPN)".into(),
        Error::FailedToGetRandomBytes => "no random numbers".into(),
        // With TLS 1.2, rustls finds out late, when it is about to sign.
        Error::General(text) if text == "incompatible signing key" => SIGNATURE.into(),
        // For clients only, or for programs that use rustls wrongly; and what rustls may yet add.
        Error::InvalidEncryptedClientHello(_)
        | Error::UnsupportedNameType
        | Error::EncryptError
        | Error::InvalidCertRevocationList(_)
        | Error::General(_)
        | Error::FailedToGetCurrentTime
        | Error::HandshakeNotComplete
        | Error::BadMaxFragmentSize
        | Error::InconsistentKeys(_)
        | Error::Other(_)
        | _ => error.to_string(),
    }
}

/// What a peer speaks that doesn't speak TLS.
fn foreign(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Http => Some("peer speaks no TLS (plain HTTP request?)"),
        Dialect::Text => Some("peer speaks no TLS (plain text)"),
        Dialect::Ssl2 => Some("no protocol version in common (peer offers SSL 2.0)"),
        Dialect::Unknown => Some("peer speaks no TLS"),
        Dialect::Tls | Dialect::Silence => None,
    }
}

const VERSION: &str = "no protocol version in common (we offer TLS 1.2 and 1.3)";
const GROUP: &str = "no key exchange group in common";
const SIGNATURE: &str = "peer accepts no signature that our key can make";

fn incompatible(what: &PeerIncompatible, opening: &Opening) -> String {
    // Whatever rustls missed first: a client that is that old has no version in common with us.
    if let Some(version @ ("SSL 3.0" | "TLS 1.0" | "TLS 1.1")) = opening.version() {
        return format!("no protocol version in common (peer offers at most {version})");
    }
    let known = [
        (PeerIncompatible::Tls12NotOffered, VERSION),
        (PeerIncompatible::Tls12NotOfferedOrEnabled, VERSION),
        (PeerIncompatible::ServerDoesNotSupportTls12Or13, VERSION),
        (PeerIncompatible::SupportedVersionsExtensionRequired, VERSION),
        (PeerIncompatible::NoCipherSuitesInCommon, "no cipher suite in common"),
        (PeerIncompatible::NoKxGroupsInCommon, GROUP),
        (PeerIncompatible::NoEcPointFormatsInCommon, GROUP),
        (PeerIncompatible::NamedGroupsExtensionRequired, GROUP),
        (PeerIncompatible::EcPointsExtensionRequired, GROUP),
        (PeerIncompatible::NoSignatureSchemesInCommon, SIGNATURE),
        (PeerIncompatible::SignatureAlgorithmsExtensionRequired, SIGNATURE),
    ];
    match known.iter().find(|(kind, _)| kind == what) {
        Some((_, reason)) => (*reason).into(),
        None => format!("nothing in common with the peer ({what:?})"),
    }
}

/// Why the peer's certificate is not believed.
fn unverified(fault: &CertificateError) -> String {
    use CertificateError as Fault;
    let known = [
        (matches!(fault, Fault::Expired | Fault::ExpiredContext { .. }), "expired"),
        (matches!(fault, Fault::NotValidYet | Fault::NotValidYetContext { .. }), "not valid yet"),
        (matches!(fault, Fault::Revoked), "revoked"),
        (matches!(fault, Fault::UnknownIssuer), "unknown issuer"),
        (matches!(fault, Fault::UnknownRevocationStatus), "no revocation list of its issuer"),
        (matches!(fault, Fault::BadEncoding), "malformed"),
        (matches!(fault, Fault::BadSignature), "bad signature"),
        (
            matches!(fault, Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. }),
            "not for this purpose",
        ),
    ];
    let reason = known.iter().find(|(holds, _)| *holds).map(|(_, reason)| (*reason).to_owned());
    let reason = reason.unwrap_or_else(|| {
        if let Fault::NotValidForNameContext { expected, presented } = fault {
            return format!(
                "not valid for {} (it is for {})",
                expected.to_str(),
                listed(presented)
            );
        }
        // webpki's own words for what rustls has none for.
        let text = format!("{fault:?}");
        if text.contains("CaUsedAsEndEntity") {
            return "an authority's (CA:TRUE), no server's".into();
        }
        printable(&text)
    });
    format!("peer's certificate is not accepted: {reason}")
}

/// The names on a certificate, as webpki writes them: `DnsName("mail.example")`. Nobody has verified them.
fn listed(names: &[String]) -> String {
    const MOST: usize = 4;
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        let inner = inner.unwrap_or(name).trim_matches('"');
        // webpki writes ::1 as 0::1.
        inner.parse::<IpAddr>().map_or_else(|_| printable(inner), |address| address.to_string())
    };
    let mut text = names.iter().take(MOST).map(bare).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => text.push_str("no name"),
        count if count > MOST => text.push_str(&format!(" and {} more", count - MOST)),
        _ => {}
    }
    text
}

/// At most so much of what a stranger says fits into a line of a log, and nothing that would break it.
fn printable(text: &str) -> String {
    let sane = |letter: char| if matches!(letter, ' '..='~') { letter } else { '?' };
    let mut short: String = text.chars().take(100).map(sane).collect();
    if short.len() < text.chars().count() {
        short.push_str("...");
    }
    short
}

/// What alerts mean (RFC 8446, 6.2), as far as they tell of how the two ends are set up.
const ALERTS: [(AlertDescription, &str); 16] = [
    (AlertDescription::UnknownCA, "peer rejected our certificate: unknown CA (alert)"),
    (AlertDescription::BadCertificate, "peer rejected our certificate: bad certificate (alert)"),
    (
        AlertDescription::UnsupportedCertificate,
        "peer rejected our certificate: unsupported (alert)",
    ),
    (AlertDescription::CertificateRevoked, "peer rejected our certificate: revoked (alert)"),
    (AlertDescription::CertificateExpired, "peer rejected our certificate: expired (alert)"),
    (AlertDescription::CertificateUnknown, "peer rejected our certificate: unacceptable (alert)"),
    (
        AlertDescription::DecryptError,
        "peer can't verify our signature (alert; it may know another certificate of the same name)",
    ),
    (AlertDescription::UnrecognisedName, "peer rejected our host name (alert)"),
    (AlertDescription::AccessDenied, "peer denies access (alert)"),
    (AlertDescription::UserCanceled, "peer's user canceled (alert)"),
    (AlertDescription::HandshakeFailure, "peer found nothing in common with us (alert)"),
    (AlertDescription::ProtocolVersion, "no protocol version in common (alert)"),
    (AlertDescription::InsufficientSecurity, "peer finds our ciphers too weak (alert)"),
    (AlertDescription::NoApplicationProtocol, "no application protocol in common (alert)"),
    (AlertDescription::CertificateRequired, "peer wants a certificate of ours (alert)"),
    (AlertDescription::CloseNotify, "peer closed the connection"),
];

fn alerted(alert: AlertDescription) -> String {
    match ALERTS.iter().find(|(known, _)| *known == alert) {
        Some((_, reason)) => (*reason).into(),
        None => format!("peer refused to go on (alert {alert:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::InvalidMessage;

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
    fn a_signature_that_the_peer_does_not_take_is_called_so_in_both_versions() {
        let early = Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon);
        for error in [early, Error::General("incompatible signing key".into())] {
            assert_eq!(after(b"\x16\x03\x01", &error), SIGNATURE);
        }
    }

    #[test]
    fn names_on_a_certificate() {
        let error = |presented: &[&str]| {
            let presented = presented.iter().map(|name| (*name).to_owned()).collect();
            let expected = "mail.example".try_into().unwrap();
            let fault = CertificateError::NotValidForNameContext { expected, presented };
            after(b"\x16\x03\x03", &Error::InvalidCertificate(fault))
        };
        let start = "peer's certificate is not accepted: not valid for mail.example (it is for";
        for (presented, expected) in [
            (&[][..], "no name"),
            (&["DnsName(\"*.a.example\")", "IpAddress(0::1)"], "*.a.example, ::1"),
            (&["DnsName(\"a\nb\u{e4}\")"], "a?b?"),
            (&["Unsupported(0xa0)", "b", "c", "d", "e", "f"], "0xa0, b, c, d and 2 more"),
        ] {
            assert_eq!(error(presented), format!("{start} {expected})"));
        }
        assert_eq!(error(&[&"x".repeat(101)]), format!("{start} {}...)", "x".repeat(100)));
    }

    #[test]
    fn alerts_about_the_certificate() {
        assert_eq!(
            after(b"\x16\x03\x01", &Error::AlertReceived(AlertDescription::UnknownCA)),
            "peer rejected our certificate: unknown CA (alert)"
        );
    }
}
