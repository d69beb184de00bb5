//! Configures a [`TokenEndpoint`], and checks it.

use std::{fmt, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT,
        HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
    },
};

use super::{
    authentication::ClientAuthentication,
    denied::DeniedCredentials,
    endpoint::{Inner, Thumbprint, TokenEndpoint},
    http_request::{RequestSettings, default_user_agent},
    issued_tokens::IssuedTokens,
    location::Location,
    metadata::Discovery,
    url::TokenEndpointUrl,
    warnings::Warnings,
};
use crate::{
    Dpop, DpopProver, Error, HttpTransport,
    credential_syntax::check_credential,
    dpop::{DPOP, NonceCell},
    redact::without_secrets,
};

/// The headers that the token request or the HTTP client sets.
const RESERVED_HEADERS: [HeaderName; 14] = [
    ACCEPT,
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DPOP,
    EXPECT,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
];

/// Builds a [`TokenEndpoint`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone)]
pub struct TokenEndpointBuilder {
    place: Place,
    issuer: Option<String>,
    revocation_endpoint: Option<String>,
    client_id: Option<String>,
    authentication: ClientAuthentication,
    allow_http: bool,
    accepted_types: Vec<String>,
    user_agent: UserAgent,
    client_id_in_form: Option<bool>,
    headers: Vec<(String, String)>,
    dpop: Option<Arc<dyn DpopProver>>,
    thumbprint: Option<Thumbprint>,
}

/// Where the token endpoint is, unchecked.
#[derive(Clone)]
enum Place {
    Url(String),
    Discovered,
}

/// The `User-Agent` of the token requests.
#[derive(Clone, Debug)]
enum UserAgent {
    /// That of this crate, unless the transport sets one.
    Default,
    Set(String),
    /// None. The transport may set one.
    Omitted,
}

impl TokenEndpoint {
    /// Starts with the URL of a token endpoint, and the client's authentication there.
    pub fn builder(
        url: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> TokenEndpointBuilder {
        TokenEndpointBuilder::new(Place::Url(url.into()), authentication.into())
    }

    /// Starts with the issuer of an authorization server, whose metadata tells the token endpoint
    /// ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414), [OpenID Connect
    /// Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html)).
    ///
    /// The document is requested at the first token request, over the same transport. It is used for an
    /// hour, and requested again after a token request that did not reach the endpoint or whose client
    /// was denied. If it is not available then, the last one is used, for 30 s or the time that the
    /// server asks for (`Retry-After`, at most an hour), before it is requested again. Its `issuer` has to
    /// be the given text, octet by octet: a document of another issuer is an error, also where there was a
    /// right one before. A client with a certificate uses the endpoint of `mtls_endpoint_aliases`.
    ///
    /// The document may name endpoints at any `https` host, which then receive the client's secret or
    /// assertion and the [headers](TokenEndpointBuilder::header): the issuer decides who sees them. It
    /// names no `http` endpoint, unless the issuer is `http` itself, on loopback, or
    /// [`danger_allow_http`](TokenEndpointBuilder::danger_allow_http) permits it.
    ///
    /// The request for the document has the `User-Agent` of the token requests, and none of their
    /// [headers](TokenEndpointBuilder::header). Each of the two documents, of RFC 8414 and of OpenID
    /// Connect, has half of 5 s, or of half of the attempt's time if that is less.
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenEndpoint, TokenRequest};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    /// let endpoint = TokenEndpoint::discover("https://as.example.com", authentication)
    ///     .client_id("my-client")
    ///     .build(transport)?;
    /// let grant = ClientCredentials::new(endpoint, TokenRequest::default())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn discover(
        issuer: impl Into<String>,
        authentication: impl Into<ClientAuthentication>,
    ) -> TokenEndpointBuilder {
        TokenEndpointBuilder::new(Place::Discovered, authentication.into()).issuer(issuer)
    }
}

impl TokenEndpointBuilder {
    fn new(place: Place, authentication: ClientAuthentication) -> Self {
        Self {
            place,
            issuer: None,
            revocation_endpoint: None,
            client_id: None,
            authentication,
            allow_http: false,
            accepted_types: Vec::new(),
            user_agent: UserAgent::Default,
            client_id_in_form: None,
            headers: Vec::new(),
            dpop: None,
            thumbprint: None,
        }
    }

    /// Sets the token endpoint's URL. It is not discovered then.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.place = Place::Url(url.into());
        self
    }

    /// Sets the issuer of the authorization server: the audience of assertions, and the place of the
    /// metadata for an endpoint that is [discovered](TokenEndpoint::discover).
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the URL of the revocation endpoint, at which tokens are revoked
    /// ([RFC 7009 §2](https://www.rfc-editor.org/rfc/rfc7009#section-2)). The client authenticates
    /// there as it does at the token endpoint. Default: none, and
    /// [`TokenCache::revoke`](crate::TokenCache::revoke) fails.
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, Error, HttpTransport, TokenEndpoint};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    /// let endpoint = TokenEndpoint::builder("https://as.example.com/token", authentication)
    ///     .client_id("my-client")
    ///     .revocation_endpoint("https://as.example.com/revoke")
    ///     .build(transport)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// Sets the client's id. A client that authenticates by a secret or by a certificate has one.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Sets the client's authentication.
    #[must_use]
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Permits `http` to a token endpoint or a revocation endpoint that is not on loopback. The client's secret is then
    /// visible on the network path. Default: `false`.
    #[must_use]
    pub fn danger_allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Accepts another `token_type` than `Bearer`: see
    /// [`ClientCredentialsBuilder::accept_token_type`](crate::ClientCredentialsBuilder::accept_token_type).
    #[must_use]
    pub fn accept_token_type(mut self, token_type: impl Into<String>) -> Self {
        self.accepted_types.push(token_type.into());
        self
    }

    /// Sets the `User-Agent` of the token requests: see
    /// [`ClientCredentialsBuilder::user_agent`](crate::ClientCredentialsBuilder::user_agent).
    #[must_use]
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.user_agent = UserAgent::Set(value.into());
        self
    }

    /// Sends no `User-Agent` of this crate: see
    /// [`ClientCredentialsBuilder::no_user_agent`](crate::ClientCredentialsBuilder::no_user_agent).
    #[must_use]
    pub fn no_user_agent(mut self) -> Self {
        self.user_agent = UserAgent::Omitted;
        self
    }

    /// Sets whether the form holds `client_id`.
    ///
    /// | authentication | default |
    /// |---|---|
    /// | `client_secret_basic` | `false` |
    /// | a client assertion | `true`; the assertion names the client as well |
    /// | `none` | `true`, if the client has an id |
    /// | `client_secret_post`, a client certificate | `true`; another value is an error |
    #[must_use]
    pub fn client_id_in_form(mut self, send: bool) -> Self {
        self.client_id_in_form = Some(send);
        self
    }

    /// Adds a header to each token request, such as a subscription key. Its value is treated like a
    /// secret. It is part of the key of a shared store, because it may decide about the token.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Binds the tokens to a key ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): each token request
    /// has a proof of the key, and the authorization server has to issue tokens of the type `DPoP`. A
    /// bearer token is an error. `DpopKey` of `auth-jose` is such a key. Default: no key, bearer tokens.
    ///
    /// If the server demands a nonce (`use_dpop_nonce`), the token request is repeated once, with a new
    /// proof and a new client assertion.
    #[must_use]
    pub fn dpop(mut self, prover: impl DpopProver) -> Self {
        self.dpop = Some(Arc::new(prover));
        self
    }

    /// States the certificate that the transport presents, by a function that returns its thumbprint
    /// (`x5t#S256` of [RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)): the server
    /// binds its tokens to the certificate, and the API requires the same one.
    ///
    /// The thumbprint is part of the key of a shared store: processes with different certificates share
    /// no token. An endpoint that is [discovered](TokenEndpoint::discover) is that of
    /// `mtls_endpoint_aliases`, whatever the client's authentication.
    /// `auth-rustls` has a certificate that states its thumbprint.
    ///
    /// ```
    /// # use auth_core::{ClientAuthentication, Error, HttpTransport, TokenEndpoint};
    /// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// let thumbprint = || "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0".to_owned();
    /// let endpoint = TokenEndpoint::builder("https://as.example.com/token", ClientAuthentication::tls_client_auth())
    ///     .client_id("my-client")
    ///     .certificate_thumbprint(thumbprint)
    ///     .build(transport)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn certificate_thumbprint(
        mut self,
        thumbprint: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        self.thumbprint = Some(Arc::new(thumbprint));
        self
    }

    /// Builds the token endpoint, which is reached over `transport`.
    ///
    /// # Errors
    /// An [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) error if
    ///
    /// - the URL is not an `https` URL (`http` is allowed on loopback, or with
    ///   [`danger_allow_http`](Self::danger_allow_http)), or contains a fragment, a user or a password
    /// - the issuer is empty; for an endpoint that is discovered, if it is not such an `https` URL, or has
    ///   a query
    /// - the URL's query contains a parameter that the token request also sends
    /// - the same holds for the URL of the revocation endpoint
    /// - the client id or the secret is empty, or contains a character that no credential has: see
    ///   [`ClientSecret`](crate::ClientSecret#characters). The same rules hold for the id.
    /// - the authentication requires a client id and there is none, or the form has to hold it and must
    ///   not
    /// - the id contains a `:` and the authentication is `client_secret_basic_raw`
    /// - the `User-Agent` is empty, or contains something else than visible ASCII and spaces within
    /// - a header is malformed, is given twice, or is one that the token request or the HTTP client sets
    /// - a token type to accept is blank, or one is given beside a key for DPoP, where `DPoP` is the only
    ///   type
    /// - the key for DPoP has no thumbprint
    pub fn build(self, transport: impl HttpTransport) -> Result<TokenEndpoint, Error> {
        let location = self.location()?;
        let revocation = self.revocation_endpoint.as_deref();
        let revocation =
            revocation.map(|url| TokenEndpointUrl::parse_revocation(url, self.allow_http));
        let revocation_endpoint = revocation.transpose()?;
        if let Some(client_id) = &self.client_id {
            if client_id.is_empty() {
                return Err(Error::configuration(
                    "client id: expected an id, got an empty text",
                ));
            }
            check_credential("client id", client_id)?;
        }
        self.authentication.check(self.client_id.as_deref())?;
        let settings = RequestSettings {
            user_agent: match &self.user_agent {
                UserAgent::Default => default_user_agent(&transport),
                UserAgent::Set(value) => Some(user_agent(value)?),
                UserAgent::Omitted => None,
            },
            client_id_in_form: self.has_id_in_form()?,
            headers: headers(&self.headers)?,
        };
        let accepted_types = self.accepted_types.iter().map(|accepted| accepted.trim());
        if accepted_types.clone().any(str::is_empty) {
            return Err(Error::configuration(
                "accept_token_type: expected a token type such as \"BearerToken\", got a blank text",
            ));
        }
        let dpop = self.dpop.map(Dpop::new).transpose()?;
        if dpop.is_some() && !self.accepted_types.is_empty() {
            return Err(Error::configuration(
                "accept_token_type: expected none beside dpop, which requires the token type DPoP, got one",
            ));
        }
        Ok(TokenEndpoint::new(Inner {
            location,
            revocation_endpoint,
            dpop,
            nonce: NonceCell::default(),
            accepted_types: accepted_types.map(Into::into).collect(),
            client_id: self.client_id,
            authentication: self.authentication,
            thumbprint: self.thumbprint,
            settings,
            transport: Box::new(transport),
            warnings: Warnings::default(),
            denied: DeniedCredentials::default(),
            issued: IssuedTokens::default(),
        }))
    }

    fn location(&self) -> Result<Location, Error> {
        let issuer = self.issuer.as_deref();
        if issuer.is_some_and(str::is_empty) {
            return Err(Error::configuration(
                "issuer: expected a URL such as https://as.example.com, got an empty text",
            ));
        }
        Ok(match &self.place {
            Place::Url(url) => Location::Url {
                url: TokenEndpointUrl::parse(url, self.allow_http)?.into(),
                issuer: issuer.map(Into::into),
            },
            Place::Discovered => {
                let discovery = Discovery::new(issuer.unwrap_or_default(), self.allow_http)?;
                Location::Discovered(Box::new(discovery))
            }
        })
    }

    fn has_id_in_form(&self) -> Result<bool, Error> {
        let method = self.authentication.method();
        if self.client_id.is_none() && self.client_id_in_form == Some(true) {
            return Err(Error::configuration(
                "client_id_in_form: expected a client id to send, got none; set it with client_id()",
            ));
        }
        match (method.has_id_in_form(), self.client_id_in_form) {
            (None, Some(false)) => Err(Error::configuration(format!(
                "client_id_in_form: expected true for {}, which requires client_id in the form, got false",
                method.name()
            ))),
            (default, set) => Ok(set.or(default).unwrap_or(true)),
        }
    }
}

fn user_agent(value: &str) -> Result<HeaderValue, Error> {
    let is_valid = value.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    let value = Some(value).filter(|value| is_valid && !value.is_empty() && value.trim() == *value);
    value
        .and_then(|value| HeaderValue::from_str(value).ok())
        .ok_or_else(|| {
            Error::configuration(
                "user agent: expected visible ASCII, with spaces only within (RFC 9110 section \
                 10.1.5), got another text",
            )
        })
}

/// Returns the user's headers, with values that are marked sensitive.
fn headers(given: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let invalid =
            |what: &str| Error::configuration(format!("header {:?}: expected {what}", shown(name)));
        let parsed: HeaderName = name.parse().map_err(|_| {
            invalid("a name of letters, digits and the characters of RFC 9110 section 5.6.2")
        })?;
        if RESERVED_HEADERS.contains(&parsed) {
            return Err(invalid(
                "none that the token request or the HTTP client sets; set the User-Agent with \
                 user_agent()",
            ));
        }
        let is_visible = value.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        let mut parsed_value = HeaderValue::from_str(value)
            .ok()
            .filter(|_| is_visible && value.trim() == *value && !value.is_empty())
            .ok_or_else(|| invalid("a value of visible ASCII, with spaces only within"))?;
        parsed_value.set_sensitive(true);
        if headers.insert(parsed, parsed_value).is_some() {
            return Err(invalid("it once, got it twice"));
        }
    }
    Ok(headers)
}

/// Returns the name of a header for errors. A text that is not a name may hold a value, which may be secret:
/// only the name before a colon is shown.
fn shown(name: &str) -> String {
    let (start, rest) = match name.split_once(':') {
        Some((start, _)) => (start, ":…"),
        None => (name, ""),
    };
    match (start.parse::<HeaderName>(), name.chars().count()) {
        (Ok(_), _) => format!("{start}{rest}"),
        // too short for a secret
        (Err(_), 0..8) => name.to_owned(),
        (Err(_), length) => format!("[{length} characters]"),
    }
}

impl fmt::Debug for TokenEndpointBuilder {
    /// Shows the URL without its query, and headers by name only: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| shown(name)).collect();
        let url = match &self.place {
            Place::Url(url) => Some(without_secrets(url)),
            Place::Discovered => None,
        };
        let revocation = self.revocation_endpoint.as_deref().map(without_secrets);
        f.debug_struct("TokenEndpointBuilder")
            .field("url", &url)
            .field("issuer", &self.issuer.as_deref().map(without_secrets))
            .field("revocation_endpoint", &revocation)
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("danger_allow_http", &self.allow_http)
            .field("user_agent", &self.user_agent)
            .field("client_id_in_form", &self.client_id_in_form)
            .field("headers", &headers)
            .field("dpop", &self.dpop)
            .finish_non_exhaustive()
    }
}
