//! What is called: URL, method, headers, body.

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use url::{ParseError, Url};

use crate::args::{Args, StackName};

/// The request that is sent, over and over.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its origin may see the token.
    pub(crate) url: Url,
    pub(crate) request: Request<Bytes>,
}

impl Target {
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        ensure!(
            args.stack != StackName::Tonic || (args.method.is_none() && args.body.is_none()),
            "--stack tonic calls grpc.health.v1.Health/Check: expected neither -X nor -d"
        );
        ensure!(
            args.stack != StackName::Tonic || !args.follow_redirects,
            "--follow-redirects: gRPC knows no redirects, expected it not with --stack tonic"
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
            .map_err(|e| anyhow!("URL: expected one that can be sent, got {e}"))?;
        for text in &args.headers {
            let (name, value) = header(text)?;
            request.headers_mut().append(name, value);
        }
        Ok(Self { url, request })
    }
}

/// The error does not repeat the URL, which may hold secrets.
fn url(text: &str) -> anyhow::Result<Url> {
    let wrong = |what: &str| {
        anyhow!("URL: expected one such as https://api.example.com/orders, got {what}")
    };
    let url = Url::parse(text).map_err(|e| match e {
        ParseError::RelativeUrlWithoutBase => wrong("one without a scheme"),
        e => wrong(&e.to_string()),
    })?;
    match url.scheme() {
        "https" | "http" if url.username().is_empty() && url.password().is_none() => Ok(url),
        "https" | "http" => Err(wrong("one with credentials in it")),
        scheme => Err(wrong(&format!("the scheme {scheme}"))),
    }
}

/// The error does not repeat the value, which may be a secret.
fn header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| anyhow!("-H: expected 'name: value', got a text without a colon"))?;
    let name = name.trim();
    let header = name
        .parse()
        .map_err(|_| anyhow!("-H: expected 'name: value', got the name {name:?}"))?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| anyhow!("-H {name}: expected a value of visible characters, got others"))?;
    Ok((header, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_none_is_told_without_repeating_it() {
        for (text, expected) in [
            ("api.example.com/s3cr3t", "without a scheme"),
            ("ftp://api.example.com/s3cr3t", "the scheme ftp"),
            ("https://id:s3cr3t@api.example.com/", "credentials"),
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
