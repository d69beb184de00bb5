use bytes::Bytes;
use http::Request;
use http_body_util::Full;

/// A `GET` without a body.
pub fn get(uri: impl AsRef<str>) -> Request<Full<Bytes>> {
    Request::get(uri.as_ref()).body(Full::default()).unwrap()
}
