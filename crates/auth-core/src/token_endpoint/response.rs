//! Reads the responses of a token endpoint (RFC 6749 §5.1 and §5.2), including the deviations of
//! known servers.

use std::{cell::OnceCell, time::Duration};

use http::{HeaderMap, StatusCode, header};

use super::{
    error_response::{Code, Described},
    redirect,
    retry_after::retry_after,
    role::Role,
};
use crate::{
    AccessTokenType, Error, ErrorKind, Scopes, SecretString, TokenRequest, TokenResponse,
    error::ErrorResponse,
    json_members::{Members, Value},
    redact::{Echoes, clean, without_secrets},
    token::MAX_SCOPES,
};

/// The longest lifetime that is one: 100 years, in seconds.
const MAX_LIFETIME: f64 = 100.0 * 365.0 * 86_400.0;

/// The grant type of refresh tokens (RFC 6749 §6).
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
/// The `token_type` of an exchanged token that is no access token (RFC 8693 §2.2.1).
const NOT_APPLICABLE: &str = "N_A";

/// The maximum length of a refresh token, in bytes.
const MAX_REFRESH_TOKEN: usize = 64 * 1024;
/// The maximum length of the URI of a token type, in bytes. A longer one is not known.
const MAX_TOKEN_TYPE: usize = 1024;

/// The maximum number of tokens in a response whose texts are shown: each is searched for in them.
const MAX_TOKENS: usize = 8;

/// A response of the token endpoint, and the context for its error texts.
pub(crate) struct ReceivedResponse<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) role: Role,
    /// The URL of the endpoint, for error texts.
    pub(crate) endpoint: &'a str,
    pub(crate) grant_type: &'a str,
    /// What to do if the server denies the client.
    pub(crate) client_advice: &'static str,
    pub(crate) request: &'a TokenRequest,
    /// The texts to redact from the server's texts.
    pub(crate) secrets: &'a [SecretString],
    /// The token types that count as `Bearer`, apart from itself.
    pub(crate) accepted_types: &'a [String],
    /// The type that the token has to have.
    pub(crate) token_type: AccessTokenType,
    /// The time since 1970, for a `Retry-After` without a `Date`.
    pub(crate) wall: Duration,
    /// The echoes of `secrets` and of the tokens in the response, once a text is shown.
    pub(crate) echoes: OnceCell<Echoes>,
}

/// A token response that was read, and what it lacked.
#[derive(Debug)]
pub(crate) struct ReadResponse {
    pub(crate) response: TokenResponse,
    pub(crate) lacks_token_type: bool,
    /// Whether there is an `expires_in` that is no lifetime.
    pub(crate) has_unreadable_lifetime: bool,
}

impl ReceivedResponse<'_> {
    /// Reads the response.
    ///
    /// The status decides first: a success yields a token, or the error that it describes. After a
    /// 400, 401 or 403, and after another 4xx with a code of the registry, the request was denied.
    /// Every other failure is an outage.
    pub(crate) fn read(&self) -> Result<ReadResponse, Error> {
        let read = if self.status.is_success() {
            self.token()
        } else {
            Err(self.failure(&self.described()))
        };
        read.map_err(|error| self.with_head(error))
    }

    /// Returns the error for a revocation that failed.
    pub(crate) fn not_revoked(&self) -> Error {
        self.with_head(self.failure(&self.described()))
    }

    /// Adds to an error what the head of the response says.
    fn with_head(&self, error: Error) -> Error {
        let error = error.with_status(self.status);
        match retry_after(self.headers, self.wall) {
            Some(wait) => error.with_server_retry_after(wait),
            None => error,
        }
    }

    /// Returns the endpoint, for the beginning of error texts.
    fn place(&self) -> String {
        format!("{} {}", self.role.endpoint(), self.endpoint)
    }

    /// Reads a successful response. Ignores unknown members (§5.1).
    fn token(&self) -> Result<ReadResponse, Error> {
        let members = Members::read(self.body);
        if self.describes_error(&members) {
            return Err(self.failure(&self.described()));
        }
        if !members.is_complete() {
            return Err(self.invalid(&self.not_json(&members)));
        }
        self.response(&members).map_err(|what| self.invalid(&what))
    }

    /// Returns whether a successful response describes an error. Beside a token only an `error` with
    /// a text or an object is one, or a known code in broken JSON.
    fn describes_error(&self, members: &Members<'_>) -> bool {
        let mut errors = members.all("error").filter(|error| error.is_meaningful());
        let is_known = |described: &Described| described.known_code().is_some();
        if members.get("access_token").is_some() {
            return errors.any(Value::is_text_or_object)
                || (members.is_broken() && is_known(&self.described()));
        }
        let described = self.described();
        let is_form_or_known = members.is_empty() || is_known(&described);
        errors.next().is_some() || (described.code.is_some() && is_form_or_known)
    }

    /// Returns the error that the body describes, in JSON or in a form.
    fn described(&self) -> Described {
        let described = Described::of(&Members::read(self.body));
        let content_type = self.header_text(&header::CONTENT_TYPE).unwrap_or_default();
        let is_form = content_type
            .to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded");
        let is_form = is_form || self.body.trim_ascii_start().starts_with(b"error=");
        if described.is_empty() && is_form {
            return Described::of_form(self.body.trim_ascii()).unwrap_or_default();
        }
        described
    }

    fn response(&self, members: &Members<'_>) -> Result<ReadResponse, String> {
        let token = members.get("access_token");
        if let (None, Some(endpoint)) = (token, members.get("token_endpoint")) {
            return Err(self.metadata(endpoint));
        }
        let lacks_token_type = self.check_token_type(members.get("token_type"))?;
        let token = token.ok_or("expected the member \"access_token\", got none")?;
        let text = token.text().ok_or_else(|| {
            format!(
                "member \"access_token\": expected a text, got {}",
                token.shape()
            )
        })?;
        let mut response = TokenResponse::new(self.token_type, &text)
            .map_err(|what| format!("member \"access_token\": {what}"))?;
        let lifetime = members.get("expires_in").map(lifetime);
        if let Some(Some(lifetime)) = lifetime {
            response = response.with_expires_in(lifetime);
        }
        if let Some(scopes) = granted(members.get("scope"))? {
            response = response.with_scopes(scopes);
        }
        if let Some(details) = granted_details(members.get("authorization_details"))? {
            response = response.with_authorization_details(details);
        }
        if let Some(refresh_token) = self.refresh_token(members.get("refresh_token"))? {
            response = response.with_refresh_token(refresh_token);
        }
        if let Some(issued) = members.get("issued_token_type").and_then(Value::text)
            && issued.len() <= MAX_TOKEN_TYPE
        {
            response = response.with_issued_token_type(issued.as_str());
        }
        Ok(ReadResponse {
            response,
            lacks_token_type,
            has_unreadable_lifetime: lifetime == Some(None),
        })
    }

    /// Returns the refresh token: visible ASCII and spaces (RFC 6749 appendix A.17). A faulty one is an
    /// error only for the grant that presents refresh tokens, which would present an old one next.
    fn refresh_token(&self, value: Option<Value<'_>>) -> Result<Option<SecretString>, String> {
        let Some(value) = value else { return Ok(None) };
        let text = value.text();
        let is_valid = |text: &str| {
            text.len() <= MAX_REFRESH_TOKEN
                && text.bytes().all(|octet| matches!(octet, b' '..=b'~'))
        };
        match text {
            Some(text) if text.is_empty() => Ok(None),
            Some(text) if is_valid(&text) => Ok(Some(SecretString::from(text.as_str()))),
            _ if self.grant_type != REFRESH_TOKEN => Ok(None),
            Some(text) => Err(format!(
                "member \"refresh_token\": expected at most 65,536 characters of visible ASCII, got another \
                 text of {} bytes",
                text.len()
            )),
            None => Err(format!(
                "member \"refresh_token\": expected a text, got {}",
                value.shape()
            )),
        }
    }

    /// Returns whether there is no token type, which counts as `Bearer`. Only `DPoP` is the type of a
    /// token that is bound to a key: any other token would not be.
    fn check_token_type(&self, value: Option<Value<'_>>) -> Result<bool, String> {
        let Some(value) = value else {
            return match self.token_type {
                AccessTokenType::Bearer => Ok(true),
                AccessTokenType::Dpop => Err(not_bound("got no such member")),
            };
        };
        let Some(text) = value.text() else {
            return Err(format!(
                "member \"token_type\": expected a text, got {}",
                value.shape()
            ));
        };
        let kind = text.trim();
        let is_kind = |accepted: &str| accepted.eq_ignore_ascii_case(kind);
        if self.token_type == AccessTokenType::Dpop {
            return match is_kind("dpop") {
                true => Ok(false),
                false => Err(not_bound(&format!("got {:?}", self.shown(kind)))),
            };
        }
        if kind.is_empty() || is_kind("bearer") || self.accepted_types.iter().any(|a| is_kind(a)) {
            return Ok(kind.is_empty());
        }
        if is_kind("dpop") {
            return Err(
                "member \"token_type\": expected \"Bearer\" (RFC 6749 section 7.1), got \"DPoP\": the \
                 token is bound to a key (RFC 9449); set the key by dpop(...)"
                    .into(),
            );
        }
        if is_kind(NOT_APPLICABLE) {
            return Err(format!(
                "member \"token_type\": expected \"Bearer\", got {NOT_APPLICABLE:?}: the issued token is \
                 no access token, and must not be sent to an API (RFC 8693 section 2.2.1); request an \
                 access token with requested_token_type()"
            ));
        }
        let kind = self.shown(kind);
        Err(format!(
            "member \"token_type\": expected \"Bearer\" (RFC 6749 section 7.1), got {kind:?}; if the \
             API accepts such a token as a bearer token, set accept_token_type({kind:?})"
        ))
    }

    fn metadata(&self, token_endpoint: Value<'_>) -> String {
        let text = token_endpoint.text().unwrap_or_default();
        format!(
            "expected an access token, got the metadata of an authorization server (RFC 8414); set \
             its token endpoint, {}, as the token endpoint",
            self.shown(without_secrets(&text))
        )
    }

    /// Returns a text of the server, fit for a log: without the echoes of the secrets, and without those
    /// of the tokens beside it. The search takes time for each token, so a text beside many is left out.
    fn shown(&self, text: &str) -> String {
        let echoes = self.echoes.get_or_init(|| {
            let members = Members::read(self.body);
            let tokens = ["accesstoken", "refreshtoken", "idtoken"];
            let tokens = tokens.iter().flat_map(|name| members.all_like(name));
            let tokens: Vec<_> = tokens.take(MAX_TOKENS + 1).collect();
            if tokens.len() > MAX_TOKENS {
                return Echoes::everywhere();
            }
            let tokens = tokens.into_iter().filter_map(Value::text);
            let mut secrets = self.secrets.to_vec();
            secrets.extend(tokens.map(|token| SecretString::from(token.as_str())));
            Echoes::of(&secrets)
        });
        clean(text, echoes)
    }

    /// Returns the error for a response without a token.
    fn failure(&self, described: &Described) -> Error {
        let shown = |text: &String| self.shown(text);
        let code = described.known_code();
        let response = ErrorResponse {
            error: match &described.code {
                Some(Code::Known(code)) => Some((*code).to_owned()),
                Some(Code::Other(text)) => Some(shown(text)),
                None => None,
            },
            error_description: described.description.as_deref().map(shown),
            error_uri: described.uri.as_deref().map(shown),
        };
        let reason = self.reason(&response);
        let (kind, message) = match self.failure_kind(code) {
            ErrorKind::Redirected => (ErrorKind::Redirected, self.redirected(&reason)),
            ErrorKind::Denied => (ErrorKind::Denied, self.denied(code, &reason)),
            kind => (kind, self.unavailable(&reason)),
        };
        let error = match code {
            // the server may accept its next nonce
            Some("use_dpop_nonce") if self.token_type == AccessTokenType::Dpop => {
                Error::new(kind, message).transient()
            }
            _ => Error::new(kind, message),
        };
        match described.is_empty() {
            true => error,
            false => error.with_response(response),
        }
    }

    /// Returns the kind of a failure: redirected, denied or unavailable. Only the statuses of a
    /// denial, and a code of the registry, come from the token endpoint itself. An ingress and a
    /// deployment in progress send the others.
    fn failure_kind(&self, code: Option<&str>) -> ErrorKind {
        let is_busy = matches!(code, Some("temporarily_unavailable" | "server_error"))
            || self.status == StatusCode::TOO_MANY_REQUESTS;
        match self.status.as_u16() {
            300..=399 => ErrorKind::Redirected,
            _ if is_busy => ErrorKind::Unavailable,
            200..=299 | 400 | 401 | 403 => ErrorKind::Denied,
            400..=499 if code.is_some() => ErrorKind::Denied,
            _ => ErrorKind::Unavailable,
        }
    }

    fn redirected(&self, reason: &str) -> String {
        let location = self.headers.get(header::LOCATION);
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let endpoint = self.role.endpoint();
        let (target, advice) = match location {
            Some(location) => {
                let target = redirect::target(self.endpoint, &location);
                let target = format!("to {}", self.shown(&target));
                (
                    target,
                    format!("set it as the {endpoint} if it is the right one"),
                )
            }
            None => (
                "without a target".to_owned(),
                format!("check the URL of the {endpoint}"),
            ),
        };
        format!(
            "{}: expected {}, got a redirect {target} ({reason}), which is not followed, because it \
             would carry the client's secret elsewhere; {advice}",
            self.place(),
            self.role.response()
        )
    }

    fn unavailable(&self, reason: &str) -> String {
        let (place, name) = (self.place(), self.role.endpoint());
        match self.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE => format!(
                "{place} is not available at this path ({reason}); the path is probably wrong: check \
                 the URL of the {name}"
            ),
            // RFC 7009 section 2.2.1
            StatusCode::SERVICE_UNAVAILABLE if self.role == Role::Revocation => {
                format!("{place} is unavailable ({reason}); the token is still valid")
            }
            _ => format!("{place} is unavailable ({reason})"),
        }
    }

    /// Describes a denial: what the server denied, its reason, and what to do about it.
    fn denied(&self, code: Option<&str>, reason: &str) -> String {
        let scopes = self.request.scopes();
        let grant = match self.grant_type {
            "client_credentials" => "the client credentials grant".to_owned(),
            other => format!("the grant {other}"),
        };
        let (what, advice) = match code {
            Some("invalid_client") => ("the client".into(), self.client_advice),
            Some("unsupported_token_type") => (
                "the revocation of an access token".into(),
                "this server revokes other tokens only (RFC 7009 section 2.2.1)",
            ),
            Some("unauthorized_client") if self.role == Role::Revocation => (
                self.role.request().into(),
                "a client may revoke only tokens that were issued to it",
            ),
            Some("unauthorized_client") => (
                format!("{grant} for the client"),
                "permit this grant in the client's registration",
            ),
            Some("unsupported_grant_type") => (
                grant,
                "check the URL of the token endpoint, and that the server supports this grant",
            ),
            Some("invalid_grant") if self.grant_type == REFRESH_TOKEN => (
                "the refresh token".into(),
                "it has expired, has been revoked or has been used before; the user has to authorize the \
                 client again",
            ),
            Some("invalid_grant") => (
                grant,
                "check the audience, the subject and the lifetime of the assertion or the token that \
                 the grant presents, and the clock of this machine",
            ),
            Some("invalid_scope") if scopes.is_empty() => (
                "a token request without scopes".into(),
                "request the scopes that the client may use",
            ),
            Some("invalid_scope") => (
                format!("the scopes \"{scopes}\""),
                "request only scopes that the client may use",
            ),
            Some("invalid_authorization_details") => (
                "the authorization details".into(),
                "request only types and members that the client may use (RFC 9396)",
            ),
            Some("invalid_target") => (
                "the resource or the audience".into(),
                "request only those that the server knows (RFC 8707)",
            ),
            Some("invalid_dpop_proof") => (
                "the DPoP proof".into(),
                "check the clock of this machine, and that the server supports the algorithm of the key",
            ),
            Some("use_dpop_nonce") if self.token_type == AccessTokenType::Dpop => (
                "the DPoP proof".into(),
                "expected it to accept the nonce that it had sent, or to send one in the header DPoP-Nonce",
            ),
            Some("use_dpop_nonce") => (
                "a token request without a DPoP proof".into(),
                "set the key of the proofs by dpop(...)",
            ),
            Some("invalid_request") => (
                self.role.request().into(),
                "check its parameters, and the authentication method",
            ),
            _ if self.status == StatusCode::UNAUTHORIZED => {
                ("the client".into(), self.client_advice)
            }
            _ => (
                self.role.request().into(),
                "check the client's registration and the parameters of the request",
            ),
        };
        format!("{} denied {what} ({reason}); {advice}", self.place())
    }

    /// Returns the status and what is known beyond it: the members of the error response, or why
    /// the body has none.
    fn reason(&self, response: &ErrorResponse) -> String {
        let mut reason = self.status.as_u16().to_string();
        if let Some(code) = &response.error {
            reason.push_str(&format!(" {code}"));
        }
        if let Some(description) = &response.error_description {
            reason.push_str(&format!(": {description}"));
        }
        if let Some(uri) = &response.error_uri {
            reason.push_str(&format!(", see {uri}"));
        }
        let is_unread = response.error.is_none() && response.error_description.is_none();
        match self.content_coding() {
            Some(coding) if is_unread => reason.push_str(&format!(
                ", with the content coding \"{coding}\", which was not asked for"
            )),
            None if is_unread && self.is_denied_by_a_page() => {
                reason.push_str(&format!(", {}", self.size_and_type()));
            }
            _ => {}
        }
        reason
    }

    /// Returns whether this is a denial whose body has no members to report. The pages of an outage
    /// are not described: they differ from one to the next.
    fn is_denied_by_a_page(&self) -> bool {
        let is_denied = self.failure_kind(None) == ErrorKind::Denied;
        is_denied && !self.body.is_empty() && Members::read(self.body).is_empty()
    }

    fn invalid(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::InvalidResponse,
            format!(
                "{}: expected {}, got an invalid one ({}): {what}",
                self.place(),
                self.role.response(),
                self.status.as_u16()
            ),
        )
    }

    /// Describes a body that is not a JSON object.
    fn not_json(&self, members: &Members<'_>) -> String {
        if self.body.is_empty() {
            return "expected a JSON object, got an empty body".into();
        }
        if let Some(coding) = self.content_coding() {
            return format!(
                "expected a response without a content coding (the request has Accept-Encoding: \
                 identity), got the content coding \"{coding}\""
            );
        }
        let size_and_type = self.size_and_type();
        // NUL beside an ASCII character, or a byte order mark: UTF-16 and UTF-32
        let has_wide_characters = matches!(self.body, [0, _, ..] | [_, 0, ..]);
        if has_wide_characters || std::str::from_utf8(self.body).is_err() {
            return format!(
                "expected a JSON object in UTF-8, got a body that is not UTF-8, {size_and_type}"
            );
        }
        if members.is_empty() {
            return format!("expected a JSON object, got {size_and_type}");
        }
        format!("expected one whole JSON object and nothing else, got {size_and_type}")
    }

    /// Returns the content codings that the body has although none was asked for.
    fn content_coding(&self) -> Option<String> {
        let lines = self.headers.get_all(header::CONTENT_ENCODING).into_iter();
        let lines: Vec<_> = lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .collect();
        let codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
        let codings = codings.filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"));
        let codings = codings.collect::<Vec<_>>().join(", ");
        (!codings.is_empty()).then(|| self.shown(&codings))
    }

    fn size_and_type(&self) -> String {
        let size = self.body.len();
        match self.header_text(&header::CONTENT_TYPE) {
            Some(kind) => format!("{size} bytes of {}", self.shown(&kind)),
            None => format!("{size} bytes without a content type"),
        }
    }

    fn header_text(&self, name: &http::HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
    }
}

/// Returns `expires_in`: seconds, as a number or, from some servers, as text. `None` if it is no
/// lifetime: unreadable, less than a second or more than 100 years.
fn lifetime(value: Value<'_>) -> Option<Duration> {
    let seconds = value.number()?;
    let is_lifetime = (1.0..=MAX_LIFETIME).contains(&seconds);
    is_lifetime.then(|| Duration::from_secs_f64(seconds))
}

/// Returns the scopes of the response: a text or, from some servers, a list of texts. `None` if they
/// are unknown: absent, or neither of them.
fn granted(value: Option<Value<'_>>) -> Result<Option<Scopes>, String> {
    let Some(value) = value else { return Ok(None) };
    let texts = match value.list() {
        Some(list) => list.into_iter().map(Value::text).collect(),
        None => value.text().map(|text| vec![text]),
    };
    let Some(texts) = texts else { return Ok(None) };
    let length: usize = texts.iter().map(|text| text.len() + 1).sum();
    if length > MAX_SCOPES + 1 {
        return Err(format!(
            "member \"scope\": expected scopes of at most 16 KiB, got {} bytes",
            length - 1
        ));
    }
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    Ok(Some(Scopes::granted(&texts.join(" "))))
}

/// Returns the granted authorization details. `None` if they are unknown: absent, or no list.
fn granted_details(value: Option<Value<'_>>) -> Result<Option<&str>, String> {
    let Some(value) = value else { return Ok(None) };
    if value.size() > MAX_SCOPES {
        return Err(format!(
            "member \"authorization_details\": expected details of at most 16 KiB, got {} bytes",
            value.size()
        ));
    }
    Ok(value.list_text())
}

/// Returns the fault of a token that is not bound to the client's key. `got`: its type.
fn not_bound(got: &str) -> String {
    format!(
        "member \"token_type\": expected \"DPoP\" (RFC 9449 section 5), {got}: the token is not bound to \
         the key, and any reader of the token could use it; permit DPoP in the client's registration, or remove \
         dpop(...) if the server does not support it"
    )
}

#[cfg(test)]
mod tests;
