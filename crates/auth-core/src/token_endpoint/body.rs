//! Reads the body of a response, which is bounded.

use http_body_util::BodyExt;
use tokio::task::coop;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, SecretString, TransportBody, redact::clean_error};

/// The maximum size of a response, in bytes.
const MAX_RESPONSE: usize = 1 << 20;
/// The maximum number of a response's frames. Frames without data take no part in its size.
const MAX_FRAMES: usize = 1 << 16;

/// Appends a body that may hold a token to `read`, up to [`MAX_RESPONSE`] and [`MAX_FRAMES`]. After an
/// error, or if the caller stops, `read` has the part that was received. `place` begins an error's text.
pub(super) async fn read_body(
    mut body: TransportBody,
    read: &mut Zeroizing<Vec<u8>>,
    place: &str,
    secrets: &[SecretString],
) -> Result<(), Error> {
    let too_large = |what: &str| Error::new(ErrorKind::InvalidResponse, what.to_owned()).at(place);
    for _ in 0..MAX_FRAMES {
        // a body that is always ready must not keep the thread
        coop::consume_budget().await;
        let Some(frame) = body.frame().await else {
            return Ok(());
        };
        let frame = frame.map_err(|e| {
            let error = Error::new(
                ErrorKind::Connection,
                "the response ended early, before its body was complete",
            );
            clean_error(error.with_source(e), secrets).at(place)
        })?;
        let data = frame.into_data().unwrap_or_default();
        if read.len() + data.len() > MAX_RESPONSE {
            return Err(too_large(
                "expected a response of at most 1 MiB, got a larger one",
            ));
        }
        append(read, &data);
    }
    Err(too_large(
        "expected a response body of at most 65,536 frames, got more",
    ))
}

/// Appends to octets that may hold a token. Growing wipes the smaller copy.
fn append(octets: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = octets.len() + data.len();
    if length > octets.capacity() {
        let capacity = length.max(2 * octets.capacity()).max(8 * 1024);
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(octets);
        *octets = larger;
    }
    octets.extend_from_slice(data);
}
