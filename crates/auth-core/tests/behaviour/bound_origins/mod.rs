//! Token requests that are bound to origins, so that the origin of a request selects its token.

mod channels;
mod tenants;

use auth_core::{
    Authorizer, AuthorizerBuilder, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse,
    TokenSource,
    adapter::{Decision, RequestHead},
    async_trait,
};
use http::{HeaderMap, Request, header::AUTHORIZATION};

use auth_test_support::secs;

const ORDERS: &str = "https://orders.example";
const BILLING: &str = "https://billing.example";
const OTHER: &str = "https://other.example";

/// Issues tokens that are named after the requested scope.
#[derive(Debug)]
pub(crate) struct ByScope;

#[async_trait]
impl TokenSource for ByScope {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let scopes = request.scopes().to_string();
        let scope = if scopes.is_empty() {
            "default"
        } else {
            &scopes
        };
        Ok(TokenResponse::bearer(format!("for-{scope}"))?.with_expires_in(secs(600)))
    }
}

pub(crate) fn scope(scope: &str) -> TokenRequest {
    let secret = TokenRequest::builder().parameter("key", "s3cr3t");
    secret.scope(scope).build().unwrap()
}

fn builder() -> AuthorizerBuilder {
    Authorizer::builder(TokenCache::new(ByScope))
}

/// An authorizer with token requests for the orders and billing origins, and none for the third.
fn authorizer() -> Authorizer {
    builder()
        .origin(OTHER)
        .origin_with(ORDERS, scope("orders"))
        .origin_with(BILLING, scope("billing"))
        .build()
        .unwrap()
}

fn request(uri: &str, picked: Option<&TokenRequest>) -> Request<()> {
    let mut request = Request::get(uri).body(()).unwrap();
    if let Some(picked) = picked {
        request.extensions_mut().insert(picked.clone());
    }
    request
}

/// Returns the token that a request is sent with.
async fn token<'a>(
    authorizer: &Authorizer,
    request: impl Into<RequestHead<'a>>,
) -> Result<Option<String>, Error> {
    let attempt = match authorizer.authorize(request) {
        Decision::PassThrough(_) => return Ok(None),
        Decision::Authorize(attempt) => attempt,
        Decision::Wait(attempt) => attempt.await?,
    };
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    let header = headers[AUTHORIZATION].to_str().unwrap();
    Ok(header.strip_prefix("Bearer for-").map(ToOwned::to_owned))
}

/// Returns the token of a request to `uri`, which is sent with one.
pub(crate) async fn sent(
    authorizer: &Authorizer,
    uri: &str,
    picked: Option<&TokenRequest>,
) -> String {
    let token = token(authorizer, &request(uri, picked)).await;
    token.unwrap().unwrap()
}

/// Returns the error of a request that is not sent.
async fn declined(authorizer: &Authorizer, uri: &str, picked: Option<&TokenRequest>) -> String {
    let error = token(authorizer, &request(uri, picked)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = error.to_string();
    assert!(!text.contains("s3cr3t"), "{text}");
    text
}

#[tokio::test]
async fn a_request_carries_the_token_that_is_bound_to_its_origin() {
    let authorizer = authorizer();
    // the token is requested the first time, and cached the second time
    for _ in 0..2 {
        for (uri, token) in [
            ("https://orders.example/1", "orders"),
            ("https://ORDERS.example:443/1", "orders"),
            ("https://billing.example/1", "billing"),
            ("https://other.example/1", "default"),
        ] {
            assert_eq!(sent(&authorizer, uri, None).await, token, "{uri}");
        }
    }
}

#[tokio::test]
async fn an_unlisted_origin_gets_no_bound_token() {
    let authorizer = authorizer();
    for uri in [
        "https://orders.example:8443/",
        "http://orders.example/",
        "https://orders.example.evil.example/",
    ] {
        for picked in [None, Some(&scope("orders"))] {
            let token = token(&authorizer, &request(uri, picked)).await.unwrap();
            assert_eq!(token, None, "{uri}");
        }
    }
}

#[tokio::test]
async fn an_unbound_token_request_can_be_picked_for_every_allowed_origin() {
    let authorizer = authorizer();
    let picked = scope("picked");
    for uri in [ORDERS, BILLING, OTHER] {
        assert_eq!(sent(&authorizer, uri, Some(&picked)).await, "picked");
    }
}

#[tokio::test]
async fn a_bound_token_request_can_be_picked_for_its_own_origin() {
    let authorizer = authorizer();
    assert_eq!(
        sent(&authorizer, ORDERS, Some(&scope("orders"))).await,
        "orders"
    );
}

#[tokio::test]
async fn a_request_that_picks_a_token_request_of_another_origin_is_not_sent() {
    let authorizer = authorizer();
    // it is an error with and without a cached token
    for _ in 0..2 {
        for uri in ["https://billing.example/pay?key=s3cr3t", OTHER] {
            let error = declined(&authorizer, uri, Some(&scope("orders"))).await;
            assert!(error.contains(ORDERS), "{error}");
            assert!(error.contains(&uri[..15]), "{error}");
        }
        sent(&authorizer, ORDERS, None).await;
    }
}

#[tokio::test]
async fn one_token_request_may_be_bound_to_several_origins() {
    let authorizer = builder()
        .origin_with(ORDERS, scope("both"))
        .origin_with(BILLING, scope("both"))
        .origin(OTHER)
        .build()
        .unwrap();
    for uri in [ORDERS, BILLING] {
        assert_eq!(sent(&authorizer, uri, None).await, "both");
        assert_eq!(sent(&authorizer, uri, Some(&scope("both"))).await, "both");
    }
    declined(&authorizer, OTHER, Some(&scope("both"))).await;
}

#[tokio::test]
async fn any_origin_gets_the_default_token_and_no_bound_one() {
    let authorizer = builder()
        .origin_with(ORDERS, scope("orders"))
        .danger_any_origin(true)
        .build()
        .unwrap();
    assert_eq!(sent(&authorizer, ORDERS, None).await, "orders");
    assert_eq!(sent(&authorizer, OTHER, None).await, "default");
    let error = declined(&authorizer, OTHER, Some(&scope("orders"))).await;
    assert!(error.contains(ORDERS) && error.contains(OTHER), "{error}");
}

#[test]
fn two_token_requests_for_one_origin_are_an_error() {
    for same in [
        ORDERS,
        "https://orders.example/",
        "https://ORDERS.example:443",
    ] {
        let twice = builder()
            .origin_with(ORDERS, scope("orders"))
            .origin_with(same, scope("billing"));
        let error = twice.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let error = error.to_string();
        assert!(error.contains(ORDERS) && error.contains("two"), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    let other_port = builder()
        .origin_with(ORDERS, scope("orders"))
        .origin_with("https://orders.example:8443", scope("billing"));
    assert!(other_port.build().is_ok());
}

#[tokio::test]
async fn an_origin_may_be_named_again_without_another_token_request() {
    for origins in [
        builder()
            .origin(ORDERS)
            .origin_with(ORDERS, scope("orders"))
            .origin_with(ORDERS, scope("orders")),
        builder()
            .origin_with(ORDERS, scope("orders"))
            .origin_of("https://orders.example/1"),
    ] {
        let authorizer = origins.build().unwrap();
        assert_eq!(sent(&authorizer, ORDERS, None).await, "orders");
    }
}

#[test]
fn a_bound_origin_is_checked_like_any_other() {
    for wrong in ["http://orders.example", "https://orders.example/v1", "x"] {
        let error = builder().origin_with(wrong, scope("orders")).build();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
    }
}

#[test]
fn a_builder_that_is_printed_shows_no_secret() {
    let shown = format!("{:?}", builder().origin_with(ORDERS, scope("orders")));
    assert!(
        shown.contains(ORDERS) && shown.contains("orders"),
        "{shown}"
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

/// The token of requests that name none goes nowhere that its token request is not bound to.
#[tokio::test]
async fn a_default_token_request_that_is_bound_is_sent_to_its_origins_only() {
    let tokens = || {
        TokenCache::builder(ByScope)
            .request(scope("orders"))
            .build()
    };
    let authorizer = Authorizer::builder(tokens())
        .origin_with(ORDERS, scope("orders"))
        .origin(OTHER)
        .build()
        .unwrap();
    assert_eq!(sent(&authorizer, ORDERS, None).await, "orders");
    for picked in [None, Some(&scope("orders"))] {
        let error = declined(&authorizer, OTHER, picked).await;
        assert!(error.contains(ORDERS) && error.contains(OTHER), "{error}");
    }
    assert_eq!(
        sent(&authorizer, OTHER, Some(&scope("other"))).await,
        "other"
    );
    let any = Authorizer::builder(tokens())
        .origin_with(ORDERS, scope("orders"))
        .danger_any_origin(true)
        .build()
        .unwrap();
    declined(&any, "https://elsewhere.example", None).await;
}
