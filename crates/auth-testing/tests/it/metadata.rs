//! The metadata documents (RFC 8414, OpenID Connect Discovery), and what a test can make of them.

use auth_testing::{Answer, AuthorizationServer, ClientAuthenticationMethod, Fault, MetadataPath};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header::LOCATION};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::client::{POST, http1, send, server, token_request};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn origin(server: &AuthorizationServer) -> String {
    let endpoint = server.token_endpoint();
    endpoint[..endpoint.rfind('/').unwrap()].to_owned()
}

async fn get(url: String) -> (StatusCode, Value) {
    let request = Request::get(url).body(Full::<Bytes>::default()).unwrap();
    let response = send(&http1(), request).await.unwrap();
    let json = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status(), json)
}

#[tokio::test]
async fn rfc8414_2_both_documents_describe_the_server() {
    let server = AuthorizationServer::builder()
        .client("client", "secret")
        .public_client("public")
        .accept([ClientAuthenticationMethod::ClientSecretPost])
        .scopes("a b")
        .exchange_tokens()
        .start()
        .await
        .unwrap();
    let expected = json!({
        "issuer": server.issuer(),
        "token_endpoint": server.token_endpoint(),
        "revocation_endpoint": server.revocation_endpoint(),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "grant_types_supported": [
            "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "response_types_supported": [],
        "scopes_supported": ["a", "b"],
    });
    for path in [OAUTH, OPENID] {
        let document = get(origin(&server) + path).await;
        assert_eq!(document, (StatusCode::OK, expected.clone()));
    }
    assert_eq!(
        (server.metadata_requests(), server.token_requests()),
        (2, 0)
    );
}

#[tokio::test]
async fn rfc8414_3_the_path_of_the_issuer_follows_the_well_known_part_and_precedes_it_in_openid() {
    for (issuer_path, paths) in [
        ("/", [OAUTH.to_owned(), OPENID.to_owned()]),
        (
            "/realms/a",
            [format!("{OAUTH}/realms/a"), format!("/realms/a{OPENID}")],
        ),
    ] {
        let server = AuthorizationServer::builder().issuer_path(issuer_path);
        let server = server.start().await.unwrap();
        let issuer = format!("{}{issuer_path}", origin(&server));
        assert_eq!(server.issuer(), issuer);
        for path in paths {
            let (status, document) = get(origin(&server) + &path).await;
            assert_eq!(
                (status, &document["issuer"]),
                (StatusCode::OK, &json!(issuer))
            );
        }
        let other = get(format!("{}{OAUTH}/other", origin(&server))).await;
        assert_eq!(other.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_document_is_missing_where_the_test_says_so() {
    let server = server().await;
    server.set_metadata_paths([MetadataPath::OpenId]);
    assert_eq!(get(origin(&server) + OAUTH).await.0, 404);
    assert_eq!(get(origin(&server) + OPENID).await.0, 200);
    server.set_metadata_paths([]);
    assert_eq!(get(origin(&server) + OPENID).await.0, 404);
    assert_eq!(server.metadata_requests(), 3);
}

#[tokio::test]
async fn members_can_be_any_value_or_absent() {
    let server = server().await;
    server.set_metadata("issuer", "https://other.example");
    let aliases = json!({"token_endpoint": "https://mtls.example/token"});
    server.set_metadata("mtls_endpoint_aliases", aliases.clone());
    server.remove_metadata("token_endpoint_auth_methods_supported");
    let (_, document) = get(origin(&server) + OAUTH).await;
    assert_eq!(document["issuer"], "https://other.example");
    assert_eq!(document["mtls_endpoint_aliases"], aliases);
    assert_eq!(document.get("token_endpoint_auth_methods_supported"), None);
    server.set_metadata("issuer", 7);
    assert_eq!(get(origin(&server) + OAUTH).await.1["issuer"], 7);
}

#[tokio::test]
async fn a_moved_token_endpoint_responds_at_its_new_path_only() {
    let server = server().await;
    let old = server.token_endpoint();
    server.move_token_endpoint("/v2/token");
    let (_, document) = get(origin(&server).replace("/v2", "") + OAUTH).await;
    assert_eq!(document["token_endpoint"], server.token_endpoint());
    assert!(server.token_endpoint().ends_with("/v2/token"));
    for (url, status) in [(old, 404), (server.token_endpoint(), 200)] {
        let response = send(&http1(), token_request(url, POST)).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn requests_for_documents_fail_on_demand_and_token_requests_do_not() {
    let server = server().await;
    let url = || origin(&server) + OAUTH;
    let moved = Answer::status(StatusCode::FOUND)
        .with_header(LOCATION, HeaderValue::from_static("https://other.example/"));
    server.fail_next_metadata(1, moved);
    server.fail_all_metadata(Answer::status(StatusCode::BAD_GATEWAY));
    assert_eq!(get(url()).await.0, 302);
    assert_eq!(get(url()).await.0, 502);
    let issued = send(&http1(), token_request(server.token_endpoint(), POST)).await;
    assert_eq!(issued.unwrap().status(), 200);
    server.recover();
    assert_eq!(get(url()).await.0, 200);
    server.fail_next_metadata(1, Fault::Disconnect);
    let request = Request::get(url()).body(Full::default()).unwrap();
    assert!(send(&http1(), request).await.is_err());
    server.until_metadata_requests(4).await;
}

#[tokio::test]
async fn a_document_is_only_read() {
    let server = server().await;
    let mut request = token_request(origin(&server) + OAUTH, POST);
    *request.method_mut() = Method::POST;
    assert_eq!(send(&http1(), request).await.unwrap().status(), 405);
}
