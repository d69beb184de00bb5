//! Random octets from the operating system.

use auth_core::Error;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::base64url;

/// Octets of a `jti`.
const JTI: usize = 16;

/// Returns a `jti`: 128 random bits as 22 characters of base64url.
pub(crate) fn jti() -> Result<String, Error> {
    let mut octets = [0; JTI];
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| Error::configuration("the operating system returned no random octets"))?;
    Ok(base64url::encode(octets))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_jti_has_128_bits_of_its_own() {
        let all: HashSet<String> = (0..1000).map(|_| jti().unwrap()).collect();
        assert_eq!(all.len(), 1000);
        for jti in all {
            assert_eq!(jti.len(), 22);
            assert_eq!(base64url::decode(&jti).unwrap().len(), 16);
        }
    }
}
