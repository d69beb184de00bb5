//! Channels, which connect to their endpoint and ignore the URIs of their requests.

use http::Uri;

use super::*;

const PATH: &str = "/pkg.Service/Method";

fn over(channel: &'static str) -> Authorizer {
    let channel = Uri::from_static(channel);
    authorizer().for_channel(&channel).unwrap()
}

#[tokio::test]
async fn a_request_without_an_origin_gets_the_token_of_the_channels_origin() {
    for (channel, token) in [(ORDERS, "orders"), (BILLING, "billing"), (OTHER, "default")] {
        assert_eq!(sent(&over(channel), PATH, None).await, token);
    }
    assert_eq!(
        sent(&over(ORDERS), PATH, Some(&scope("picked"))).await,
        "picked"
    );
}

#[tokio::test]
async fn a_request_that_picks_a_token_request_of_another_origin_is_not_sent() {
    for uri in [PATH, ORDERS] {
        let error = declined(&over(BILLING), uri, Some(&scope("orders"))).await;
        assert!(error.contains(ORDERS) && error.contains(BILLING), "{error}");
    }
}

/// The connection goes to the channel's endpoint: the token of the origin that the URI names must
/// not go there.
#[tokio::test]
async fn a_uri_that_names_an_origin_with_another_token_is_an_error() {
    for named in [ORDERS, OTHER] {
        let error = declined(&over(BILLING), named, None).await;
        assert!(error.contains(named) && error.contains(BILLING), "{error}");
    }
    assert_eq!(sent(&over(BILLING), BILLING, None).await, "billing");
    let both = builder()
        .origin_with(ORDERS, scope("both"))
        .origin_with(BILLING, scope("both"));
    let channel = Uri::from_static(BILLING);
    let both = both.build().unwrap().for_channel(&channel).unwrap();
    assert_eq!(sent(&both, ORDERS, None).await, "both");
}

#[tokio::test]
async fn over_a_channel_that_is_declared_trusted_the_uri_decides() {
    let authorizer = builder()
        .origin_with(ORDERS, scope("orders"))
        .danger_trust_channel(true)
        .build()
        .unwrap();
    assert_eq!(sent(&authorizer, ORDERS, None).await, "orders");
    assert_eq!(sent(&authorizer, PATH, None).await, "default");
}

/// The channel may go to another origin than the one that the token request is bound to.
#[tokio::test]
async fn over_a_channel_that_is_declared_trusted_a_bound_token_needs_a_uri_that_names_its_origin() {
    let authorizer = builder()
        .origin(OTHER)
        .origin_with(ORDERS, scope("orders"))
        .danger_trust_channel(true)
        .build()
        .unwrap();
    let error = declined(&authorizer, PATH, Some(&scope("orders"))).await;
    assert!(
        error.contains(ORDERS) && error.contains("for_channel"),
        "{error}"
    );
}
