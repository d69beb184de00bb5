//! A projected token that Kubernetes replaces while requests use the client.

use std::{sync::Arc, time::Duration};

use auth_core::{
    AssertionFile, Authorizer, ClientAuthentication, ClientCredentials, TokenCache, TokenEndpoint,
    TokenRequest,
};
use auth_jose::{Algorithm, Jwt, Signer, SigningKey};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    hyper_clients::hyper_client,
    reqwest_clients::{reqwest_builder, reqwest_with},
};
use auth_testing::{
    AssertionVerifier, ManualClock, ProtectedApi, VerificationKey, auth_core::time::Clock, provider,
};
use auth_tower::AuthLayer;
use http::Request;
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};

use crate::temporary_file::TemporaryFile;

const ROUNDS: usize = 20;
const REQUESTS: usize = 25;
/// Longer than the lifetime of an access token, shorter than that of a projected token.
const STEP: Duration = Duration::from_secs(3000);

/// Each round replaces the file by a rename, lets the access token expire, and sends 50 requests at once over hyper and
/// reqwest.
#[tokio::test]
async fn each_token_request_carries_the_newest_projected_token_and_no_request_fails() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let public = VerificationKey::from_jwk(&key.public_jwk().unwrap().to_string()).unwrap();
    let cluster = AssertionVerifier::new(public)
        .issuer("cluster")
        .subject("pod");
    let clock = ManualClock::new();
    let server = provider::keycloak("shop", "orders", cluster).clock(Arc::new(clock.clone()));
    let server = server.start().await.unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    let projected = || {
        let now = clock.now().wall.as_secs();
        let jwt = Jwt::new().claim("iss", "cluster").claim("sub", "pod");
        let jwt = jwt
            .claim("aud", server.issuer())
            .claim("iat", now)
            .claim("exp", now + 3607);
        let jwt = jwt.random_jti().unwrap();
        jwt.sign_now(&key).unwrap().unwrap().expose().to_owned()
    };
    let file = TemporaryFile::new("projected-token");
    file.replace(&projected());

    let assertion = AssertionFile::new(file.path()).unwrap();
    let authentication = ClientAuthentication::client_assertion(assertion);
    let endpoint = TokenEndpoint::builder(server.token_endpoint(), authentication);
    let transport = ReqwestTransport::new(reqwest_builder()).unwrap();
    let grant = ClientCredentials::new(endpoint.build(transport).unwrap(), TokenRequest::default());
    let tokens = TokenCache::builder(grant.unwrap())
        .clock(clock.clone())
        .build();
    let authorizer = Authorizer::builder(tokens)
        .origin(api.url())
        .build()
        .unwrap();
    let hyper = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let reqwest = reqwest_with(authorizer);

    let mut written = Vec::new();
    for _ in 0..ROUNDS {
        written.push(projected());
        file.replace(written.last().unwrap());
        let mut requests = JoinSet::new();
        for _ in 0..REQUESTS {
            let request = Request::get(api.url()).body(Full::default()).unwrap();
            let sent = hyper.clone().oneshot(request);
            requests.spawn(async move { sent.await.unwrap().status() });
            let sent = reqwest.get(api.url()).send();
            requests.spawn(async move { sent.await.unwrap().status() });
        }
        assert!(
            requests
                .join_all()
                .await
                .iter()
                .all(|status| *status == 200)
        );
        clock.advance(STEP);
    }

    let presented = server.requests().into_iter().map(|request| {
        let form = String::from_utf8(request.into_body().to_vec()).unwrap();
        form.rsplit_once("&client_assertion=").unwrap().1.to_owned()
    });
    assert_eq!(presented.collect::<Vec<_>>(), written);
    assert_eq!(server.token_requests(), ROUNDS);
    assert_eq!(api.statuses().len(), ROUNDS * REQUESTS * 2);
}
