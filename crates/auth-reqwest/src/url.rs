//! What an authorizer has to know of reqwest's URLs.

use auth_core::adapter::{Redirect, Target};
use reqwest::Url;

/// Where a request goes: reqwest connects by its URL.
pub(crate) fn target(url: &Url) -> Target<'_> {
    Target::from_parts(url.scheme(), url.host_str().unwrap_or_default(), url.port())
}

/// Where redirects led: `requested` is the URL of the request, `answered` that of the response.
pub(crate) fn redirect(requested: &Url, answered: &Url) -> Redirect {
    if without_fragment(requested) == without_fragment(answered) {
        Redirect::None
    } else if origin(requested) == origin(answered) {
        Redirect::WithinOrigin
    } else {
        Redirect::ToAnotherOrigin
    }
}

fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

/// The first `#` of a serialized URL begins its fragment: elsewhere it is percent-encoded.
fn without_fragment(url: &Url) -> &str {
    let url = url.as_str();
    url.split_once('#').map_or(url, |(url, _)| url)
}

#[cfg(test)]
mod tests;
