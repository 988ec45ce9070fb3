#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| tcpclient::fuzz::ident(data));
