#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpassword::fuzz::users_cdb(data));
