//! Reads the responses of a token endpoint (RFC 6749 §5.1 and §5.2), including the deviations of
//! known servers.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, Scopes, SecretString, TokenRequest, TokenResponse,
    error::ErrorResponse,
    redact::{clean, clean_code},
};

/// A response of the token endpoint, and the context for its error texts.
pub(crate) struct ReceivedResponse<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The token endpoint, for error texts.
    pub(crate) endpoint: &'a str,
    pub(crate) request: &'a TokenRequest,
    /// The texts to redact from the server's texts.
    pub(crate) secrets: &'a [SecretString],
}

impl ReceivedResponse<'_> {
    pub(crate) fn read(&self) -> Result<TokenResponse, Error> {
        match self.status {
            status if status.is_success() => self.token(),
            status if status.is_redirection() => Err(Error::new(
                ErrorKind::Redirected,
                format!(
                    "token endpoint {}: expected a token response, got a redirect ({}), which is not \
                     followed, because it would carry the client's secret elsewhere; configure the \
                     final URL",
                    self.endpoint,
                    status.as_u16()
                ),
            )
            .with_status(status)),
            _ => Err(self.error(&serde_json::from_slice(self.body).unwrap_or_default())),
        }
    }

    /// Reads a successful response. Ignores unknown members (§5.1) and a refresh token (§4.4.3).
    fn token(&self) -> Result<TokenResponse, Error> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(self.body) else {
            return Err(self.invalid(&self.not_json()));
        };
        if text(&members, "error").is_ok_and(|e| e.is_some_and(|e| !e.is_empty())) {
            return Err(self.error(&members));
        }
        self.response(&mut members)
            .map_err(|what| self.invalid(&what))
    }

    fn response(&self, members: &mut Map<String, Value>) -> Result<TokenResponse, String> {
        match text(members, "token_type")? {
            None => return Err("expected the member \"token_type\", got none".into()),
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(kind) => {
                return Err(format!(
                    "member \"token_type\": expected \"Bearer\" (RFC 6749 section 7.1), got {:?}",
                    clean(kind, self.secrets)
                ));
            }
        }
        text(members, "access_token")?;
        let Some(Value::String(token)) = members.remove("access_token") else {
            return Err("expected the member \"access_token\", got none".into());
        };
        let mut response = TokenResponse::new(&SecretString::from(token))?;
        if let Some(lifetime) = lifetime(members.get("expires_in"))? {
            response = response.with_expires_in(lifetime);
        }
        if let Some(scopes) = granted(members.get("scope"))? {
            response = response.with_scopes(scopes);
        }
        Ok(response)
    }

    /// Returns the error for a response without a token, with those of the §5.2 members that it
    /// has.
    fn error(&self, members: &Map<String, Value>) -> Error {
        let status = self.status;
        let mut secrets = self.secrets.to_vec();
        // tokens beside an error: the server may repeat them in its description
        let tokens = ["access_token", "refresh_token", "id_token"];
        let tokens = tokens.map(|name| text(members, name).ok().flatten());
        secrets.extend(tokens.into_iter().flatten().map(SecretString::from));
        let member = |name| text(members, name).ok().flatten();
        let code = member("error").map(|code| clean_code(code, &secrets));
        let member = |name| member(name).map(|text| clean(text, &secrets));
        let response = code.map(|error| ErrorResponse {
            error,
            error_description: member("error_description"),
            error_uri: member("error_uri"),
        });
        let code = response.as_ref().map(|r| r.error.as_str());
        let busy = status.is_server_error()
            || matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
            )
            || matches!(code, Some("temporarily_unavailable" | "server_error"));
        let (kind, message) = if busy {
            (ErrorKind::Unavailable, self.unavailable(response.as_ref()))
        } else {
            (ErrorKind::Denied, self.denied(response.as_ref()))
        };
        let mut error = Error::new(kind, message).with_status(status);
        if let Some(response) = response {
            error = error.with_response(response);
        }
        match retry_after(self.headers) {
            Some(wait) => error.with_server_retry_after(wait),
            None => error,
        }
    }

    fn unavailable(&self, response: Option<&ErrorResponse>) -> String {
        let reason = self.reason(response);
        format!("token endpoint {} is unavailable ({reason})", self.endpoint)
    }

    /// Describes a denial: what the server denied, its reason, and what to do about it.
    fn denied(&self, response: Option<&ErrorResponse>) -> String {
        const CHECK_CLIENT: &str = "check the client id, the secret and the authentication method";
        let scopes = self.request.scopes();
        let code = response.map(|response| response.error.as_str());
        let (what, advice) = match code {
            Some("invalid_client") => ("the client".into(), CHECK_CLIENT),
            Some("unauthorized_client") => (
                "the client credentials grant for the client".into(),
                "permit this grant in the client's registration",
            ),
            Some("unsupported_grant_type") => (
                "the client credentials grant".into(),
                "check the URL of the token endpoint, and that the server supports this grant",
            ),
            Some("invalid_scope") if scopes.is_empty() => (
                "a token request without scopes".into(),
                "request the scopes that the client may use",
            ),
            Some("invalid_scope") => (
                format!("the scopes \"{scopes}\""),
                "request only scopes that the client may use",
            ),
            Some("invalid_target") => (
                "the resource or the audience".into(),
                "request only those that the server knows (RFC 8707)",
            ),
            Some("invalid_request") => (
                "the token request".into(),
                "check its parameters, and the authentication method",
            ),
            _ if self.status == StatusCode::UNAUTHORIZED => ("the client".into(), CHECK_CLIENT),
            _ if self.status == StatusCode::NOT_FOUND => (
                "the token request".into(),
                "check the URL of the token endpoint",
            ),
            _ => (
                "the token request".into(),
                "check the client's registration and the parameters of the request",
            ),
        };
        let reason = self.reason(response);
        format!(
            "token endpoint {} denied {what} ({reason}); {advice}",
            self.endpoint
        )
    }

    /// Returns the status and, if there is an error response, its members.
    fn reason(&self, response: Option<&ErrorResponse>) -> String {
        let mut reason = self.status.as_u16().to_string();
        if let Some(response) = response {
            reason.push_str(&format!(" {}", response.error));
            if let Some(description) = &response.error_description {
                reason.push_str(&format!(": {description}"));
            }
            if let Some(uri) = &response.error_uri {
                reason.push_str(&format!(", see {uri}"));
            }
        }
        reason
    }

    fn invalid(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::InvalidResponse,
            format!(
                "token endpoint {}: expected a token response, got an invalid one ({}): {what}",
                self.endpoint,
                self.status.as_u16()
            ),
        )
        .with_status(self.status)
    }

    /// Describes a body that is not a JSON object.
    fn not_json(&self) -> String {
        let kind = self.headers.get(header::CONTENT_TYPE);
        match kind.and_then(|kind| kind.to_str().ok()) {
            _ if self.body.is_empty() => "expected a JSON object, got an empty body".into(),
            Some(kind) => format!(
                "expected a JSON object, got {} bytes of {}",
                self.body.len(),
                clean(kind, self.secrets)
            ),
            None => format!(
                "expected a JSON object, got {} bytes without a content type",
                self.body.len()
            ),
        }
    }
}

/// Returns a member that has to be a text. A member that is null is treated as absent.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!(
            "member {name:?}: expected a text, got {}",
            shape(other)
        )),
    }
}

/// Returns `expires_in`: seconds, as a number or, from some servers, as text. A negative number
/// counts as zero, and a number beyond a `Duration` as the maximum.
fn lifetime(value: Option<&Value>) -> Result<Option<Duration>, String> {
    let value = value.unwrap_or(&Value::Null);
    let seconds = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match seconds {
        Some(seconds) if seconds.is_finite() => Ok(Some(
            Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX),
        )),
        _ => Err(format!(
            "member \"expires_in\": expected a number of seconds, got {}",
            shape(value)
        )),
    }
}

/// Returns the scopes of the response: a text or, from some servers, a list of texts.
fn granted(value: Option<&Value>) -> Result<Option<Scopes>, String> {
    let value = value.unwrap_or(&Value::Null);
    let invalid = || format!("member \"scope\": expected scopes, got {}", shape(value));
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            texts.ok_or_else(invalid)?.join(" ")
        }
        _ => return Err(invalid()),
    };
    Ok(Some(Scopes::granted(&text)))
}

/// Returns a value's type, for error texts that must not show the value.
fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "another text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(
            httpdate::parse_http_date(text)
                .ok()?
                .duration_since(SystemTime::now())
                .unwrap_or_default(),
        ),
    }
}

#[cfg(test)]
mod tests;
