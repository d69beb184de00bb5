//! The forms that a client may give to a request when it follows a redirect.

use http::{
    HeaderMap, HeaderName, Method,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING,
    },
};

use super::head::RequestHead;

/// Dropped where the origin changes.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Dropped together with the body.
const OF_BODY: [HeaderName; 4] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    TRANSFER_ENCODING,
];

/// The forms of a hop, apart from its URL: with and without the extensions; with the method of the
/// request and with `GET`; with all headers, without credentials, without the headers of the body,
/// without both, and without headers.
pub(super) struct HopForms {
    headers: [HeaderMap; 4],
}

impl HopForms {
    pub(super) fn of(request: &RequestHead<'_>) -> Self {
        let without = |names: &[&[HeaderName]]| {
            let mut headers = request.headers.clone();
            for name in names.concat() {
                headers.remove(name);
            }
            headers
        };
        Self {
            headers: [
                without(&[&CREDENTIALS]),
                without(&[&OF_BODY]),
                without(&[&CREDENTIALS, &OF_BODY]),
                HeaderMap::new(),
            ],
        }
    }

    /// Returns the heads of these forms of `hop`, which itself is the first one.
    pub(super) fn heads<'a>(
        &'a self,
        hop: RequestHead<'a>,
    ) -> impl Iterator<Item = RequestHead<'a>> {
        let headers = [hop.headers].into_iter().chain(&self.headers);
        headers.flat_map(move |headers| {
            let methods = [hop.method, Some(&Method::GET)].into_iter();
            methods.flat_map(move |method| {
                let extensions = [hop.extensions, None].into_iter();
                extensions.map(move |extensions| RequestHead {
                    headers,
                    method,
                    extensions,
                    ..hop
                })
            })
        })
    }
}
