use auth_core::{
    Authorizer, AuthorizerBuilder, ClientAuthentication, ClientCredentials, TokenCache,
};
use auth_testing::{AuthorizationServer, ProtectedApi};
use auth_tower::TowerTransport;
use http::header::AUTHORIZATION;

use crate::hyper_clients::hyper_client;

/// An authorization server, and an API that wants its tokens.
#[derive(Debug)]
pub struct Deployment {
    /// Where the tokens are from.
    pub authorization: AuthorizationServer,
    /// Where they are checked.
    pub api: ProtectedApi,
}

impl Deployment {
    /// Starts both. The client is `client`, its secret `s3cr3t`.
    pub async fn start() -> Self {
        let builder = AuthorizationServer::builder().client("client", "s3cr3t");
        let authorization = builder.start().await.unwrap();
        let api = ProtectedApi::start(&authorization).await.unwrap();
        Self { authorization, api }
    }

    /// Another API that would accept the same tokens, and whose origin is not listed.
    pub async fn unlisted_api(&self) -> ProtectedApi {
        ProtectedApi::start(&self.authorization).await.unwrap()
    }

    /// An authorizer without a token yet, that may show it to the API.
    pub fn authorizer(&self) -> Authorizer {
        self.builder().origin(self.api.url()).build().unwrap()
    }

    /// An authorizer whose token is at hand, and was revoked.
    pub async fn revoked(&self) -> Authorizer {
        let authorizer = self.authorizer();
        self.revoke(&authorizer).await;
        authorizer
    }

    /// Gets the authorizer a token, and revokes it.
    pub async fn revoke(&self, authorizer: &Authorizer) {
        let token = authorizer.tokens().unwrap().token().await.unwrap();
        self.authorization.revoke(token.secret());
    }

    /// An authorizer to be.
    pub fn builder(&self) -> AuthorizerBuilder {
        let credentials = ClientCredentials::builder(
            self.authorization.token_endpoint(),
            "client",
            ClientAuthentication::client_secret_basic("s3cr3t"),
        );
        let credentials = credentials.build(TowerTransport::new(hyper_client()));
        Authorizer::builder(TokenCache::new(credentials.unwrap()))
    }
}

/// One request without an `Authorization` header.
pub const NOTHING: [[String; 0]; 1] = [[]];

/// The `Authorization` headers of every request so far.
pub fn authorizations(api: &ProtectedApi) -> Vec<Vec<String>> {
    let requests = api.requests();
    let values = requests.iter().map(|request| {
        let values = request.headers().get_all(AUTHORIZATION).iter();
        values.map(|v| v.to_str().unwrap().to_owned()).collect()
    });
    values.collect()
}
