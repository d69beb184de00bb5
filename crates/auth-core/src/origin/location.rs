//! The origin to which the `Location` of a redirect leads (RFC 9110 §10.2.2).

use percent_encoding::percent_decode_str;

use super::{
    host::Host,
    http_url::split_port,
    ipv4,
    scheme::Scheme,
    target::{Destination, Target},
    value::Origin,
};
use crate::uri_syntax::split_scheme;

/// Where a `Location` leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Lead {
    /// To this origin.
    To(Origin),
    /// To a host that a client may read as any other: it is not ASCII, for example.
    Unclear,
}

/// Returns the origins to which a client may follow `location`, which `base` sent. Empty if no
/// client follows it to an `http` or `https` URL.
///
/// A valid reference is resolved as in RFC 3986 §5.2. Clients that follow redirects, tower-http's
/// for example, use a parser by the rules of the URL standard (WHATWG), which reads an invalid one
/// as well: with backslashes, tabs, too many or too few slashes, or odd forms of an address. It is
/// resolved by these rules. Their table of Unicode's characters is the exception: a host for which
/// it is needed is [`Lead::Unclear`].
pub(crate) fn leads(location: &[u8], base: Target<'_>) -> Vec<Lead> {
    let text: String = String::from_utf8_lossy(location)
        .trim_matches(|c| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .collect();
    let base_scheme = base.destination.as_ref().map(Destination::scheme);
    let (scheme, rest) = match split_scheme(&text) {
        Some((scheme, rest)) => (Some(Scheme::of(scheme)), rest),
        None => (None, text.as_str()),
    };
    if scheme == Some(Scheme::Other) {
        return Vec::new();
    }
    let authority = rest.trim_start_matches(['/', '\\']);
    let has_authority = rest.len() - authority.len() >= 2;
    let has_other_scheme = scheme.is_some_and(|scheme| Some(scheme) != base_scheme);
    let is_relative = !has_authority && !has_other_scheme;

    let mut leads = Vec::new();
    if is_relative {
        let origin = base.destination.and_then(|base| base.origin());
        leads.extend(origin.map(Lead::To));
    }
    // `http:host` is relative to an http URL by the rules of today, and was not by older ones
    if !is_relative || scheme.is_some() {
        let schemes = match scheme.or(base_scheme) {
            Some(Scheme::Other) => &[][..],
            Some(Scheme::Https) => &[Scheme::Https],
            Some(Scheme::Http) => &[Scheme::Http],
            None => &[Scheme::Https, Scheme::Http],
        };
        leads.extend(schemes.iter().filter_map(|scheme| lead(*scheme, authority)));
    }
    leads
}

/// Returns where a URL leads that continues with `text` after the slashes before its authority.
fn lead(scheme: Scheme, text: &str) -> Option<Lead> {
    let end = text.find(['/', '\\', '?', '#']).unwrap_or(text.len());
    let (_, place) = text[..end].rsplit_once('@').unwrap_or(("", &text[..end]));
    let (host, port) = split_port(place).ok()?;
    let host = percent_decode_str(host).decode_utf8_lossy();
    if !host.is_ascii() || host.split('.').any(is_empty_punycode) {
        return Some(Lead::Unclear);
    }
    let host = match ipv4::parse_any_form(&host) {
        Some(address) => Host::Ipv4(address),
        None => Host::parse(&host).ok()?,
    };
    Some(Lead::To(Origin::new(scheme, host, port)))
}

/// Returns whether a label is punycode for no character, or for ASCII characters only. Older parsers
/// removed its prefix (RUSTSEC-2024-0421).
fn is_empty_punycode(label: &str) -> bool {
    let is_punycode = label
        .get(..4)
        .is_some_and(|s| s.eq_ignore_ascii_case("xn--"));
    is_punycode && label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    fn leads_from(base: &str, location: &str) -> Vec<String> {
        let base: Uri = base.parse().unwrap();
        let leads = leads(location.as_bytes(), Target::from(&base));
        let shown = leads.into_iter().map(|lead| match lead {
            Lead::To(origin) => origin.to_string(),
            Lead::Unclear => "unclear".to_owned(),
        });
        shown.collect()
    }

    const BASE: &str = "http://base.example:81/a/b";

    #[test]
    fn rfc3986_5_2_a_relative_reference_stays_within_the_origin() {
        for location in [
            "",
            "/",
            "/x",
            "x",
            "x:y/..",
            "?x",
            "#x",
            ".",
            "../x",
            "/x//y",
            "x/http://y",
        ] {
            let expected: &[&str] = match location {
                "x:y/.." => &[],
                _ => &["http://base.example:81"],
            };
            assert_eq!(leads_from(BASE, location), expected, "{location}");
        }
    }

    #[test]
    fn rfc3986_5_2_an_authority_or_a_scheme_leads_to_its_origin() {
        for (location, expected) in [
            ("//api.example", "http://api.example"),
            ("//api.example:8443/x", "http://api.example:8443"),
            ("https://api.example", "https://api.example"),
            ("https://API.example.:0443/x?y#z", "https://api.example"),
            ("http://api.example:/", "http://api.example"),
            ("https://user:pw@api.example/", "https://api.example"),
            ("https://api.example@evil.example/", "https://evil.example"),
            ("https://evil.example/@api.example", "https://evil.example"),
            ("https://[0:0:0:0:0:0:0:1]:4000/", "https://[::1]:4000"),
            ("https://127.0.0.1/", "https://127.0.0.1"),
        ] {
            assert_eq!(leads_from(BASE, location), [expected], "{location}");
        }
    }

    #[test]
    fn an_invalid_reference_is_resolved_as_the_url_standard_does() {
        for (location, expected) in [
            (" https://api.example ", "https://api.example"),
            ("\thttps://api.example", "https://api.example"),
            ("ht\ttps://api.exa\tmple", "https://api.example"),
            ("https:\t//api.example", "https://api.example"),
            ("https:api.example", "https://api.example"),
            ("https:/api.example", "https://api.example"),
            ("https:///api.example", "https://api.example"),
            (r"https:\\api.example\x", "https://api.example"),
            (r"\\api.example", "http://api.example"),
            (r"/\api.example", "http://api.example"),
            ("///api.example", "http://api.example"),
            (r"https://api.example\@evil.example", "https://api.example"),
            ("https://api%2eexample", "https://api.example"),
            ("https://%61pi.example", "https://api.example"),
            ("https://0x7f.1/", "https://127.0.0.1"),
            ("https://%30x7f.1/", "https://127.0.0.1"),
            ("https://2130706433:4000", "https://127.0.0.1:4000"),
            ("https://127.0.0.1./", "https://127.0.0.1"),
        ] {
            assert_eq!(leads_from(BASE, location), [expected], "{location}");
        }
        for scheme in ["http:", "http:/"] {
            let both = ["http://base.example:81", "http://api.example"];
            assert_eq!(leads_from(BASE, &format!("{scheme}api.example/x")), both);
        }
    }

    #[test]
    fn a_host_that_needs_a_table_of_unicode_is_unclear() {
        for location in [
            "https://b\u{fc}cher.example",
            "https://\u{ff41}pi.example",
            "https://ap\u{ad}i.example",
            "//api\u{3002}example",
            "https://api%E3%80%82example",
            "https://api%ffexample",
            "https://xn--api-.example",
            "https://XN--.api.example",
        ] {
            assert_eq!(leads_from(BASE, location), ["unclear"], "{location}");
        }
        let base: Uri = BASE.parse().unwrap();
        assert_eq!(
            leads(b"https://\xff.example", Target::from(&base)),
            [Lead::Unclear]
        );
        assert_eq!(
            leads(b"/\xff", Target::from(&base)),
            [Lead::To("http://base.example:81".parse().unwrap())]
        );
    }

    #[test]
    fn a_location_that_no_client_follows_leads_nowhere() {
        for location in [
            "https://",
            "https:",
            "https://:443/",
            "https://api.example:65536/",
            "https://api.example:x/",
            "https://api.example:443:443/",
            "https://[::1/",
            "https://[::1%25lo]/",
            "https://a b/",
            "https://api..example",
            "https://1.2.3.4.5/",
            "ftp://api.example/",
            "data:,x",
            "mailto:a@api.example",
            "api.example:443",
        ] {
            assert!(leads_from(BASE, location).is_empty(), "{location}");
        }
    }

    #[test]
    fn without_a_base_both_schemes_are_possible() {
        assert!(leads_from("/only/a/path", "/x").is_empty());
        assert_eq!(
            leads_from("/only/a/path", "https://api.example"),
            ["https://api.example"]
        );
        assert_eq!(
            leads_from("/only/a/path", "//api.example"),
            ["https://api.example", "http://api.example"]
        );
        assert!(leads_from("ftp://base.example/", "//api.example").is_empty());
    }
}
