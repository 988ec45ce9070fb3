//! SunMD5 (`$md5$`), Solaris's: thousands of rounds of MD5, in about half of which a speech of Hamlet's is hashed too. Which
//! half depends on the bits so far, so that no machine has an easy time with many passwords at once.

use super::{Unusable, base64};
use ctutils::CtEq;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// Hamlet, act III, scene 1; hashed with the NUL that ends it.
const SPEECH: &[u8] = include_bytes!("hamlet.txt");

/// The rounds that there are without any being named.
const BASE: u64 = 4096;

/// The most rounds that may be named: some 10 s. (mkpasswd names 32,768 to 98,303.)
const MAX_ROUNDS: u64 = 5_000_000;

/// The length of the encoded result.
const RESULT: usize = 22;

/// In which order the result's bytes are encoded.
const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/// A hash of this kind, taken apart.
#[derive(Debug, Clone, Copy)]
pub struct SunMd5<'a> {
    rounds: u32,
    /// All before the last `$`: two of them in a row make one part of the salt.
    setting: &'a str,
    result: &'a str,
}

impl<'a> SunMd5<'a> {
    /// Takes a hash apart; `None` if it is of another kind. Any text is allowed.
    ///
    /// # Errors
    /// Inside: malformed, or beyond the bounds.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Result<Self, Unusable<'a>>> {
        let rest = text.strip_prefix("$md5").filter(|rest| rest.starts_with(['$', ',']))?;
        Some(Self::take_apart(text, rest))
    }

    fn take_apart(text: &'a str, rest: &'a str) -> Result<Self, Unusable<'a>> {
        let (setting, result) = text.rsplit_once('$').ok_or(Unusable::Malformed)?;
        let (named, salt) = match rest.strip_prefix(",rounds=") {
            Some(rest) => {
                let (count, rest) = rest.split_once('$').ok_or(Unusable::Malformed)?;
                let count = Some(count).filter(|count| !count.starts_with('0'));
                (common::number::whole(count.ok_or(Unusable::Malformed)?.as_bytes()), rest)
            }
            None => (Some(0), rest.strip_prefix('$').ok_or(Unusable::Malformed)?),
        };
        let named = named.ok_or(Unusable::Malformed)?;
        if named > MAX_ROUNDS {
            return Err(Unusable::Costly);
        }
        // A salt, one `$` or two, and the result.
        let salt = salt
            .strip_suffix(result)
            .and_then(|salt| salt.strip_suffix('$'))
            .ok_or(Unusable::Malformed)?;
        let salt = salt.strip_suffix('$').unwrap_or(salt);
        if result.len() != RESULT || !base64::is_base64(result) || !base64::is_base64(salt) {
            return Err(Unusable::Malformed);
        }
        let rounds = u32::try_from(BASE + named).map_err(|_| Unusable::Costly)?;
        Ok(Self { rounds, setting, result })
    }

    /// Whether `password` leads to this hash.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let mut digest: Zeroizing<[u8; 16]> = Zeroizing::new(
            Md5::new().chain_update(password).chain_update(self.setting).finalize().into(),
        );
        for round in 0..self.rounds {
            let mut next = Md5::new().chain_update(*digest);
            if coin(&digest, round) {
                next.update(SPEECH);
                next.update([0]);
            }
            next.update(common::decimal(u64::from(round)).as_bytes());
            *digest = next.finalize().into();
        }
        let bytes = Zeroizing::new(ORDER.map(|index| digest[index]));
        let result = Zeroizing::new(base64::encode(&*bytes));
        result.as_bytes().ct_eq(self.result.as_bytes()).into()
    }
}

/// Whether the speech comes into this round: two numbers of seven bits each are picked from the digest, bit by bit and by
/// the digest's own bits; they name two bits of it, and these decide.
fn coin(digest: &[u8; 16], round: u32) -> bool {
    let byte = |index: u32| u32::from(digest[(index & 15) as usize]);
    let bit = |number: u32| byte(number >> 3) >> (number & 7) & 1;
    let number = |start: u32, which: u32| {
        // Of eight bits, the last or the first is left out.
        let shift = bit(which);
        (0..7).fold(0, |number, index| {
            let at = start + index + shift;
            let (a, b) = (byte(at), byte(at + 3));
            let value = byte(a >> (b % 5)) >> (b >> (a & 7) & 1);
            number | bit(value & 0x7f) << index
        })
    };
    bit(number(0, round)) != bit(number(8, round.wrapping_add(64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libxcrypt_makes() {
        for (password, text) in [
            ("secret", "$md5,rounds=5$abcdefgh$d22ThiE2Edc/o/tUHcS9P0"),
            ("secret", "$md5$abcdefgh$$TFWU.dlIfuoAjNld5IaX3."),
            ("secret", "$md5,rounds=54362$Xwr3OxL4$$Y8tK23tHHcssuwiakrBhh1"),
            ("", "$md5,rounds=63563$I9u6RyUg$$kZJAnRpxdaGqQQwHE.kkh/"),
            ("correct horse", "$md5,rounds=52376$6iASoKbC$$tt4IWcRL/.LSgSZX2WuoP."),
            ("p\u{e4}", "$md5,rounds=46444$Ri6zF0Hd$$Bcx/yOMav/8HOWZWekpUn1"),
        ] {
            let Some(Ok(hash)) = SunMd5::parse(text) else { panic!("{text}") };
            assert!(hash.verify(password.as_bytes()), "{password} {text}");
            assert!(!hash.verify(b"other"), "{text}");
        }
    }

    #[test]
    fn what_is_none_of_it() {
        for (text, why) in [
            ("$md5$", Unusable::Malformed),
            ("$md5,rounds=5$abcdefgh", Unusable::Malformed),
            ("$md5,rounds=0$abcdefgh$d22ThiE2Edc/o/tUHcS9P0", Unusable::Malformed),
            ("$md5,rounds=05$abcdefgh$d22ThiE2Edc/o/tUHcS9P0", Unusable::Malformed),
            ("$md5,round=5$abcdefgh$d22ThiE2Edc/o/tUHcS9P0", Unusable::Malformed),
            ("$md5,rounds=4294967295$abcdefgh$d22ThiE2Edc/o/tUHcS9P0", Unusable::Costly),
            ("$md5$abcdefgh$$TFWU.dlIfuoAjNld5IaX3", Unusable::Malformed),
            ("$md5$abc-efgh$$TFWU.dlIfuoAjNld5IaX3.", Unusable::Malformed),
            ("$md5$abcdefgh$$$TFWU.dlIfuoAjNld5IaX3.", Unusable::Malformed),
        ] {
            assert_eq!(SunMd5::parse(text).and_then(Result::err), Some(why), "{text}");
        }
        assert!(SunMd5::parse("$md5x$abc").is_none() && SunMd5::parse("$1$abc").is_none());
    }
}
