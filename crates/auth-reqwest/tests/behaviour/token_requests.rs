//! The token requests of the transport: headers of the client, `Referer`, and `Debug`.

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error, TokenRequest,
    TokenResponse, TokenSource,
};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{RawServer, reqwest_clients::reqwest_builder};
use reqwest::{
    ClientBuilder,
    header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};

const OURS: &str = concat!("user-agent: auth-core/", env!("CARGO_PKG_VERSION"), "\r\n");
const TOKEN: &str = r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#;

fn response(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn grant(url: &str) -> ClientCredentialsBuilder {
    let authentication = ClientAuthentication::client_secret_post("s3cr3t-of-it");
    ClientCredentials::builder(url, "client", authentication)
}

async fn fetch(
    builder: ClientCredentialsBuilder,
    transport: ReqwestTransport,
) -> Result<TokenResponse, Error> {
    let source = builder.build(transport)?;
    source.fetch(&TokenRequest::default()).await
}

/// Returns the head of a token request, in lower case.
async fn head(
    transport: ReqwestTransport,
    set: impl FnOnce(ClientCredentialsBuilder) -> ClientCredentialsBuilder,
) -> String {
    let server = RawServer::start(response("200 OK", "", TOKEN)).await;
    fetch(set(grant(&server.origin())), transport)
        .await
        .unwrap();
    let received = server.received().await.to_ascii_lowercase();
    received.split_once("\r\n\r\n").unwrap().0.to_owned() + "\r\n"
}

fn transport(builder: ClientBuilder) -> ReqwestTransport {
    ReqwestTransport::new(builder).unwrap()
}

#[tokio::test]
async fn user_agent_is_ours_where_the_client_has_none() {
    let transport = transport(reqwest_builder());
    let head = head(transport, |grant| grant).await;
    assert!(head.contains(OURS), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
}

#[tokio::test]
async fn user_agent_of_the_client_wins() {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("theirs/1"));
    let mut sensitive = headers.clone();
    sensitive.get_mut(USER_AGENT).unwrap().set_sensitive(true);
    let builders = [
        reqwest_builder().user_agent("theirs/1"),
        reqwest_builder().default_headers(headers),
        reqwest_builder().default_headers(sensitive),
    ];
    for builder in builders {
        let head = head(transport(builder), |grant| grant).await;
        assert!(head.contains("user-agent: theirs/1\r\n"), "{head}");
        assert_eq!(head.matches("user-agent:").count(), 1, "{head}");
    }
}

#[tokio::test]
async fn user_agent_of_the_client_is_not_seen_in_another_header() {
    let name = HeaderName::from_static("x-note");
    let value = HeaderValue::from_static("\"user-agent\": theirs");
    let builder =
        || reqwest_builder().default_headers([(name.clone(), value.clone())].into_iter().collect());
    let transport = transport(builder());
    let head = head(transport, |grant| grant).await;
    assert!(head.contains(OURS), "{head}");
}

#[tokio::test]
async fn user_agent_that_is_set_wins_over_that_of_the_client() {
    let transport = transport(reqwest_builder().user_agent("theirs/1"));
    let head = head(transport, |grant| grant.user_agent("mine/2")).await;
    assert!(head.contains("user-agent: mine/2\r\n"), "{head}");
    assert_eq!(head.matches("user-agent:").count(), 1, "{head}");
}

#[tokio::test]
async fn debug_prints_no_default_header_of_the_client() {
    let name = HeaderName::from_static("x-api-key");
    let value = HeaderValue::from_static("d3f4ult");
    let builder =
        || reqwest_builder().default_headers([(name.clone(), value.clone())].into_iter().collect());
    let transport = transport(builder());
    let shown = format!("{transport:?} {transport:#?}");
    let source = grant("https://as.example/token").build(transport).unwrap();
    let shown = format!("{shown} {source:?}");
    assert!(!shown.contains("d3f4ult"), "{shown}");
}

/// reqwest sends the whole URL of the request in `Referer` of the redirected one.
#[tokio::test]
async fn referer_does_not_show_the_query_of_the_token_endpoint() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let transport = transport(reqwest_builder());
        let elsewhere = RawServer::start(response("200 OK", "", TOKEN)).await;
        let location = format!("location: {}/\r\n", elsewhere.origin());
        let endpoint = RawServer::start(response(status, &location, "")).await;
        let url = format!("{}/token?sig=qu3ry", endpoint.origin());
        let error = fetch(grant(&url), transport).await.unwrap_err();
        assert!(!format!("{error:?}").contains("qu3ry"), "{error:?}");
        let seen = elsewhere.received().await;
        assert!(!seen.contains("qu3ry"), "{status}: {seen}");
    }
}
