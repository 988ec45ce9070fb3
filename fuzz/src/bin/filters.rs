#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ucspi::fuzz::filters(data));
