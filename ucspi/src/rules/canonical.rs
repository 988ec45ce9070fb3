//! Addresses as text, without `core::fmt` and its weight.

use alloc::vec::Vec;
use common::decimal;
use core::net::{Ipv4Addr, Ipv6Addr};

/// `192.0.2.1`.
pub(super) fn ipv4(address: Ipv4Addr) -> Vec<u8> {
    let mut text = Vec::with_capacity(15);
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            text.push(b'.');
        }
        text.extend_from_slice(decimal(octet.into()).as_bytes());
    }
    text
}

/// As RFC 5952 wants it: lower case, no leading zeros, `::` for the longest run of zeros, the first of equally
/// long ones, none of a single zero.
pub(super) fn ipv6(address: Ipv6Addr) -> Vec<u8> {
    let segments = address.segments();
    let (start, length) = longest_zeros(&segments);
    let mut text = Vec::with_capacity(39);
    for (index, segment) in segments.into_iter().enumerate() {
        if length > 1 && (start..start + length).contains(&index) {
            if index == start {
                text.extend_from_slice(b"::");
            }
            continue;
        }
        if !text.is_empty() && !text.ends_with(b":") {
            text.push(b':');
        }
        hex(segment, &mut text);
    }
    text
}

/// Where the longest run of zeros begins, and how long it is.
fn longest_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let mut longest = (0, 0);
    for start in 0..segments.len() {
        let length = segments[start..].iter().take_while(|segment| **segment == 0).count();
        if length > longest.1 {
            longest = (start, length);
        }
    }
    longest
}

fn hex(number: u16, text: &mut Vec<u8>) {
    let digits = [number >> 12, number >> 8 & 0xf, number >> 4 & 0xf, number & 0xf];
    let zeros = digits[..3].iter().take_while(|digit| **digit == 0).count();
    text.extend(digits[zeros..].iter().map(|digit| b"0123456789abcdef"[usize::from(*digit)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_5952() {
        for (segments, text) in [
            ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
            ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
            ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),
            ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([0xfe80, 0, 0, 0, 0, 0, 0, 0], "fe80::"),
            ([0, 1, 2, 3, 4, 5, 6, 0xabcd], "0:1:2:3:4:5:6:abcd"),
        ] {
            assert_eq!(ipv6(Ipv6Addr::from(segments)), text.as_bytes());
        }
    }

    proptest! {
        // The standard library writes IPv4's IPv6 forms with dots, which no rule of ours has.
        #[test]
        fn as_the_standard_library_has_it(
            segments in prop::array::uniform8(prop_oneof![Just(0), Just(1), any::<u16>()])
        ) {
            let address = Ipv6Addr::from(segments);
            if address.to_ipv4_mapped().is_none() {
                prop_assert_eq!(ipv6(address), address.to_string().into_bytes());
            }
            let [a, b, c, d, ..] = address.octets();
            let address = Ipv4Addr::new(a, b, c, d);
            prop_assert_eq!(ipv4(address), address.to_string().into_bytes());
        }
    }
}
