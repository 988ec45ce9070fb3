//! What the fuzzer runs here: see fuzz/.

use crate::detail::{self, Detail, Details, checksum};
use crate::record::{self, Past};
use crate::status::{self, State, Status, Statuses, Want};
use common::tai64n::Label;
use core::time::Duration;

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// The files below supervise/, as another version, or nobody we know, may have left them: what is read of them is
/// what was written.
pub fn supervise_files(bytes: &[u8]) {
    let statuses = Statuses::decode(bytes);
    assert_eq!(statuses.is_some(), bytes.len() >= status::LEAST);
    if let Some(statuses) = statuses {
        assert_eq!(statuses.log.is_some(), bytes.len() >= status::SIZE + status::LEAST);
        let status = statuses.service;
        let known = matches!(status.want, Want::Up | Want::Down) || bytes[17] == 0;
        let encoded = status.encode();
        assert_eq!(encoded[..16], bytes[..16]);
        assert!(!known || encoded[17] == bytes[17]);
        let (encoded, length) = statuses.encode();
        let again = Statuses::decode(&encoded[..length]).expect("as it was written");
        assert_eq!(again.service, with_state(status));
        assert_eq!(again.log, statuses.log.map(with_state));
        assert_eq!(status.seconds(status.since), 0);
    }
    let details = Details::decode(bytes);
    let (encoded, length) = details.encode();
    assert_eq!(Details::decode(&encoded[..length]), details);
    // The checksum would keep nearly everything out.
    if let Some(record) = bytes.first_chunk::<{ detail::SIZE }>() {
        let mut record = *record;
        let (summed, sum) = record.split_at_mut(detail::SIZE - 8);
        sum.copy_from_slice(&checksum(summed).to_le_bytes());
        if let Some(mut detail) = Detail::decode(&record) {
            assert_eq!(Detail::decode(&detail.encode()), Some(detail));
            for seconds in [0, 3600, u64::MAX] {
                assert!(detail.restarts.count(Duration::from_secs(seconds)) <= 60 * 65_535);
            }
            detail.restarts.note(Duration::from_secs(u64::from(record[0])));
            assert_eq!(detail.since, Label::from_bytes(record[4..16].try_into().expect("12")));
        }
    }
    let boot = bytes.first_chunk().copied();
    if let Past::Killed(Some(entry)) = record::decode(bytes, boot) {
        assert!(entry.pid.is_none_or(|pid| pid.as_raw_pid() > 0));
        assert!(bytes.len() >= 24 && entry.before < 1 << 56);
        assert!(entry.start.is_none() || bytes.len() >= 36);
    }
    assert_eq!(record::decode(bytes, None), Past::Orderly);
}

/// 0.76's statuses have no state; ours always do.
fn with_state(status: Status) -> Status {
    Status { state: Some(status.state.unwrap_or(State::Unknown(u8::MAX))), ..status }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("supervise-files", super::supervise_files);
    }
}
