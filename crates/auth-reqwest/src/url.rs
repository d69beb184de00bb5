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
mod tests {
    use super::*;

    #[test]
    fn redirects_are_told_apart_by_origin() {
        let requested: Url = "https://api.example/a?b#c".parse().unwrap();
        for (answered, expected) in [
            ("https://api.example/a?b#c", Redirect::None),
            ("https://API.example:443/a?b#d", Redirect::None),
            ("https://api.example/a?b", Redirect::None),
            ("https://api.example:443/b", Redirect::WithinOrigin),
            ("https://api.example/a", Redirect::WithinOrigin),
            ("https://api.example/a?c", Redirect::WithinOrigin),
            ("https://other.example/", Redirect::ToAnotherOrigin),
            ("http://api.example/", Redirect::ToAnotherOrigin),
            ("http://api.example:443/a?b", Redirect::ToAnotherOrigin),
            ("https://api.example:8443/", Redirect::ToAnotherOrigin),
            ("https://api.example./a?b", Redirect::ToAnotherOrigin),
        ] {
            let answered: Url = answered.parse().unwrap();
            assert_eq!(redirect(&requested, &answered), expected, "{answered}");
        }
    }
}
