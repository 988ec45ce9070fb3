//! The hashes that are expensive in memory: yescrypt (`$y$`, Debian's default), gost-yescrypt
//! (`$gy$`) and scrypt (`$7$`), as libxcrypt reads and writes them (crypt(5)).

use super::{Unusable, base64};
use ::yescrypt::{Mode, Params, yescrypt};
use core::str::Bytes;
use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use streebog::{Digest, Streebog256};
use zeroize::Zeroizing;

/// The most memory that a hash may ask for: 1 GiB, the highest cost that Debian's mkpasswd (11)
/// and pam_unix give, and something for the parts that come with it.
pub const MAX_MEMORY: u128 = (1 << 30) + (1 << 25);

/// The most work, in blocks of 128 bytes mixed. 2^18 of them are the default cost, some 20 ms.
pub const MAX_WORK: u128 = 1 << 27;

/// The length of the encoded result.
const RESULT: usize = 43;

/// The longest salt, in bytes (yescrypt's reference).
const MAX_SALT: usize = 64;

/// A hash of this family, taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Yescrypt<'a> {
    family: Family,
    params: Params,
    memory: usize,
    /// All that stands before the `$` of the result: prefix, parameters and salt.
    setting: &'a str,
    salt: &'a str,
    result: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Yescrypt,
    Gost,
    Scrypt,
}

impl<'a> Yescrypt<'a> {
    /// Takes a hash apart; `None` if it is of another family. Any text is allowed.
    ///
    /// # Errors
    /// Inside: malformed, a variant that the crate hasn't got, or beyond the bounds.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Result<Self, Unusable<'a>>> {
        let (family, rest) = if let Some(rest) = text.strip_prefix("$y$") {
            (Family::Yescrypt, rest)
        } else if let Some(rest) = text.strip_prefix("$gy$") {
            (Family::Gost, rest)
        } else {
            (Family::Scrypt, text.strip_prefix("$7$")?)
        };
        Some(Self::take_apart(family, text, rest))
    }

    fn take_apart(family: Family, text: &'a str, rest: &'a str) -> Result<Self, Unusable<'a>> {
        let (head, result) = rest.rsplit_once('$').ok_or(Unusable::Malformed)?;
        let setting = &text[..text.len() - result.len() - 1];
        let (cost, salt) = match family {
            Family::Scrypt => {
                let cost = head.get(..11).and_then(Cost::scrypt).ok_or(Unusable::Malformed)?;
                (cost, &head[11..])
            }
            Family::Yescrypt | Family::Gost => {
                let (params, salt) = head.split_once('$').ok_or(Unusable::Malformed)?;
                let known = base64::decode(salt).is_some_and(|salt| salt.len() <= MAX_SALT);
                if !known {
                    return Err(Unusable::Malformed);
                }
                (Cost::yescrypt(params)?, salt)
            }
        };
        if result.len() != RESULT || !base64::is_base64(result) || !base64::is_base64(salt) {
            return Err(Unusable::Malformed);
        }
        let (params, memory) = cost.bounded()?;
        Ok(Self { family, params, memory, setting, salt, result })
    }

    /// How much memory [`Yescrypt::verify`] needs, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Whether `password` leads to this hash.
    ///
    /// # Errors
    /// The crate refuses the parameters.
    pub fn verify(&self, password: &[u8]) -> Result<bool, Unusable<'a>> {
        let result = self.compute(password)?;
        Ok(result.as_bytes().ct_eq(self.result.as_bytes()).into())
    }

    /// What should stand behind the last `$`.
    fn compute(&self, password: &[u8]) -> Result<Zeroizing<String>, Unusable<'a>> {
        let salt = match self.family {
            Family::Scrypt => self.salt.as_bytes().to_vec(),
            Family::Yescrypt | Family::Gost => {
                base64::decode(self.salt).ok_or(Unusable::Malformed)?
            }
        };
        let mut key = Zeroizing::new([0; 32]);
        yescrypt(password, &salt, &self.params, &mut *key).map_err(|_| Unusable::Unsupported)?;
        if self.family == Family::Gost {
            *key = gost(password, self.setting, &key);
        }
        Ok(Zeroizing::new(base64::encode(&*key)))
    }
}

/// How much memory [`made`] needs, in bytes.
pub const MADE_MEMORY: usize = 16_802_504;

/// A yescrypt hash of `password` at Debian's usual cost.
///
/// # Errors
/// The crate refuses; it has no reason to.
pub fn made(password: &[u8], salt: &[u8; 16]) -> Result<Zeroizing<String>, Unusable<'static>> {
    let blank = format!("$y$j9T${}${}", base64::encode(salt), ".".repeat(RESULT));
    let computed = match Yescrypt::parse(&blank) {
        Some(Ok(yescrypt)) => yescrypt.compute(password),
        Some(Err(_)) | None => Err(Unusable::Malformed),
    };
    let result = computed.map_err(|_| Unusable::Unsupported)?;
    let setting = &blank[..blank.len() - RESULT];
    let mut hash = Zeroizing::new(String::with_capacity(blank.len()));
    hash.push_str(setting);
    hash.push_str(&result);
    Ok(hash)
}

/// gost-yescrypt's last step, by HMAC with Streebog-256 (GOST R 34.11-2012) throughout:
/// `HMAC(HMAC(Streebog(password), setting), yescrypt)`.
fn gost(password: &[u8], setting: &str, yescrypt: &[u8; 32]) -> [u8; 32] {
    let hashed = Zeroizing::new(<[u8; 32]>::from(Streebog256::digest(password)));
    let inner = Zeroizing::new(mac(&hashed, setting.as_bytes()));
    mac(&inner, yescrypt)
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    // A key that is padded to the block's length is the same key, and can't be refused.
    let mut mac = <Hmac<Streebog256> as KeyInit>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The parameters, as they stand in the hash.
#[derive(Debug, Clone, Copy)]
struct Cost {
    mode: Mode,
    log2_n: u32,
    r: u32,
    p: u32,
    t: u32,
}

impl Cost {
    /// `$7$`: one digit for N, five for r, five for p.
    fn scrypt(text: &str) -> Option<Self> {
        let number = |range| text.get(range).and_then(base64::number);
        let (log2_n, r, p) = (number(0..1)?, number(1..6)?, number(6..11)?);
        Some(Self { mode: Mode::Classic, log2_n, r, p, t: 0 })
    }

    /// `$y$`: flavour, N and r, then whichever of p, t, g and ROM the bits of a fourth number name.
    fn yescrypt(text: &str) -> Result<Self, Unusable<'_>> {
        let digits = &mut text.bytes();
        let mode = Mode::try_from(variable(digits, 0)?).map_err(|_| Unusable::Unsupported)?;
        let (log2_n, r) = (variable(digits, 1)?, variable(digits, 1)?);
        let mut cost = Self { mode, log2_n, r, p: 1, t: 0 };
        if digits.len() > 0 {
            let have = variable(digits, 1)?;
            // Upgraded hashes and read-only memories: no program on a Debian host makes them.
            if have & !3 != 0 {
                return Err(Unusable::Unsupported);
            }
            if have & 1 != 0 {
                cost.p = variable(digits, 2)?;
            }
            if have & 2 != 0 {
                cost.t = variable(digits, 1)?;
            }
        }
        if digits.len() > 0 { Err(Unusable::Malformed) } else { Ok(cost) }
    }

    /// The crate's parameters and the memory they need, if both this and the time are within
    /// bounds.
    fn bounded(self) -> Result<(Params, usize), Unusable<'static>> {
        let Self { mode, log2_n, r, p, t } = self;
        if log2_n == 0 || r == 0 || p == 0 {
            return Err(Unusable::Malformed);
        }
        if log2_n > 30 || u64::from(r) * u64::from(p) >= 1 << 30 {
            return Err(Unusable::Costly);
        }
        let n = 1_u64 << log2_n;
        // Wide enough for every product of what has passed so far.
        let (wide_n, wide_r, lanes) = (u128::from(n), u128::from(r), u128::from(p));
        // The big array, the lanes, the mixing buffers, and 12 KiB of S-boxes a lane.
        let memory = 128 * wide_r * wide_n + 128 * wide_r * lanes + 256 * wide_r + 13_000 * lanes;
        // Filling the array, then going over it about t times; each lane anew, except in
        // yescrypt's own mode, where the lanes share it.
        let passes = if mode.is_rw() { 1 } else { lanes };
        let work = wide_n * wide_r * passes * (2 + 2 * u128::from(t));
        if memory > MAX_MEMORY || work > MAX_WORK {
            return Err(Unusable::Costly);
        }
        let memory = usize::try_from(memory).map_err(|_| Unusable::Costly)?;
        let params =
            Params::new_with_all_params(mode, n, r, p, t, 0).map_err(|_| Unusable::Unsupported)?;
        Ok((params, memory))
    }
}

/// yescrypt's numbers of variable length: the first digit tells how many follow, each further
/// length has half as many first digits as were left.
fn variable(digits: &mut Bytes<'_>, least: u32) -> Result<u32, Unusable<'static>> {
    let mut next = || digits.next().and_then(base64::digit).ok_or(Unusable::Malformed);
    let first = next()?;
    let (mut start, mut end, mut bits) = (0, 47, 0_u32);
    let mut number = u64::from(least);
    while first > end {
        number += u64::from(end + 1 - start) << bits;
        start = end + 1;
        end = start + (62 - end) / 2;
        bits += 6;
    }
    number += u64::from(first - start) << bits;
    while bits > 0 {
        bits -= 6;
        number += u64::from(next()?) << bits;
    }
    u32::try_from(number).map_err(|_| Unusable::Costly)
}
