//! The HTTP request to the token endpoint (RFC 6749 §3.2).

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method as HttpMethod, Request, header};
use zeroize::Zeroizing;

use super::{
    authentication::{Credential, Method},
    form::Form,
    url::TokenEndpointUrl,
};
use crate::{Error, HttpTransport, NewConnection, TokenRequest};

/// The `User-Agent` unless the user or the transport sets one.
const DEFAULT_USER_AGENT: &str = concat!("auth-core/", env!("CARGO_PKG_VERSION"));

/// Returns the `User-Agent` of this crate, unless the transport sets one.
pub(super) fn default_user_agent(transport: &dyn HttpTransport) -> Option<HeaderValue> {
    let value = HeaderValue::from_static(DEFAULT_USER_AGENT);
    (!transport.sets_user_agent()).then_some(value)
}

/// The settings of the token requests, beside those that shape the token.
#[derive(Clone, Debug)]
pub(super) struct RequestSettings {
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) client_id_in_form: bool,
    /// Headers of the user. Their values are marked sensitive.
    pub(super) headers: HeaderMap,
}

/// A client that authenticates at its token endpoint.
pub(super) struct Client<'a> {
    pub(super) endpoint: &'a TokenEndpointUrl,
    pub(super) id: Option<&'a str>,
    pub(super) method: Method,
    pub(super) credential: &'a Credential<'a>,
}

/// The parameters of a form, in the order in which they are sent.
type Parameters<'a> = Vec<(&'a str, Cow<'a, str>)>;

impl RequestSettings {
    /// Returns the HTTP request for a token.
    pub(super) fn token_request(
        &self,
        client: &Client<'_>,
        form: &Form,
        request: &TokenRequest,
    ) -> Result<Request<Bytes>, Error> {
        check_names(Some(client.endpoint), form, request)?;
        self.http_request(client, token_parameters(form, request))
    }

    /// Returns the HTTP request that revokes an access token (RFC 7009 §2.1).
    pub(super) fn revocation(
        &self,
        client: &Client<'_>,
        token: &str,
    ) -> Result<Request<Bytes>, Error> {
        let hint = ("token_type_hint", "access_token".into());
        self.http_request(client, vec![("token", token.into()), hint])
    }

    /// Returns the HTTP request of a client that authenticates.
    fn http_request<'a>(
        &self,
        client: &Client<'a>,
        mut parameters: Parameters<'a>,
    ) -> Result<Request<Bytes>, Error> {
        self.add_client(client, &mut parameters);
        // growing would leave an unwiped copy behind; an octet becomes at most three
        let length = |(name, value): &(&str, Cow<'_, str>)| 3 * (name.len() + value.len()) + 2;
        let body = String::with_capacity(parameters.iter().map(length).sum());
        let mut body = form_urlencoded::Serializer::new(body);
        body.extend_pairs(&parameters);
        let body = Zeroizing::new(body.finish().into_bytes());

        let mut built = Request::new(Bytes::from_owner(body));
        *built.method_mut() = HttpMethod::POST;
        *built.uri_mut() = client.endpoint.uri().clone();
        built.extensions_mut().insert(NewConnection);
        let headers = built.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        // no response is decoded
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if let Some(user_agent) = &self.user_agent {
            headers.insert(header::USER_AGENT, user_agent.clone());
        }
        if let (Credential::Secret(candidate), Method::Basic | Method::BasicRaw) =
            (client.credential, client.method)
        {
            let id = client.id.unwrap_or_default();
            let value = client.method.basic_header(id, candidate.secret.expose());
            let value = value.ok_or_else(|| {
                Error::configuration(
                    "client id or secret: expected text that an HTTP header can hold",
                )
            })?;
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(built)
    }

    /// Adds the parameters of the client's authentication.
    fn add_client<'a>(&self, client: &Client<'a>, all: &mut Parameters<'a>) {
        if self.client_id_in_form {
            all.extend(client.id.map(|id| ("client_id", id.into())));
        }
        match client.credential {
            Credential::Secret(candidate) if client.method == Method::Post => {
                all.push(("client_secret", candidate.secret.expose().into()));
            }
            Credential::Assertion {
                assertion,
                assertion_type,
            } => {
                all.push(("client_assertion_type", (*assertion_type).into()));
                all.push(("client_assertion", assertion.expose().into()));
            }
            Credential::Secret(_) | Credential::None => {}
        }
    }
}

/// Returns the parameters of a token request, in the order of the providers' documents.
fn token_parameters<'a>(form: &'a Form, request: &'a TokenRequest) -> Parameters<'a> {
    let mut all: Parameters<'a> = vec![("grant_type", form.grant_type().into())];
    all.extend(form.values().map(|(name, value)| (name, value.into())));
    if !form.sends_request() {
        return all;
    }
    if !request.scopes().is_empty() {
        all.push(("scope", request.scopes().to_string().into()));
    }
    let resources = request.resources();
    all.extend(resources.map(|resource| ("resource", resource.into())));
    let audience = request.audience();
    all.extend(audience.map(|audience| ("audience", audience.into())));
    let details: Vec<&str> = request.authorization_details().collect();
    if !details.is_empty() {
        let details = format!("[{}]", details.join(","));
        all.push(("authorization_details", details.into()));
    }
    let parameters = request.parameters();
    all.extend(parameters.map(|(name, value)| (name, value.into())));
    all
}

/// The parameters that every token request sets by itself.
const OF_CLIENT: [&str; 5] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
];
/// The parameters that a token request sets unless the form leaves them out.
const OF_REQUEST: [&str; 4] = ["audience", "authorization_details", "resource", "scope"];

/// Checks that no field of a form is sent twice (RFC 6749 §3.2): beside another field, or beside a
/// parameter of the client or of the token request. A client that authenticates twice in one request is
/// denied (§2.3). Only `resource` may repeat (RFC 8707 §2).
fn check_fields(form: &Form) -> Result<(), Error> {
    let invalid = |name: &str, what: &str| {
        Error::configuration(format!(
            "field {name:?} of the grant {}: expected {what}",
            form.grant_type()
        ))
    };
    let is_any = |names: &[&str], name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    for (index, name) in form.names().enumerate() {
        if is_any(&OF_CLIENT, name) {
            let what = "none of the names that each token request sets by itself; set the client's \
                        authentication and id at the token endpoint";
            return Err(invalid(name, what));
        }
        if form.sends_request() && is_any(&OF_REQUEST, name) {
            let what = "none of the names of the token request; set it there, or leave those out by \
                        without_request_parameters()";
            return Err(invalid(name, what));
        }
        let mut before = form.names().take(index);
        let is_repeated = before.any(|known| known.eq_ignore_ascii_case(name));
        if is_repeated && !name.eq_ignore_ascii_case("resource") {
            return Err(invalid(
                name,
                "it once (RFC 6749 section 3.2), got it twice",
            ));
        }
    }
    Ok(())
}

/// Checks the grant type, and that no parameter is sent twice: in the endpoint's query, in the form and
/// as a parameter of the request. Names are compared without case, as many servers do.
pub(super) fn check_names(
    endpoint: Option<&TokenEndpointUrl>,
    form: &Form,
    request: &TokenRequest,
) -> Result<(), Error> {
    if form.grant_type().is_empty() {
        return Err(Error::configuration(
            "grant type: expected one (RFC 6749 section 4), got an empty text",
        ));
    }
    let is_sent = |_: &&str| form.sends_request();
    let of_request = || request.parameters().map(|(name, _)| name).filter(is_sent);
    if let Some(endpoint) = endpoint {
        endpoint.check_parameters(of_request().chain(form.names()))?;
    }
    check_fields(form)?;
    let is_field = |name: &str| form.names().any(|field| field.eq_ignore_ascii_case(name));
    match of_request().find(|name| is_field(name)) {
        None => Ok(()),
        Some(name) => Err(Error::configuration(format!(
            "parameter {name:?}: expected none of the names that the grant {} sets; remove it from the \
             token request",
            form.grant_type()
        ))),
    }
}
