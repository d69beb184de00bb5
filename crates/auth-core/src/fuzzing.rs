//! Access to private items for `fuzz/`. Exists only under `--cfg fuzzing`.

use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

use crate::challenge::ChallengeError;

/// Reads each line of `lines` as a `WWW-Authenticate` header.
///
/// # Panics
/// If the order of the lines changes the result.
pub fn challenge(lines: &[u8]) {
    let lines = lines.split(|&octet| octet == b'\n');
    let lines: Vec<_> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let forward = headers(lines.iter());
    let backward = headers(lines.iter().rev());
    for scheme in ["Bearer", "DPoP"] {
        assert_eq!(
            ChallengeError::read(scheme, &forward),
            ChallengeError::read(scheme, &backward)
        );
    }
}

fn headers<'a>(lines: impl Iterator<Item = &'a HeaderValue>) -> HeaderMap {
    let lines = lines.map(|line| (WWW_AUTHENTICATE, line.clone()));
    let mut headers = HeaderMap::new();
    headers.extend(lines);
    headers
}
