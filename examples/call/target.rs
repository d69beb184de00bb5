//! The request that is sent: URL, method, headers and body.

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use url::{ParseError, Url};

use crate::args::{Args, StackName};

/// The request that is sent one or more times.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its origin is the only one that receives the token.
    pub(crate) url: Url,
    pub(crate) request: Request<Bytes>,
}

impl Target {
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        ensure!(
            args.stack != StackName::Tonic || (args.method.is_none() && args.body.is_none()),
            "--stack tonic calls grpc.health.v1.Health/Check; remove -X and -d"
        );
        ensure!(
            args.stack != StackName::Tonic || !args.follow_redirects,
            "--follow-redirects cannot be used with --stack tonic: gRPC has no redirects"
        );
        let url = url(&args.url)?;
        let default = match args.body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = Request::new(Bytes::from(args.body.clone().unwrap_or_default()));
        *request.method_mut() = args.method.clone().unwrap_or(default);
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|e| anyhow!("URL: expected an HTTP request target, got {e}"))?;
        for text in &args.headers {
            let (name, value) = header(text)?;
            request.headers_mut().append(name, value);
        }
        Ok(Self { url, request })
    }
}

/// Parses the URL. The error does not contain it, because it may hold secrets.
fn url(text: &str) -> anyhow::Result<Url> {
    let invalid = |received: &str| {
        anyhow!("URL: expected one such as https://api.example.com/orders, got {received}")
    };
    let url = Url::parse(text).map_err(|e| match e {
        ParseError::RelativeUrlWithoutBase => invalid("one without a scheme"),
        e => invalid(&e.to_string()),
    })?;
    match url.scheme() {
        "https" | "http" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "https" | "http" => Err(invalid("one with a user name or a password")),
        scheme => Err(invalid(&format!("the scheme {scheme}"))),
    }
}

/// Parses a header. The error does not contain the value, because it may be a secret.
fn header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| anyhow!("-H: expected 'name: value', got an argument without a colon"))?;
    let name = name.trim();
    let header = name
        .parse()
        .map_err(|_| anyhow!("-H: expected 'name: value', got the name {name:?}"))?;
    let value = value.trim().parse().map_err(|_| {
        anyhow!("-H {name}: expected a value of visible ASCII characters, got other characters")
    })?;
    Ok((header, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_invalid_url_does_not_contain_it() {
        for (text, expected) in [
            ("api.example.com/s3cr3t", "without a scheme"),
            ("ftp://api.example.com/s3cr3t", "the scheme ftp"),
            ("https://id:s3cr3t@api.example.com/", "user name"),
            ("https://", "empty host"),
        ] {
            let error = url(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let (name, value) = header("X-Tenant:  a: b ").unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("x-tenant", &b"a: b"[..])
        );
        for (text, expected) in [
            ("Authorization s3cr3t", "without a colon"),
            ("two words: s3cr3t", "the name \"two words\""),
            (": s3cr3t", "the name \"\""),
            ("x: s3cr3t\n", ""),
            ("x: s3\ncr3t", "-H x: expected a value"),
        ] {
            match header(text) {
                Ok((_, value)) => assert_eq!(value, "s3cr3t"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains(expected), "{error}");
                    assert!(!error.contains("s3"), "{error}");
                }
            }
        }
    }
}
