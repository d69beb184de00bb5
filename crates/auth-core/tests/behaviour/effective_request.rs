//! The key of a token is the effective request: the given one, completed by the source's defaults.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error,
    HttpTransport, TokenCache, TokenCaches, TokenRequest, TransportBody, async_trait,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

/// Issues `t1`, `t2`, …
#[derive(Clone, Debug, Default)]
struct Server(Arc<AtomicUsize>);

impl Server {
    fn requests(&self) -> usize {
        self.0.load(SeqCst)
    }

    fn grant(&self) -> ClientCredentialsBuilder {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        ClientCredentials::builder("https://as.example/token", "client", secret)
    }

    fn caches(
        &self,
        with: impl Fn(ClientCredentialsBuilder) -> ClientCredentialsBuilder,
    ) -> TokenCaches {
        let grant = with(self.grant()).build(self.clone()).unwrap();
        TokenCaches::from(TokenCache::new(grant))
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let number = self.0.fetch_add(1, SeqCst) + 1;
        let body =
            format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":600}}"#);
        Ok(Response::new(TransportBody::new(Full::new(Bytes::from(
            body,
        )))))
    }
}

fn request() -> auth_core::TokenRequestBuilder {
    TokenRequest::builder()
}

async fn secret(tokens: &TokenCaches, request: &TokenRequest) -> String {
    let token = tokens.cache(request).token().await.unwrap();
    token.secret().to_owned()
}

#[tokio::test]
async fn the_default_scope_given_explicitly_is_the_default_token() {
    let server = Server::default();
    let tokens = server.caches(|grant| grant.scope("read write"));
    assert_eq!(tokens.default_cache().token().await.unwrap().secret(), "t1");
    for given in [
        request().scope("read write"),
        request().scope("write read"),
        request(),
    ] {
        let given = given.build().unwrap();
        assert_eq!(secret(&tokens, &given).await, "t1", "{given:?}");
        assert!(tokens.cached(&given).is_some());
    }
    assert_eq!((server.requests(), tokens.additional_caches()), (1, 0));
}

#[tokio::test]
async fn every_member_that_the_source_fills_in_takes_part_in_the_key() {
    let server = Server::default();
    let tokens = server.caches(|grant| {
        grant
            .scope("read")
            .resource("https://r.example")
            .audience("a")
            .parameter("tenant", "1")
    });
    let other = || request().audience("b");
    let mut secrets = Vec::new();
    for given in [
        other(),
        other().scope("read"),
        other().resource("https://r.example"),
        other().parameter("tenant", "1"),
        other()
            .scope("read")
            .resource("https://r.example")
            .parameter("tenant", "1"),
    ] {
        secrets.push(secret(&tokens, &given.build().unwrap()).await);
    }
    assert_eq!(secrets, ["t1"; 5]);
    assert_eq!((server.requests(), tokens.additional_caches()), (1, 1));
    // and what differs after the defaults stays apart
    for (different, token) in [
        (other().scope("write"), "t2"),
        (other().parameter("tenant", "2"), "t3"),
        (other().parameter("region", "1"), "t4"),
        (request(), "t5"),
    ] {
        assert_eq!(secret(&tokens, &different.build().unwrap()).await, token);
    }
    assert_eq!(
        tokens.additional_caches(),
        4,
        "the last one is the default cache"
    );
}

#[tokio::test]
async fn a_token_bound_to_an_origin_is_not_sent_elsewhere_under_the_name_of_the_default() {
    let server = Server::default();
    let grant = server
        .grant()
        .scope("orders")
        .build(server.clone())
        .unwrap();
    let authorizer = Authorizer::builder(TokenCache::new(grant))
        .origin_with(
            "https://orders.example",
            request().scope("orders").build().unwrap(),
        )
        .origin("https://other.example")
        .build()
        .unwrap();
    let decide = async |uri: &str, picked: Option<TokenRequest>| {
        let mut request = Request::get(uri).body(()).unwrap();
        if let Some(picked) = picked {
            request.extensions_mut().insert(picked);
        }
        match authorizer.authorize(&request) {
            auth_core::adapter::Decision::Wait(attempt) => attempt.await.map(|_| ()),
            auth_core::adapter::Decision::Authorize(_) => Ok(()),
            auth_core::adapter::Decision::PassThrough => panic!("the origin is listed"),
        }
    };
    decide("https://orders.example/", None).await.unwrap();
    let picks = [
        None,
        Some(TokenRequest::default()),
        Some(request().scope("orders").build().unwrap()),
    ];
    for picked in picks {
        // twice: without and with a token in the cache
        for _ in 0..2 {
            decide("https://orders.example/", picked.clone())
                .await
                .unwrap();
            let error = decide("https://other.example/", picked.clone()).await;
            let error = error.unwrap_err().to_string();
            assert!(error.contains("https://orders.example"), "{error}");
        }
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn two_given_requests_that_are_one_can_be_bound_to_one_origin() {
    let server = Server::default();
    let grant = server
        .grant()
        .scope("orders")
        .build(server.clone())
        .unwrap();
    let builder = Authorizer::builder(TokenCache::new(grant))
        .origin_with(
            "https://orders.example",
            request().scope("orders").build().unwrap(),
        )
        .origin_with("https://orders.example", TokenRequest::default());
    assert!(builder.build().is_ok());
}
