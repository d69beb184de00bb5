//! base64url without padding (RFC 7515 §2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub(crate) fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// Appends the octets to `text`.
pub(crate) fn push(text: &mut String, octets: impl AsRef<[u8]>) {
    URL_SAFE_NO_PAD.encode_string(octets, text);
}

/// Returns the octets. `None` if the text is not base64url, has padding, or is not the text that
/// [`encode`] returns for them.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // the error would show a character of what may be a key
    URL_SAFE_NO_PAD.decode(text).ok().map(Zeroizing::new)
}
