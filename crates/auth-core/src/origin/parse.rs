//! Parses origins.

use std::str::FromStr;

use super::{fault::Fault, http_url::HttpUrl, value::Origin};
use crate::{Error, redact::without_secrets};

impl Origin {
    /// Parses a URL, and returns its origin.
    pub(crate) fn of_url(text: &str) -> Result<Self, Error> {
        Ok(parse(text)?.origin)
    }
}

impl FromStr for Origin {
    type Err = Error;

    /// Parses an origin such as `https://api.example.com`, with or without a `/` at its end.
    ///
    /// # Errors
    /// If the text is anything but a scheme (`http` or `https`), a host and optionally a port.
    /// Internationalized host names are expected in their punycode form (`xn--…`).
    fn from_str(text: &str) -> Result<Self, Error> {
        let url = parse(text)?;
        if matches!(url.path, "" | "/") && url.query.is_none() && !url.has_fragment {
            return Ok(url.origin);
        }
        Err(unfit(text, "more than scheme, host and port"))
    }
}

fn parse(text: &str) -> Result<HttpUrl<'_>, Error> {
    HttpUrl::parse(text).map_err(|fault| match fault {
        Fault::Wildcard => unfit(
            text,
            "a wildcard: name each origin, or use danger_any_origin",
        ),
        fault => unfit(text, &fault.to_string()),
    })
}

fn unfit(text: &str, what: &str) -> Error {
    Error::configuration(format!(
        "origin {:?}: expected one such as https://api.example.com, got {what}",
        without_secrets(text)
    ))
}
