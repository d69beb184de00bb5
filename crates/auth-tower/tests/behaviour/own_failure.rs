//! A gRPC call that is not sent for want of a token is never `Unauthenticated`. A service that passes the
//! status on would make its own caller refresh a token that is valid.

use std::{convert::Infallible, error::Error as _, future::Ready};

use auth_core::{Authorizer, Error, ErrorKind, TokenCache};
use auth_test_support::{
    Deployment,
    scripted::{Answer, Scripted},
};
use auth_testing::{Answer as Response, EchoClient, ManualClock};
use auth_tower::AuthLayer;
use http::{HeaderValue, Request, StatusCode, header::CONTENT_TYPE};
use tonic::{Code, Status, body::Body, transport::Endpoint};
use tower::{Layer, service_fn};

const KINDS: [ErrorKind; 10] = [
    ErrorKind::Configuration,
    ErrorKind::Connection,
    ErrorKind::Timeout,
    ErrorKind::Unavailable,
    ErrorKind::Denied,
    ErrorKind::InvalidResponse,
    ErrorKind::Redirected,
    ErrorKind::Panicked,
    ErrorKind::SharedStore,
    ErrorKind::NoRuntime,
];

/// Returns the status of a call whose token request fails.
async fn status_of(answer: Answer) -> Status {
    let tokens = TokenCache::builder(Scripted::always(answer)).clock(ManualClock::new());
    let builder = Authorizer::builder(tokens.build()).origin("https://api.example.com");
    let authorizer = builder.danger_trust_channel(true).build().unwrap();
    let inner = service_fn(
        |_: Request<Body>| -> Ready<Result<http::Response<Body>, Infallible>> {
            panic!("a request without its token was sent")
        },
    );
    let mut echo = EchoClient::new(AuthLayer::new(authorizer).layer(inner));
    echo.unary("hello").await.unwrap_err()
}

fn denied_client(body: &'static str) -> Response {
    let json = HeaderValue::from_static("application/json");
    let answer = Response::status(StatusCode::UNAUTHORIZED);
    answer.with_header(CONTENT_TYPE, json).with_body(body)
}

fn cause(status: &Status) -> &Error {
    let source = status.source().expect("the cause is the status' source");
    source.downcast_ref().expect("an error of auth-core")
}

#[tokio::test]
async fn unavailable_if_the_failure_may_pass_and_internal_otherwise() {
    for kind in KINDS {
        let status = status_of(Answer::fails(kind)).await;
        let error = cause(&status);
        assert_eq!(error.kind(), kind);
        let expected = match error.is_transient() {
            true => Code::Unavailable,
            false => Code::Internal,
        };
        assert_eq!(status.code(), expected, "{kind:?}");
        assert!(!status.message().contains("scripted"), "{status}");
        assert!(status.message().contains(kind.as_str()), "{status}");
    }
}

/// They are for the caller's operator, and a status may travel to other services.
#[tokio::test]
async fn the_message_names_neither_the_token_endpoint_nor_the_description_of_the_server() {
    let denied = r#"{"error":"invalid_client","error_description":"unknown client my-client"}"#;
    for (answer, code) in [
        (denied_client(denied), Code::Internal),
        (Response::oauth_error("invalid_scope"), Code::Internal),
        (
            Response::status(StatusCode::SERVICE_UNAVAILABLE),
            Code::Unavailable,
        ),
        (Response::status(StatusCode::FOUND), Code::Internal),
        (Response::json("<html>"), Code::Internal),
    ] {
        let deployment = Deployment::start().await;
        deployment.authorization.fail_all(answer);
        let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
        let layer = AuthLayer::for_endpoint(&endpoint, deployment.authorizer()).unwrap();
        let mut echo = EchoClient::new(layer.layer(endpoint.connect_lazy()));
        let status = echo.unary("hello").await.unwrap_err();
        assert_eq!(status.code(), code);
        let error = cause(&status);
        assert!(error.to_string().contains("/token"), "{error}");
        for hidden in [
            "127.0.0.1",
            "token endpoint",
            "invalid_client",
            "invalid_scope",
            "my-client",
            "http",
        ] {
            assert!(!status.message().contains(hidden), "{status}");
        }
        assert_eq!(deployment.api.request_count(), 0);
    }
}
