#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| multilog::fuzz::stamps(data));
