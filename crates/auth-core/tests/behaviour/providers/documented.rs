//! An authorization server that behaves as the documents of a provider say.

use std::time::{Duration, SystemTime};

use auth_core::{ClientCredentialsBuilder, HttpTransport, TokenCache};
use auth_testing::{AuthorizationServer, ClientAuthenticationMethod};
use auth_tower::TowerTransport;
use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

use super::{ID, SECRET};

/// The provider's server, simulated on loopback.
pub(super) struct Documented {
    pub(super) method: ClientAuthenticationMethod,
    pub(super) lifetime: u64,
    pub(super) scopes: &'static str,
    pub(super) echoes_scope: bool,
}

impl Documented {
    pub(super) async fn start(&self, path: &str) -> AuthorizationServer {
        let server = AuthorizationServer::builder()
            .client(ID, SECRET)
            .accept([self.method])
            .token_endpoint_path(path)
            .token_lifetime(Duration::from_secs(self.lifetime))
            .echo_scope(self.echoes_scope);
        let server = if self.scopes.is_empty() {
            server
        } else {
            server.scopes(self.scopes)
        };
        server.start().await.unwrap()
    }

    /// Gets a token from the server. Asserts that the request goes to `url` with this `authorization` and this
    /// `body`, and that it has no other header than every request has.
    pub(super) async fn serves(
        &self,
        grant: ClientCredentialsBuilder,
        url: &'static str,
        authorization: Option<&str>,
        body: &str,
    ) {
        let path = url.parse::<Uri>().unwrap().path().to_owned();
        let server = self.start(&path).await;
        let transport = rerouted(&server, url);
        let tokens = TokenCache::new(grant.build(transport).unwrap());
        let before = SystemTime::now();
        let token = tokens.token().await.unwrap();

        assert!(server.is_active(token.secret()));
        let lifetime = token.expires_at().duration_since(before).unwrap();
        assert_eq!(lifetime.as_secs_f64().round(), self.lifetime as f64);
        let granted = token.scopes().to_string();
        assert_eq!(granted.is_empty(), self.scopes.is_empty());

        let [request] = &server.requests()[..] else {
            panic!("expected one request");
        };
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().path_and_query().unwrap(), &*path);
        assert_eq!(request.body(), body);
        let mut headers = HeaderMap::new();
        headers.insert("accept", "application/json".parse().unwrap());
        headers.insert("accept-encoding", "identity".parse().unwrap());
        let user_agent = concat!("auth-core/", env!("CARGO_PKG_VERSION"));
        headers.insert("user-agent", user_agent.parse().unwrap());
        let form = "application/x-www-form-urlencoded";
        headers.insert("content-type", form.parse().unwrap());
        headers.insert("content-length", body.len().into());
        let host = server.issuer().replace("http://", "");
        headers.insert("host", host.parse().unwrap());
        if let Some(authorization) = authorization {
            headers.insert("authorization", authorization.parse().unwrap());
        }
        assert_eq!(request.headers(), &headers);
    }
}

/// Connects to `server`, and asserts that the URL of the request is `url`.
pub(super) fn rerouted(
    server: &AuthorizationServer,
    url: &'static str,
) -> impl HttpTransport + use<> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let issuer: Uri = server.issuer().parse().unwrap();
    let reroute = move |mut request: Request<Full<Bytes>>| {
        assert_eq!(request.uri(), url);
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = issuer.scheme().cloned();
        parts.authority = issuer.authority().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap();
        request
    };
    TowerTransport::new(
        ServiceBuilder::new()
            .map_request(reroute)
            .service(client.map_err(|e| e)),
    )
}
