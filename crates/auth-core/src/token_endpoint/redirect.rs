//! The target of a redirect, for error texts.

use crate::{redact::without_secrets, uri_syntax::split_scheme};

/// Returns the target of a redirect from `endpoint`, a URL without a query: origin and path.
pub(super) fn target(endpoint: &str, location: &str) -> String {
    let location = location.trim();
    let scheme = endpoint
        .split_once("://")
        .map_or("https", |(scheme, _)| scheme);
    if split_scheme(location).is_some() {
        return with_scheme(location);
    }
    if location.starts_with("//") {
        return with_scheme(&format!("{scheme}:{location}"));
    }
    let path_start = endpoint
        .get(scheme.len() + 3..)
        .and_then(|rest| rest.find('/'))
        .map_or(endpoint.len(), |at| scheme.len() + 3 + at);
    let (origin, path) = endpoint.split_at(path_start);
    let location = &location[..location.find(['?', '#']).unwrap_or(location.len())];
    let path = match location {
        "" => path.to_owned(),
        location if location.starts_with('/') => location.to_owned(),
        location => {
            let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
            format!("{folder}{location}")
        }
    };
    format!("{origin}{}", without_dots(&path))
}

/// Returns a URL without its query, its fragment and its credentials.
fn with_scheme(url: &str) -> String {
    without_secrets(url).to_owned()
}

/// Removes the segments `.` and `..` (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut segments = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split('/').skip(1) {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let slash = if ends_in_folder && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{slash}", segments.join("/"))
}
