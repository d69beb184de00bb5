//! The HTTP request of RFC 6749 §4.4.2.

use bytes::Bytes;
use http::{HeaderValue, Method as HttpMethod, Request, header};
use zeroize::Zeroizing;

use crate::{
    Error, NewConnection, SecretString, TokenRequest,
    token_endpoint::{Method, TokenEndpointUrl},
};

/// The `User-Agent` unless the user or the transport sets one.
pub(super) const DEFAULT_USER_AGENT: &str = concat!("auth-core/", env!("CARGO_PKG_VERSION"));

/// The settings of the token requests, beside those that shape the token.
#[derive(Clone, Debug)]
pub(super) struct RequestSettings {
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) client_id_in_form: bool,
}

/// A client that authenticates at its token endpoint.
pub(super) struct Client<'a> {
    pub(super) endpoint: &'a TokenEndpointUrl,
    pub(super) id: &'a str,
    pub(super) method: Method,
    pub(super) secret: &'a SecretString,
}

impl RequestSettings {
    /// Returns the HTTP request. Its parameters are in the order of the providers' documents.
    pub(super) fn http_request(
        &self,
        client: &Client<'_>,
        request: &TokenRequest,
    ) -> Result<Request<Bytes>, Error> {
        let Client {
            endpoint,
            id,
            method,
            secret,
        } = *client;
        endpoint.check_parameters(request.parameters().map(|(name, _)| name))?;
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(1024));
        form.append_pair("grant_type", "client_credentials");
        if !request.scopes().is_empty() {
            form.append_pair("scope", &request.scopes().to_string());
        }
        form.extend_pairs(request.resources().map(|resource| ("resource", resource)));
        form.extend_pairs(request.audience().map(|audience| ("audience", audience)));
        form.extend_pairs(request.parameters());
        if method == Method::Post || self.client_id_in_form {
            form.append_pair("client_id", id);
        }
        let mut form = form.finish();
        if method == Method::Post {
            // growing would leave an unwiped copy behind; an octet becomes at most three
            form.reserve(3 * secret.expose().len() + "&client_secret=".len());
            let mut with_secret = form_urlencoded::Serializer::for_suffix(form, 0);
            with_secret.append_pair("client_secret", secret.expose());
            form = with_secret.finish();
        }
        let body = Bytes::from_owner(Zeroizing::new(form.into_bytes()));

        let mut built = Request::new(body);
        *built.method_mut() = HttpMethod::POST;
        *built.uri_mut() = endpoint.uri().clone();
        built.extensions_mut().insert(NewConnection);
        let headers = built.headers_mut();
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
        if method != Method::Post {
            let value = method.basic_header(id, secret.expose());
            let value = value.ok_or_else(|| {
                Error::configuration(
                    "client id or secret: expected text that an HTTP header can hold",
                )
            })?;
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(built)
    }
}
