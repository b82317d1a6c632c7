#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ctx_fuzz::check::compressed(input));
