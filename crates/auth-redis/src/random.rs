//! Bytes that nobody can guess.

use auth_core::{Error, ErrorKind};

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = "the operating system gave no random bytes";
        Error::new(ErrorKind::SharedStore, message).with_source(error)
    })?;
    Ok(bytes)
}
