//! What is signed: a certificate or a request.

use super::NAME;
use super::key::Key;
use super::subject::{Host, Subject};
use common::{Exit, Failure};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use std::time::Duration;

/// PKCS#9 (RFC 2985, 5.2.1): emailAddress.
const EMAIL: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];

/// A certificate that is good from now on for so many days, as PEM.
pub(super) fn self_signed(key: &Key, subject: &Subject, days: u32) -> Result<String, Failure> {
    let mut params = params(key, subject)?;
    let now = Duration::from_secs(sys::clock::realtime().as_secs());
    let begin = date_time_ymd(1970, 1, 1) + now;
    params.not_before = begin;
    params.not_after = begin + Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    // At random, not derived from the key: a second certificate for the same key is another one.
    params.serial_number = Some(serial_number()?);
    // Explicitly nobody's authority, though it signs itself.
    params.is_ca = IsCa::ExplicitNoCa;
    params.self_signed(key).map(|certificate| certificate.pem()).map_err(|error| failed(&error))
}

/// A request for a certificate, as PEM.
pub(super) fn request(key: &Key, subject: &Subject) -> Result<String, Failure> {
    params(key, subject)?
        .serialize_request(key)
        .and_then(|request| request.pem())
        .map_err(|error| failed(&error))
}

fn params(key: &Key, subject: &Subject) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(subject)?;
    for host in &subject.hosts {
        params.subject_alt_names.push(match host {
            Host::Name(name) => {
                SanType::DnsName(name.as_str().try_into().map_err(|error| failed(&error))?)
            }
            Host::Address(address) => SanType::IpAddress(*address),
        });
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if key.is_rsa() {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn name(subject: &Subject) -> Result<DistinguishedName, Failure> {
    let mut name = DistinguishedName::new();
    let parts = [
        (DnType::StateOrProvinceName, &subject.state),
        (DnType::LocalityName, &subject.locality),
        (DnType::OrganizationName, &subject.organization),
        (DnType::OrganizationalUnitName, &subject.unit),
    ];
    if !subject.country.is_empty() {
        let country = subject.country.as_str().try_into().map_err(|error| failed(&error))?;
        name.push(DnType::CountryName, DnValue::PrintableString(country));
    }
    for (part, value) in parts {
        if !value.is_empty() {
            name.push(part, value.as_str());
        }
    }
    if let Some(common_name) = subject.common_name() {
        name.push(DnType::CommonName, common_name);
    }
    if !subject.email.is_empty() {
        let email = subject.email.as_str().try_into().map_err(|error| failed(&error))?;
        name.push(DnType::CustomDnType(EMAIL.to_vec()), DnValue::Ia5String(email));
    }
    Ok(name)
}

/// 16 random bytes; RFC 5280, 4.1.2.2 wants a positive number.
fn serial_number() -> Result<SerialNumber, Failure> {
    let mut bytes = [0; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += sys::rand::getrandom(&mut bytes[filled..], sys::rand::GetRandomFlags::empty())
            .map_err(|errno| {
                let parts: [&[u8]; 1] = [b"unable to get random numbers"];
                NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
            })?;
    }
    bytes[0] = bytes[0] & 0x7F | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn failed(error: &rcgen::Error) -> Failure {
    let reason = error.to_string();
    NAME.fatal(Exit::TEMPORARY.0, &[b"unable to make certificate: ", reason.as_bytes()])
}
