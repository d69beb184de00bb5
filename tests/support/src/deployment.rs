use auth_core::{
    Authorizer, AuthorizerBuilder, ClientAuthentication, ClientCredentials,
    ClientCredentialsBuilder, DpopProver, TokenCache,
};
use auth_testing::{AuthorizationServer, AuthorizationServerBuilder, ProtectedApi};
use auth_tower::TowerTransport;
use http::header::AUTHORIZATION;

use crate::{hyper_clients::hyper_client, readable_prover::ReadProof};

/// An authorization server, and an API that requires its tokens.
#[derive(Debug)]
pub struct Deployment {
    /// Issues the tokens.
    pub authorization: AuthorizationServer,
    /// Checks the tokens.
    pub api: ProtectedApi,
}

impl Deployment {
    /// Starts both servers. The client id is `client`, and the secret is `s3cr3t`.
    pub async fn start() -> Self {
        Self::start_with(AuthorizationServer::builder()).await
    }

    /// Starts both servers, the authorization server with further settings.
    pub async fn start_with(builder: AuthorizationServerBuilder) -> Self {
        let authorization = builder.client("client", "s3cr3t").start().await.unwrap();
        let api = ProtectedApi::start(&authorization).await.unwrap();
        Self { authorization, api }
    }

    /// Starts another API that accepts the same tokens, and whose origin is not listed.
    pub async fn unlisted_api(&self) -> ProtectedApi {
        ProtectedApi::start(&self.authorization).await.unwrap()
    }

    /// Returns an authorizer without a cached token, whose allowed origin is the API.
    pub fn authorizer(&self) -> Authorizer {
        self.builder().origin(self.api.url()).build().unwrap()
    }

    /// Returns an authorizer whose cached token has been revoked.
    pub async fn revoked(&self) -> Authorizer {
        let authorizer = self.authorizer();
        self.revoke(&authorizer).await;
        authorizer
    }

    /// Requests a token for the authorizer, and revokes it.
    pub async fn revoke(&self, authorizer: &Authorizer) {
        let token = authorizer.tokens().unwrap().token().await.unwrap();
        self.authorization.revoke(token.secret());
    }

    /// Returns a builder of an authorizer without an allowed origin.
    pub fn builder(&self) -> AuthorizerBuilder {
        Self::build(self.grant())
    }

    /// Returns an authorizer whose allowed origin is the API, and whose tokens are bound to a key.
    pub fn bound_authorizer(&self, prover: impl DpopProver) -> Authorizer {
        let builder = Self::build(self.grant().dpop(prover));
        builder.origin(self.api.url()).build().unwrap()
    }

    fn grant(&self) -> ClientCredentialsBuilder {
        ClientCredentials::builder(
            self.authorization.token_endpoint(),
            "client",
            ClientAuthentication::client_secret_basic("s3cr3t"),
        )
    }

    fn build(grant: ClientCredentialsBuilder) -> AuthorizerBuilder {
        let grant = grant.build(TowerTransport::new(hyper_client()));
        Authorizer::builder(TokenCache::new(grant.unwrap()))
    }

    /// Returns the proofs of every request to the API so far.
    pub fn proofs(&self) -> Vec<ReadProof> {
        let requests = self.api.requests();
        let proofs = requests
            .iter()
            .map(|request| ReadProof::of(request.headers()));
        proofs.collect()
    }
}

/// One request without an `Authorization` header.
pub const NOTHING: [[String; 0]; 1] = [[]];

/// Returns the `Authorization` headers of every request so far.
pub fn authorizations(api: &ProtectedApi) -> Vec<Vec<String>> {
    let requests = api.requests();
    let values = requests.iter().map(|request| {
        let values = request.headers().get_all(AUTHORIZATION).iter();
        values.map(|v| v.to_str().unwrap().to_owned()).collect()
    });
    values.collect()
}
