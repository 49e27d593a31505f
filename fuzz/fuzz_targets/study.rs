#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| meshload_fuzz::tables::study(bytes));
