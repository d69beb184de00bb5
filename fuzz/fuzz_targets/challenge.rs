//! Reads the challenges of an API. Each line of the input is one `WWW-Authenticate` header.
#![no_main]

use auth_core::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: &[u8]| fuzzing::challenge(lines));
