//! Access to private items for `fuzz/`. Exists only under `--cfg fuzzing`.

use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

use crate::challenge::{ChallengeError, is_well_formed};

/// Reads each line of `lines` as a `WWW-Authenticate` header.
///
/// # Panics
/// If the lines do not mean what their combination means, although none is malformed.
pub fn challenge(lines: &[u8]) {
    let lines = lines.split(|&octet| octet == b'\n');
    let lines: Vec<_> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let mut split = HeaderMap::new();
    for line in &lines {
        split.append(WWW_AUTHENTICATE, line.clone());
    }
    let joined: Vec<_> = lines.iter().map(HeaderValue::as_bytes).collect();
    let joined = HeaderValue::from_bytes(&joined.join(&b", "[..])).map(|line| {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, line);
        headers
    });
    let is_well_formed = lines.iter().all(|line| is_well_formed(line.as_bytes()));
    for scheme in ["Bearer", "DPoP"] {
        let error = ChallengeError::read(scheme, &split);
        if let (Ok(joined), true) = (&joined, is_well_formed) {
            assert_eq!(error, ChallengeError::read(scheme, joined));
        }
    }
}
