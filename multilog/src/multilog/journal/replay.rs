//! What of a journal has to be logged, after whatever has happened to it. Pure.

use super::record::Record;
use core::ops::Range;

/// What a predecessor left to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// The state to begin in, and the batch to begin with: some of its output may be there.
    pub(crate) record: Record,
    /// What no record knows of. None of its output is there.
    pub(crate) new: Range<u64>,
    /// Whether record and journal can't have been left like that by anybody who was killed: some lines may be logged twice.
    pub(crate) is_doubtful: bool,
}

/// What to do with a journal of this size, by the two records that are there (or are torn, or damaged).
///
/// Nothing of the journal is ever passed over unless a record says that its output is there.
pub(crate) fn plan(records: [Option<Record>; 2], size: u64) -> Replay {
    let [one, other] = records;
    let record = match (one, other) {
        (Some(one), Some(other)) => Some(if one.number >= other.number { one } else { other }),
        (one, other) => one.or(other),
    };
    let Some(record) = record else {
        return Replay { record: Record::default(), new: 0..size, is_doubtful: size > 0 };
    };
    let from_the_start = Record { begin: 0, end: 0, ..record.clone() };
    if size >= record.end {
        return Replay { new: record.end..size, record, is_doubtful: false };
    }
    if record.begin == record.end {
        // Emptied, after the record had said that all is done.
        return Replay { record: from_the_start, new: 0..size, is_doubtful: false };
    }
    if size > record.begin {
        return Replay {
            record: Record { end: size, ..record },
            new: size..size,
            is_doubtful: true,
        };
    }
    Replay { record: from_the_start, new: 0..size, is_doubtful: true }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;
    use proptest::prelude::*;

    fn batch(number: u64, begin: u64, end: u64) -> Option<Record> {
        Some(Record { number, begin, end, ..Record::default() })
    }

    /// What is replayed of a journal of this size, by the record 5 of which bytes, in whose state, and whether that is doubtful.
    #[test]
    fn each_situation() {
        for (begin, end, size, known, new, is_doubtful) in [
            (100, 150, 150, 100..150, 150..150, false),
            (100, 150, 190, 100..150, 150..190, false),
            (0, 50, 90, 0..50, 50..90, false),
            (150, 150, 150, 150..150, 150..150, false),
            (150, 150, 160, 150..150, 150..160, false),
            // Emptied.
            (150, 150, 0, 0..0, 0..0, false),
            (150, 150, 40, 0..0, 0..40, false),
            // Damaged.
            (100, 150, 149, 100..149, 149..149, true),
            (100, 150, 100, 0..0, 0..100, true),
            (100, 150, 0, 0..0, 0..0, true),
        ] {
            let found = plan([batch(4, 7, 8), batch(5, begin, end)], size);
            assert_eq!((found.record.number, found.is_doubtful), (5, is_doubtful));
            assert_eq!((found.record.begin..found.record.end, found.new), (known, new));
        }
    }

    #[test]
    fn without_a_record_all_is_new() {
        let found = plan([None, None], 9);
        assert_eq!((found.record, found.new, found.is_doubtful), (Record::default(), 0..9, true));
        assert!(!plan([None, None], 0).is_doubtful, "it was never begun");
    }

    proptest! {
        #[test]
        fn nothing_is_passed_over_that_no_record_says_is_done(one in record(), other in record(), size in any::<u64>(), torn in 0..4) {
            let records = [(torn != 1 && torn != 3).then_some(one), (torn != 2 && torn != 3).then_some(other)];
            let newest = records.iter().flatten().max_by_key(|record| record.number).cloned();
            let found = plan(records, size);
            prop_assert_eq!(found.new.end, size);
            prop_assert_eq!(found.record.end, found.new.start);
            prop_assert!(found.record.begin <= found.record.end && found.new.start <= size);
            if let Some(newest) = newest {
                prop_assert!(found.record.begin == newest.begin || found.record.begin == 0);
                prop_assert!(size < newest.end || !found.is_doubtful);
                prop_assert_eq!(found.record.hand, newest.hand);
            } else {
                prop_assert_eq!(found.new.start, 0);
            }
        }
    }
}
