use super::*;
use core::convert::Infallible;
use proptest::prelude::*;
use sys::Errno;

/// The bytes of a database of these records.
fn made(records: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0; HEADER];
    let mut writer = Writer::new(|bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok::<(), Infallible>(())
    });
    for (key, value) in records {
        writer.add(key, value).expect("room");
    }
    let header = writer.finish().expect("room");
    file[..HEADER].copy_from_slice(&header);
    file
}

fn found(file: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    Reader::new(file).and_then(|reader| reader.find(key)).map_err(|damage| damage.0)
}

#[test]
fn the_bytes_of_a_small_database() {
    assert_eq!(hash(b"").to_le_bytes(), [0x05, 0x15, 0, 0]);
    let file = made(&[(b"".to_vec(), b"D\0".to_vec())]);
    assert_eq!(file.len(), HEADER + 8 + 2 + 2 * 8);
    assert_eq!(file[HEADER..], *b"\0\0\0\0\x02\0\0\0D\0\0\0\0\0\0\0\0\0\x05\x15\0\0\0\x08\0\0");
    assert_eq!(file[8 * 5..8 * 5 + 8], *b"\x0a\x08\0\0\x02\0\0\0");
    assert_eq!(file[8 * 6..8 * 6 + 8], *b"\x1a\x08\0\0\0\0\0\0");
}

#[test]
fn the_first_record_of_a_key_counts() {
    let record = |value: &[u8]| (b"key".to_vec(), value.to_vec());
    let file = made(&[record(b"first"), record(b"second")]);
    assert_eq!(found(&file, b"key"), Ok(Some(b"first".to_vec())));
    assert_eq!(found(&file, b"keys"), Ok(None));
}

#[test]
fn what_is_no_database_is_damaged() {
    assert_eq!(found(b"", b"key"), Err(Errno::PROTO));
    assert_eq!(found(&[0; HEADER - 1], b"key"), Err(Errno::PROTO));
    assert_eq!(found(&[0; HEADER], b"key"), Ok(None));
    assert_eq!(found(&[0xff; HEADER], b"key"), Err(Errno::PROTO));
    let file = made(&[(b"".to_vec(), b"D\0".to_vec())]);
    assert_eq!(found(&file[..file.len() - 1], b""), Err(Errno::PROTO));
}

#[test]
fn a_search_of_a_full_table_has_an_end() {
    let key = b"key";
    let mut file = vec![0; HEADER];
    let slots = 3;
    file[8 * table(hash(key))..][..8].copy_from_slice(&pair_bytes(HEADER as u32, slots));
    for _ in 0..slots {
        file.extend(pair_bytes(hash(key), HEADER as u32));
    }
    // Each slot's "record" has another key's length.
    assert_eq!(found(&file, key), Ok(None));
}

#[test]
fn more_than_the_numbers_can_tell_is_refused() {
    // A buffer that is never touched costs nothing.
    let huge = vec![0; 1 << 30];
    let mut writer = Writer::new(|_: &[u8]| Ok::<(), Infallible>(()));
    for _ in 0..3 {
        writer.add(b"key", &huge).expect("room");
    }
    assert_eq!(writer.add(b"key", &huge), Err(Unwritten::TooBig));
}

#[test]
fn what_cannot_be_written_is_told() {
    let mut writer = Writer::new(|_: &[u8]| Err(Errno::NOSPC));
    writer.add(b"key", b"value").expect("not written yet");
    assert_eq!(writer.finish(), Err(Unwritten::Write(Errno::NOSPC)));
}

#[test]
fn a_file_is_read_as_its_bytes_are() {
    use sys::fs::{Mode, OFlags, ftruncate, open};
    let records: Vec<_> = (0..2000_u32)
        .map(|number| (number.to_le_bytes().to_vec(), vec![b'x'; number as usize]))
        .collect();
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let file = open(c"/tmp", flags, Mode::RUSR | Mode::WUSR).expect("a file without a name");
    sys::write_all(&file, &made(&records)).expect("written");
    let reader = Reader::new(File::new(&file).expect("its length")).expect("a database");
    for (key, value) in &records {
        assert_eq!(reader.find(key), Ok(Some(value.clone())));
    }
    assert_eq!(reader.find(b"other"), Ok(None));
    // Another truncates it: no crash.
    ftruncate(&file, HEADER as u64 + 100).expect("cut");
    assert_eq!(reader.find(&records[1999].0), Err(Damage(Errno::PROTO)));
}

fn record() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    // Few different keys, so that some are there twice.
    let key = prop::collection::vec(0_u8..3, 0..4);
    (key, prop::collection::vec(any::<u8>(), 0..8))
}

proptest! {
    #[test]
    fn what_is_written_is_found(records in prop::collection::vec(record(), 0..60)) {
        let file = made(&records);
        for (key, _) in &records {
            let first = records.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
            prop_assert_eq!(found(&file, key), Ok(first));
        }
        prop_assert_eq!(found(&file, b"\xff"), Ok(None));
    }

    #[test]
    fn any_bytes_are_read_safely(
        mut file in prop::collection::vec(any::<u8>(), 0..600),
        header in any::<bool>(),
        key in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        if header {
            // One whose tables are within the file, as often as not.
            let tables = (0..256_u32).flat_map(|n| pair_bytes(HEADER as u32 + n, n % 64));
            file.splice(0..0, tables);
        }
        let _ = found(&file, &key);
    }

    #[test]
    fn a_flipped_byte_is_survived(
        records in prop::collection::vec(record(), 1..20),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut file = made(&records);
        let place = place.index(file.len());
        file[place] = byte;
        for (key, _) in &records {
            let _ = found(&file, key);
        }
    }
}
