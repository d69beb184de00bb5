//! What arrives with a `Host` header of the caller, on hyper and tonic.

use auth_core::Authorizer;
use auth_test_support::{
    Deployment, NOTHING, RawServer, authorizations, get,
    hyper_clients::{hyper_client, hyper_h2c_client},
};
use auth_tower::AuthLayer;
use http::{HeaderValue, StatusCode, header::HOST};
use tonic::{Code, metadata::MetadataValue, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer, ServiceExt};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn authorizer(deployment: &Deployment, origin: &str) -> Authorizer {
    deployment.builder().origin(origin).build().unwrap()
}

/// Returns the bytes that arrive over HTTP/1.1, with these `Host` headers.
async fn received(deployment: &Deployment, hosts: &[&str]) -> String {
    let server = RawServer::start(OK).await;
    let authority = server.address().to_string();
    let mut request = get(server.origin());
    for host in hosts {
        let host = host.replace("AUTHORITY", &authority);
        request.headers_mut().append(HOST, host.parse().unwrap());
    }
    let client = AuthLayer::new(authorizer(deployment, &server.origin())).layer(hyper_client());
    assert_eq!(
        client.oneshot(request).await.unwrap().status(),
        StatusCode::OK
    );
    server.received().await.to_lowercase()
}

/// hyper's client sends the caller's header instead of one for the URI.
#[tokio::test]
async fn over_http1_a_request_with_another_host_arrives_without_a_token() {
    let deployment = Deployment::start().await;
    for other in [
        &["evil.example"][..],
        &["AUTHORITY", "evil.example"],
        &["evil.example:80"],
    ] {
        let received = received(&deployment, other).await;
        assert!(received.contains("host: evil.example"), "{received}");
        assert!(!received.contains("authorization"), "{received}");
    }
    for own in [&[][..], &["AUTHORITY"], &["AUTHORITY", "AUTHORITY"]] {
        let received = received(&deployment, own).await;
        assert!(
            received.contains("authorization: bearer "),
            "{own:?}: {received}"
        );
    }
}

/// Beside `:authority`, which hyper takes from the URI, the header arrives as well.
#[tokio::test]
async fn over_http2_a_request_with_another_host_arrives_without_a_token() {
    let deployment = Deployment::start().await;
    let own = deployment.api.url();
    let own = own.strip_prefix("http://").unwrap();
    for (host, status) in [
        ("evil.example", StatusCode::UNAUTHORIZED),
        (own, StatusCode::OK),
    ] {
        let mut request = get(deployment.api.url());
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_str(host).unwrap());
        let client = AuthLayer::new(deployment.authorizer()).layer(hyper_h2c_client());
        assert_eq!(
            client.oneshot(request).await.unwrap().status(),
            status,
            "{host}"
        );
        let requests = deployment.api.requests();
        let arrived = requests.last().unwrap();
        assert_eq!(arrived.headers()[HOST], host);
    }
    assert_eq!(authorizations(&deployment.api)[..1], NOTHING);
}

/// tonic overwrites `:authority` with that of the endpoint, and passes a `host` of the metadata on.
#[tokio::test]
async fn a_grpc_call_with_another_host_arrives_without_a_token() {
    let deployment = Deployment::start().await;
    let own = deployment.api.url();
    let own = own.strip_prefix("http://").unwrap();
    for (host, expected) in [("evil.example", Err(Code::Unauthenticated)), (own, Ok(()))] {
        let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
        // the origin of an endpoint changes `:authority`, and not where the channel connects
        let endpoint = endpoint.origin("http://other.example".parse().unwrap());
        let layer = AuthLayer::for_endpoint(&endpoint, deployment.authorizer()).unwrap();
        let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
        let mut request = tonic::Request::new(HealthCheckRequest::default());
        let host_value = MetadataValue::try_from(host).unwrap();
        request.metadata_mut().insert("host", host_value);
        let outcome = health.check(request).await;
        assert_eq!(
            outcome.map(drop).map_err(|status| status.code()),
            expected,
            "{host}"
        );
        let requests = deployment.api.requests();
        assert_eq!(requests.last().unwrap().headers()[HOST], host);
    }
    assert_eq!(authorizations(&deployment.api)[..1], NOTHING);
}
