//! The metadata documents: RFC 8414, OpenID Connect Discovery.

use std::sync::Mutex;

use http::{HeaderValue, Method, Request, StatusCode, header::ALLOW};
use serde_json::{Map, Value};

use super::{
    client_authentication::ClientAuthenticationMethod, revocation::REVOCATION_PATH,
    token_endpoint::TokenEndpoint,
};
use crate::{
    answer::Answer,
    fault::Fault,
    script::Script,
    sync::{Counter, lock},
};

/// Where a metadata document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetadataPath {
    /// `/.well-known/oauth-authorization-server`, before the path of the issuer
    /// ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
    OAuth,
    /// `/.well-known/openid-configuration`, after the path of the issuer ([OpenID Connect Discovery
    /// §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
    OpenId,
}

impl MetadataPath {
    fn of(self, issuer_path: &str) -> String {
        let issuer_path = issuer_path.trim_end_matches('/');
        match self {
            Self::OAuth => format!("/.well-known/oauth-authorization-server{issuer_path}"),
            Self::OpenId => format!("{issuer_path}/.well-known/openid-configuration"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) paths: Mutex<Vec<MetadataPath>>,
    /// Members that a test has set, or removed (`None`).
    pub(super) members: Mutex<Vec<(String, Option<Value>)>>,
    pub(super) faults: Script<Fault>,
    pub(super) requests: Counter,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            paths: Mutex::new(vec![MetadataPath::OAuth, MetadataPath::OpenId]),
            members: Mutex::default(),
            faults: Script::default(),
            requests: Counter::default(),
        }
    }
}

impl Metadata {
    /// Returns whether there can be a document at this path.
    pub(super) fn is_at(path: &str, endpoint: &TokenEndpoint) -> bool {
        let all = [MetadataPath::OAuth, MetadataPath::OpenId];
        all.iter()
            .any(|kind| kind.of(&endpoint.issuer_path) == path)
    }

    pub(super) fn respond<B>(
        &self,
        request: &Request<B>,
        endpoint: &TokenEndpoint,
        base: &str,
    ) -> Answer {
        let paths = lock(&self.paths).clone();
        let path = request.uri().path();
        if !paths
            .iter()
            .any(|kind| kind.of(&endpoint.issuer_path) == path)
        {
            return Answer::status(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return Answer::status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(ALLOW, HeaderValue::from_static("GET"));
        }
        let mut document = endpoint.document(base);
        for (name, value) in &*lock(&self.members) {
            match value {
                Some(value) => document.insert(name.clone(), value.clone()),
                None => document.remove(name),
            };
        }
        Answer::json(Value::Object(document).to_string())
    }
}

impl TokenEndpoint {
    /// Returns what the server says about itself (RFC 8414 §2).
    fn document(&self, base: &str) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("issuer".into(), self.issuer(base).into());
        members.insert("token_endpoint".into(), self.url(base).into());
        let revocation = format!("{base}{REVOCATION_PATH}");
        members.insert("revocation_endpoint".into(), revocation.into());
        members.insert(
            "token_endpoint_auth_methods_supported".into(),
            self.method_names().into(),
        );
        members.insert("grant_types_supported".into(), self.grant_types().into());
        // required by RFC 8414, also without an authorization endpoint
        members.insert("response_types_supported".into(), Value::Array(Vec::new()));
        if let Some(scopes) = &self.scopes {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            members.insert("scopes_supported".into(), scopes.into());
        }
        members
    }

    fn method_names(&self) -> Vec<&'static str> {
        use ClientAuthenticationMethod as Method;
        let mut names: Vec<&str> = Vec::new();
        let registered = |method: &Method| match method {
            Method::ClientSecretBasic | Method::ClientSecretBasicRaw => "client_secret_basic",
            Method::ClientSecretPost => "client_secret_post",
            Method::Anonymous => "none",
        };
        names.extend(self.methods.iter().map(registered));
        for client in lock(&self.clients).values() {
            names.extend(client.methods());
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}
