#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| supervise::fuzz::supervise_files(data));
