#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pop3::fuzz::pop3_names(data));
