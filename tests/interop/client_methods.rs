//! Every method of client authentication of `oidc-provider`, and DPoP, on hyper and reqwest: a hundred calls of the API
//! at once, and one token request. The API verifies proofs of DPoP by npm's `jose`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, HttpTransport, TokenCache, TokenEndpoint,
    TokenEndpointBuilder, TokenRequest,
};
use auth_jose::{Algorithm, ClientSecretJwt, DpopKey, PrivateKeyJwt, SigningKey};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_rustls::ClientCertificate;
use auth_test_support::{certificates::use_ring, hyper_clients::connector};
use auth_tower::{AuthLayer, HyperClient, TowerTransport};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;
use tokio::task::JoinSet;
use tower::{Layer as _, ServiceExt as _};

use crate::harness::{OidcProvider, ca_pem, keys_dir};

const CALLS: usize = 100;

/// The client, as the transports of both stacks need it.
struct Client<'a> {
    provider: &'a OidcProvider,
    id: &'static str,
    certificate: Option<ClientCertificate>,
    /// `None` without DPoP.
    dpop: Option<Demands>,
}

/// The nonces that are demanded in the proofs of DPoP.
#[derive(Clone, Copy)]
struct Demands {
    by_token_endpoint: bool,
    by_api: bool,
}

impl<'a> Client<'a> {
    fn new(provider: &'a OidcProvider, id: &'static str) -> Self {
        Self {
            provider,
            id,
            certificate: None,
            dpop: None,
        }
    }

    fn api(&self) -> String {
        let demands_nonce = self.dpop.is_some_and(|demands| demands.by_api);
        let query = if demands_nonce { "?dpop_nonce=1" } else { "" };
        format!("{}{query}", self.provider.api())
    }

    fn tls(&self) -> Result<ClientConfig> {
        use_ring();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca_pem()?.as_bytes())?)?;
        let builder = ClientConfig::builder().with_root_certificates(roots);
        Ok(match &self.certificate {
            Some(certificate) => certificate.client_config(builder),
            None => builder.with_no_client_auth(),
        })
    }

    fn reqwest(&self) -> Result<reqwest::ClientBuilder> {
        let builder = reqwest::Client::builder().no_proxy();
        Ok(builder.tls_backend_preconfigured(self.tls()?))
    }

    fn authorizer(
        &self,
        endpoint: TokenEndpointBuilder,
        transport: impl HttpTransport,
    ) -> Result<Authorizer> {
        let mut endpoint = endpoint.client_id(self.id);
        if let Some(certificate) = self.certificate.clone() {
            endpoint = endpoint.certificate_thumbprint(move || certificate.thumbprint());
        }
        if self.dpop.is_some() {
            endpoint = endpoint.dpop(DpopKey::generate()?);
        }
        let request = TokenRequest::builder().scope("document_read").build()?;
        let grant = ClientCredentials::new(endpoint.build(transport)?, request)?;
        let builder = Authorizer::builder(TokenCache::new(grant));
        Ok(builder.origin(self.provider.issuer()).build()?)
    }

    /// Calls the API over hyper. The token endpoint is the one that the metadata of the server names.
    async fn over_hyper(&self, authentication: ClientAuthentication) -> Result<()> {
        let client = HyperClient::new(connector(self.tls()?));
        let endpoint = TokenEndpoint::discover(self.provider.issuer(), authentication);
        let authorizer = self.authorizer(endpoint, TowerTransport::new(client.clone()))?;
        let api = AuthLayer::new(authorizer).layer(client);
        let mut calls = JoinSet::new();
        for _ in 0..CALLS {
            let request = Request::get(self.api()).body(Full::<Bytes>::default())?;
            let response = api.clone().oneshot(request);
            calls.spawn(async move {
                let response = response.await.map_err(anyhow::Error::from_boxed)?;
                ensure!(response.status() == 200, "{}", response.status());
                Ok(response.into_body().collect().await?.to_bytes())
            });
        }
        self.check(calls).await
    }

    /// Calls the API over reqwest. The token endpoint is stated.
    async fn over_reqwest(&self, authentication: ClientAuthentication) -> Result<()> {
        let endpoint = TokenEndpoint::builder(self.provider.token_endpoint(), authentication);
        let transport = ReqwestTransport::new(self.reqwest()?)?;
        let middleware = AuthMiddleware::new(self.authorizer(endpoint, transport)?);
        let api = reqwest_middleware::ClientBuilder::new(self.reqwest()?.build()?)
            .with(middleware)
            .build();
        let mut calls = JoinSet::new();
        for _ in 0..CALLS {
            let response = api.get(self.api()).send();
            calls.spawn(async move { Ok(response.await?.error_for_status()?.bytes().await?) });
        }
        self.check(calls).await
    }

    async fn check(&self, calls: JoinSet<Result<Bytes>>) -> Result<()> {
        for body in calls.join_all().await {
            let seen: Value = serde_json::from_slice(&body?)?;
            assert_eq!(seen["clientId"], self.id);
        }
        let stats = self.provider.stats().await?;
        let learns = |demands: Demands| usize::from(demands.by_token_endpoint);
        let token_requests = 1 + self.dpop.map_or(0, learns);
        assert_eq!(stats["token_requests"], token_requests, "{}", self.id);
        assert_eq!(stats["api_200"], CALLS, "{}", self.id);
        let without_nonce = stats["api_401"].as_u64().unwrap_or_default();
        match self.dpop {
            // each call that is sent before the first response is sent once more
            Some(demands) if demands.by_api => {
                assert!(
                    (1..=CALLS as u64).contains(&without_nonce),
                    "{without_nonce}"
                );
            }
            _ => assert_eq!(without_nonce, 0, "{}", self.id),
        }
        self.provider.reset_stats().await
    }
}

/// Calls the API over both stacks, with an authentication for each.
async fn both_stacks(
    client: &Client<'_>,
    authentication: impl Fn() -> Result<ClientAuthentication>,
) -> Result<()> {
    let context = |stack: &str| format!("{} over {stack}", client.id);
    let over_hyper = client.over_hyper(authentication()?).await;
    over_hyper.with_context(|| context("hyper"))?;
    let over_reqwest = client.over_reqwest(authentication()?).await;
    over_reqwest.with_context(|| context("reqwest"))
}

fn key_file(name: &str) -> Result<PathBuf> {
    Ok(keys_dir()?.join(name))
}

#[tokio::test]
async fn secrets_that_are_sent_and_a_secret_that_signs() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = |id| Client::new(&provider, id);
    let basic = || Ok(ClientAuthentication::client_secret_basic("basic-secret"));
    both_stacks(&client("basic-client"), basic).await?;
    let post = || Ok(ClientAuthentication::client_secret_post("post-secret"));
    both_stacks(&client("post-client"), post).await?;
    let hs_jwt = || {
        let secret = "a-long-enough-shared-secret-for-hs256-mac!";
        let assertion = ClientSecretJwt::new(secret, Algorithm::Hs256)?;
        Ok(ClientAuthentication::client_assertion(assertion))
    };
    both_stacks(&client("hs-jwt-client"), hs_jwt).await
}

#[tokio::test]
async fn private_keys_of_every_algorithm_in_pem_and_as_jwk() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for (id, algorithm) in [
        ("pk-es256", Algorithm::Es256),
        ("pk-es384", Algorithm::Es384),
        ("pk-rs256", Algorithm::Rs256),
        ("pk-ps256", Algorithm::Ps256),
        ("pk-eddsa", Algorithm::EdDsa),
    ] {
        let client = Client::new(&provider, id);
        let assertion = |key: SigningKey| -> Result<_> {
            let assertion = PrivateKeyJwt::new(key)?;
            Ok(ClientAuthentication::client_assertion(assertion))
        };
        let pem = fs::read_to_string(key_file(&format!("{id}.private.pem"))?)?;
        let pem = || assertion(SigningKey::from_pem(&pem)?.with_algorithm(algorithm)?);
        both_stacks(&client, pem).await?;
        // with the `kid` under which the server knows the key
        let jwk = fs::read_to_string(key_file(&format!("{id}.private.jwk.json"))?)?;
        both_stacks(&client, || assertion(SigningKey::from_jwk(&jwk)?)).await?;
    }
    Ok(())
}

/// The tokens are bound to the certificate (RFC 8705 §3), so the API receives it as well.
#[tokio::test]
async fn certificates_of_an_authority_and_self_signed_ones() -> Result<()> {
    use_ring();
    let provider = OidcProvider::start_tls(&[]).await?;
    let client = |id, name: &str| -> Result<_> {
        let certificate = ClientCertificate::from_files(
            key_file(&format!("{name}.crt"))?,
            key_file(&format!("{name}.key"))?,
        )?;
        Ok(Client {
            certificate: Some(certificate),
            ..Client::new(&provider, id)
        })
    };
    let authority = || Ok(ClientAuthentication::tls_client_auth());
    both_stacks(&client("tls-client", "client")?, authority).await?;
    let self_signed = || Ok(ClientAuthentication::self_signed_tls_client_auth());
    both_stacks(&client("selfsigned-client", "selfsigned")?, self_signed).await
}

/// RFC 9449 §5, §7, §8 and §9: each request has a proof of its own, and each nonce is learnt once.
#[tokio::test]
async fn dpop_with_and_without_nonces_at_the_token_endpoint_and_at_the_api() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let basic = || Ok(ClientAuthentication::client_secret_basic("dpop-secret"));
    for (id, by_token_endpoint) in [("dpop-client", false), ("dpop-nonce-client", true)] {
        for by_api in [false, true] {
            let client = Client {
                dpop: Some(Demands {
                    by_token_endpoint,
                    by_api,
                }),
                ..Client::new(&provider, id)
            };
            both_stacks(&client, basic).await?;
        }
    }
    Ok(())
}
