//! Reads a seal key from a file.

use std::{fs::File, io::Read, path::Path};

use auth_core::{
    Error,
    shared_store::internal::{ShownPath, open_to_others},
};
use zeroize::Zeroizing;

use crate::events;

/// Bytes of a seal key.
pub(crate) const KEY: usize = 32;

/// Reads the file, and warns if users other than its owner and its group may read or change it.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let shown = ShownPath::from(path);
    let unreadable = |error| {
        Error::configuration(format!("the seal key file {shown} cannot be read")).with_source(error)
    };
    // A longer file is not a key, and may be endless. The capacity suffices for it: growing would
    // leave a copy of the key in memory.
    let limit = KEY * 4;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit * 2));
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    (&file)
        .take(limit as u64)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let length = bytes.len();
    if length != KEY {
        let length = match length == limit {
            true => format!("at least {length}"),
            false => length.to_string(),
        };
        return Err(Error::configuration(format!(
            "the seal key file {shown} has {length} bytes; expected {KEY} raw bytes, without a newline"
        )));
    }
    if let Some(mode) = open_to_others(path, &file, &metadata) {
        events::seal_key_file_open_to_others(path, mode);
    }
    Ok(bytes)
}
