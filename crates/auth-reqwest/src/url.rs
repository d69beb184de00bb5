//! Converts reqwest's URLs for an authorizer.

use auth_core::adapter::{Redirect, Target};
use reqwest::Url;

/// Returns the target of a request: reqwest connects to the host and port of its URL.
pub(crate) fn target(url: &Url) -> Target<'_> {
    Target::from_parts(url.scheme(), url.host_str().unwrap_or_default(), url.port())
        .with_path(url.path())
}

/// Returns where redirects led: from the URL of the request to that of the response.
pub(crate) fn redirect(requested: &Url, responded: &Url) -> Redirect {
    // most responses are from the same URL, and comparing it costs less than searching it
    if requested == responded || without_fragment(requested) == without_fragment(responded) {
        Redirect::None
    } else if origin(requested) == origin(responded) {
        Redirect::WithinOrigin
    } else {
        Redirect::ToAnotherOrigin
    }
}

fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

/// Returns the URL up to its fragment. The first `#` of a serialized URL begins the fragment:
/// elsewhere `#` is percent-encoded.
fn without_fragment(url: &Url) -> &str {
    let url = url.as_str();
    url.split_once('#').map_or(url, |(url, _)| url)
}

#[cfg(test)]
mod tests;
