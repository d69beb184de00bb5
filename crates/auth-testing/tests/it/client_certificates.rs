//! TLS with client certificates: RFC 8705.

use auth_test_support::hyper_clients::{HyperTlsClient, hyper_tls_client};
use auth_testing::{
    AuthorizationServer, AuthorizationServerBuilder, ProtectedApi, TestAuthority, TestCertificate,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};

use crate::client::{api_request, token_request};

fn client(authority: &TestAuthority, presented: Option<&TestCertificate>) -> HyperTlsClient {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes());
    roots.add(root.unwrap()).unwrap();
    let builder = ClientConfig::builder().with_root_certificates(roots);
    hyper_tls_client(match presented {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let key = PrivateKeyDer::from_pem_slice(certificate.key_pem().as_bytes());
            let certificate = certificate.certificate_pem().as_bytes();
            let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
            builder.with_client_auth_cert(chain, key.unwrap()).unwrap()
        }
    })
}

async fn send(client: &HyperTlsClient, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let (head, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

async fn request_token(
    client: &HyperTlsClient,
    server: &AuthorizationServer,
    id: &str,
) -> (StatusCode, Value) {
    let form = format!("grant_type=client_credentials&client_id={id}");
    let response = send(client, token_request(server.token_endpoint(), &form)).await;
    let json = serde_json::from_slice(response.body()).unwrap();
    (response.status(), json)
}

fn builder(authority: &TestAuthority) -> AuthorizationServerBuilder {
    AuthorizationServer::builder().tls(authority)
}

#[tokio::test]
async fn rfc8705_2_a_client_authenticates_by_its_certificate() {
    let authority = TestAuthority::new().unwrap();
    let signed = authority.client_certificate("orders.example").unwrap();
    let other = authority.client_certificate("other.example").unwrap();
    let own = TestCertificate::self_signed("orders.example").unwrap();
    let server = builder(&authority)
        .client_with_certificate("signed", "orders.example")
        .client_with_self_signed_certificate("own", own.thumbprint())
        .start()
        .await
        .unwrap();
    assert!(server.issuer().starts_with("https://127.0.0.1:"));
    let (signed_print, other_print, own_print) =
        (signed.thumbprint(), other.thumbprint(), own.thumbprint());
    for (presented, id, told) in [
        (Some(&signed), "signed", None),
        (Some(&own), "own", None),
        (None, "signed", Some("expected one, got none".to_owned())),
        (None, "own", Some("expected one, got none".to_owned())),
        (
            Some(&own),
            "signed",
            Some(format!(
                "expected one that the authority signed, got {own_print}"
            )),
        ),
        (
            Some(&other),
            "signed",
            Some(format!(
                "expected one with the DNS name orders.example, got {other_print}"
            )),
        ),
        (
            Some(&signed),
            "own",
            Some(format!("expected {own_print}, got {signed_print}")),
        ),
    ] {
        let (status, json) = request_token(&client(&authority, presented), &server, id).await;
        match told {
            None => assert_eq!(status, StatusCode::OK, "{json}"),
            Some(told) => assert_eq!(
                json,
                json!({
                    "error": "invalid_client",
                    "error_description": format!("client certificate: {told}"),
                })
            ),
        }
    }
    // a client that is unknown, with a certificate
    let (status, _) = request_token(&client(&authority, Some(&signed)), &server, "unknown").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn rfc8705_3_an_api_rejects_a_token_that_is_bound_to_another_certificate() {
    let authority = TestAuthority::new().unwrap();
    let certificate = authority.client_certificate("orders.example").unwrap();
    let renewed = authority.client_certificate("orders.example").unwrap();
    for (bind, expected) in [(true, 401), (false, 200)] {
        let server = builder(&authority)
            .client_with_certificate("orders", "orders.example")
            .bind_tokens_to_certificates(bind)
            .start()
            .await
            .unwrap();
        let api = ProtectedApi::start(&server).await.unwrap();
        let owner = client(&authority, Some(&certificate));
        let (_, json) = request_token(&owner, &server, "orders").await;
        let token = json["access_token"].as_str().unwrap();
        let renewed = client(&authority, Some(&renewed));
        for (client, expected) in [
            (&owner, 200),
            (&renewed, expected),
            (&client(&authority, None), expected),
        ] {
            let response = send(client, api_request(api.url(), token)).await;
            assert_eq!(response.status(), expected);
        }
    }
}

#[tokio::test]
async fn a_token_of_a_connection_without_a_certificate_is_bound_to_none() {
    let authority = TestAuthority::new().unwrap();
    let certificate = authority.client_certificate("orders.example").unwrap();
    let server = builder(&authority)
        .public_client("app")
        .start()
        .await
        .unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    let (plain, with_certificate) = (
        client(&authority, None),
        client(&authority, Some(&certificate)),
    );
    let (_, json) = request_token(&plain, &server, "app").await;
    let token = json["access_token"].as_str().unwrap();
    for client in [&plain, &with_certificate] {
        assert_eq!(
            send(client, api_request(api.url(), token)).await.status(),
            200
        );
    }
    assert!(!format!("{authority:?} {certificate:?}").contains("PRIVATE"));
    assert!(TestCertificate::self_signed("é").is_err());
}
