//! The layer on tonic's channel, whose requests have paths without a host.

use std::time::Duration;

use auth_core::{Authorizer, ErrorKind};
use auth_test_support::{Deployment, NOTHING, authorizations, certificates::Authority};
use auth_testing::EchoClient;
use auth_tower::{Auth, AuthLayer};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::{StatusCode, Uri};
use tokio::{sync::mpsc, time::timeout};
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower::Layer;

fn endpoint(deployment: &Deployment) -> Endpoint {
    Endpoint::from_shared(deployment.api.url()).unwrap()
}

/// Returns a channel to the API, with a layer built for it.
fn channel(deployment: &Deployment) -> Auth<Channel> {
    let endpoint = endpoint(deployment);
    let layer = AuthLayer::for_endpoint(&endpoint, deployment.authorizer()).unwrap();
    layer.layer(endpoint.connect_lazy())
}

fn messages() -> impl Stream<Item = Bytes> + Send + 'static {
    stream::iter(["a", "b", "c"].map(Bytes::from))
}

async fn unary(echo: &mut EchoClient<Auth<Channel>>) {
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "hello");
}

async fn client_streaming(echo: &mut EchoClient<Auth<Channel>>) {
    let joined = echo.client_stream(messages()).await.unwrap();
    assert_eq!(joined.into_inner(), "abc");
}

async fn server_streaming(echo: &mut EchoClient<Auth<Channel>>) {
    let replies = echo.server_stream("hello").await.unwrap().into_inner();
    let replies: Vec<Bytes> = replies.try_collect().await.unwrap();
    assert_eq!(replies, ["hello"; 3]);
}

async fn bidirectional(echo: &mut EchoClient<Auth<Channel>>) {
    let replies = echo.bidi(messages()).await.unwrap().into_inner();
    let replies: Vec<Bytes> = replies.try_collect().await.unwrap();
    assert_eq!(replies, ["a", "b", "c"]);
}

/// Makes one call without a cached token and one with a cached token. The service rejects calls without a
/// token.
macro_rules! carries_one_token {
    ($shape:ident) => {{
        let deployment = Deployment::start().await;
        let mut echo = EchoClient::new(channel(&deployment));
        $shape(&mut echo).await;
        $shape(&mut echo).await;
        let shown = authorizations(&deployment.api);
        assert_eq!(shown[0], shown[1]);
        assert_eq!(shown[0].len(), 1);
        assert_eq!(deployment.authorization.token_requests(), 1);
    }};
}

#[tokio::test]
async fn a_unary_call_carries_one_token() {
    carries_one_token!(unary);
}

#[tokio::test]
async fn a_client_streaming_call_carries_one_token() {
    carries_one_token!(client_streaming);
}

#[tokio::test]
async fn a_server_streaming_call_carries_one_token() {
    carries_one_token!(server_streaming);
}

#[tokio::test]
async fn a_bidirectional_call_carries_one_token() {
    carries_one_token!(bidirectional);
}

#[tokio::test]
async fn over_tls_every_kind_of_call_carries_the_token() {
    let (deployment, authority) = (Deployment::start().await, Authority::new());
    let origin = authority.in_front_of(&deployment.api, "h2").await;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()));
    let endpoint = Endpoint::from_shared(origin.clone()).unwrap();
    let endpoint = endpoint.tls_config(tls).unwrap();
    let authorizer = deployment.builder().origin(origin).build().unwrap();
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer).unwrap();
    let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
    unary(&mut echo).await;
    client_streaming(&mut echo).await;
    server_streaming(&mut echo).await;
    bidirectional(&mut echo).await;
    assert_eq!(deployment.api.rejections(), 0);
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn a_generated_client_works_on_the_layer() {
    let deployment = Deployment::start().await;
    let mut health = HealthClient::new(channel(&deployment));
    let checked = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(checked.into_inner().status(), ServingStatus::Serving);
    let watched = health.watch(HealthCheckRequest::default()).await.unwrap();
    let first = watched.into_inner().message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    assert_eq!(deployment.api.rejections(), 0);
}

/// If the request body were collected before it is sent, the first reply would never arrive.
#[tokio::test]
async fn a_streaming_request_is_sent_message_by_message() {
    let deployment = Deployment::start().await;
    let mut echo = EchoClient::new(channel(&deployment));
    for token in ["cold", "warm"] {
        let (say, heard) = mpsc::channel(1);
        let spoken = stream::unfold(heard, |mut heard| async {
            heard.recv().await.map(|message| (message, heard))
        });
        let conversation = async {
            let mut replies = echo.bidi(spoken).await.unwrap().into_inner();
            for message in ["first", "second"] {
                say.send(Bytes::from(message)).await.unwrap();
                let reply = replies.message().await.unwrap();
                assert_eq!(reply.as_deref(), Some(message.as_bytes()), "{token}");
            }
        };
        let conversation = timeout(Duration::from_secs(10), conversation);
        conversation
            .await
            .expect("expected a reply to a message that was sent");
    }
}

/// Makes a call through `channel`, and returns its outcome.
async fn call(channel: Auth<Channel>) -> Code {
    match EchoClient::new(channel).unary("hello").await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

#[tokio::test]
async fn a_layer_that_was_not_built_for_a_channel_sends_no_token_through_it() {
    let deployment = Deployment::start().await;
    let plain = AuthLayer::new(deployment.authorizer());
    let channel = plain.layer(endpoint(&deployment).connect_lazy());
    assert_eq!(call(channel).await, Code::Unauthenticated);
    assert_eq!(authorizations(&deployment.api), NOTHING);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn a_layer_that_was_not_built_for_a_balanced_channel_sends_no_token_through_it() {
    let deployment = Deployment::start().await;
    let balanced = Channel::balance_list([endpoint(&deployment)].into_iter());
    let channel = AuthLayer::new(deployment.authorizer()).layer(balanced);
    assert_eq!(call(channel).await, Code::Unauthenticated);
    assert_eq!(authorizations(&deployment.api), NOTHING);
}

#[tokio::test]
async fn a_channel_declared_trusted_gets_the_token() {
    let deployment = Deployment::start().await;
    let trusted = deployment.builder().origin("https://api.example.com");
    let layer = AuthLayer::new(trusted.danger_trust_channel(true).build().unwrap());
    let balanced = Channel::balance_list([endpoint(&deployment)].into_iter());
    assert_eq!(call(layer.layer(balanced)).await, Code::Ok);
    let channel = layer.layer(endpoint(&deployment).connect_lazy());
    assert_eq!(call(channel).await, Code::Ok);
}

/// `Grpc::with_origin` sets an authority for the layer, which the channel then overwrites.
async fn check_with_origin(channel: Auth<Channel>, origin: &'static str) {
    let mut health = HealthClient::with_origin(channel, Uri::from_static(origin));
    // the outcome does not matter, only the requests that the server received
    drop(health.check(HealthCheckRequest::default()).await);
}

#[tokio::test]
async fn the_origin_that_a_client_claims_is_not_trusted() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.builder().origin("https://api.example.com");
    let layer = AuthLayer::new(authorizer.build().unwrap());
    let channel = layer.layer(endpoint(&deployment).connect_lazy());
    check_with_origin(channel, "https://api.example.com").await;
    assert_eq!(authorizations(&deployment.api), NOTHING);
}

#[tokio::test]
async fn the_origin_that_a_client_claims_has_to_be_allowed_too() {
    let deployment = Deployment::start().await;
    check_with_origin(channel(&deployment), "https://unlisted.example.com").await;
    assert_eq!(authorizations(&deployment.api), NOTHING);
}

fn layer_error(endpoint: &Endpoint, authorizer: Authorizer) -> String {
    let error = AuthLayer::for_endpoint(endpoint, authorizer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[tokio::test]
async fn the_origin_of_an_endpoint_is_not_where_it_connects() {
    let deployment = Deployment::start().await;
    let allowed = deployment.builder().origin("https://api.example.com");
    let disguised = endpoint(&deployment).origin(Uri::from_static("https://api.example.com"));
    let text = layer_error(&disguised, allowed.build().unwrap());
    assert!(text.contains(&deployment.api.url()), "{text}");

    let renamed = endpoint(&deployment).origin(Uri::from_static("https://unlisted.example.com"));
    let layer = AuthLayer::for_endpoint(&renamed, deployment.authorizer()).unwrap();
    assert_eq!(call(layer.layer(renamed.connect_lazy())).await, Code::Ok);
}

#[tokio::test]
async fn an_endpoint_of_another_host_is_an_error() {
    let deployment = Deployment::start().await;
    let allowed = deployment.builder().origin("https://api.example.com");
    let other = Endpoint::from_static("https://api.example.com.evil.example");
    let text = layer_error(&other, allowed.build().unwrap());
    assert!(
        text.contains("https://api.example.com.evil.example"),
        "{text}"
    );
    assert!(text.contains("[https://api.example.com]"), "{text}");
}

#[tokio::test]
async fn a_plaintext_endpoint_that_is_not_loopback_is_an_error() {
    let deployment = Deployment::start().await;
    let plaintext = Endpoint::from_static("http://api.example.com");
    let named = deployment.builder().origin("https://api.example.com");
    layer_error(&plaintext, named.build().unwrap());
    layer_error(
        &plaintext,
        deployment
            .builder()
            .danger_any_origin(true)
            .build()
            .unwrap(),
    );
}

#[tokio::test]
async fn a_hundred_calls_without_a_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    let channel = channel(&deployment);
    let calls = (0..100).map(|_| call(channel.clone()));
    let codes = futures_util::future::join_all(calls).await;
    assert_eq!(codes, [Code::Ok; 100]);
    assert_eq!(deployment.api.statuses(), [StatusCode::OK; 100]);
    assert_eq!(deployment.authorization.token_requests(), 1);
}
