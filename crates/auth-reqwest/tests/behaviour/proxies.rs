//! The environment's proxies, as a child process has them. No request to loopback goes through one.

use std::{
    env,
    process::{Command, Output},
};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientSecret, ErrorKind, TokenCache,
};
use auth_reqwest::{AuthMiddleware, ReqwestTransport, client_builder};
use auth_test_support::{
    Deployment, RawServer,
    certificates::use_ring,
    failing_connections::FailingConnections,
    failing_connections::{Fault, Protocol},
};
use auth_testing::AuthorizationServer;
use http::StatusCode;
use reqwest::Client;
use reqwest_middleware::ClientBuilder;

const TOKEN_URL: &str = "AUTH_TEST_TOKEN_URL";
const API_URL: &str = "AUTH_TEST_API_URL";
const STATUS: &str = "AUTH_TEST_STATUS";
/// Every variable that reqwest reads.
const VARIABLES: [&str; 9] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUEST_METHOD",
];

fn secret() -> ClientSecret {
    ClientSecret::from("s3cr3t")
}

fn var(name: &str) -> String {
    env::var(name).unwrap()
}

/// Runs the ignored test `name` of this file in a process with these variables.
async fn run(name: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.envs(variables.iter().copied());
    let name = format!("proxies::{name}");
    command.args(["--exact", &name, "--ignored", "--nocapture"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    output.await.unwrap()
}

/// Runs the test `name` with servers of this process and with a proxy named by `variable`. Returns what
/// the proxy received.
async fn received_by_proxy(name: &str, variable: &str, token_url: &str, api_url: &str) -> String {
    let proxy = RawServer::start("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    let url = proxy.origin();
    let output = run(
        name,
        &[(variable, &url), (TOKEN_URL, token_url), (API_URL, api_url)],
    )
    .await;
    let received = proxy.received().await;
    assert!(
        output.status.success(),
        "{variable}: {output:?}, {received}"
    );
    received
}

#[tokio::test]
async fn no_request_of_the_readme_program_to_loopback_goes_through_a_proxy() {
    let deployment = Deployment::start().await;
    let token_url = deployment.authorization.token_endpoint();
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        for host in ["127.0.0.1", "localhost"] {
            let api_url = deployment.api.url().replace("127.0.0.1", host);
            let token_url = token_url.replace("127.0.0.1", host);
            let name = "child_readme_program";
            let received = received_by_proxy(name, variable, &token_url, &api_url).await;
            assert_eq!(received, "", "{variable} {host}");
        }
    }
}

#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn child_readme_program() {
    use_ring();
    let (token_url, api_url) = (var(TOKEN_URL), var(API_URL));
    let authorizer = Authorizer::client_credentials(token_url, "client", secret())
        .origin_of(&api_url)
        .build(ReqwestTransport::new(client_builder()).unwrap())
        .unwrap();
    let client = ClientBuilder::new(client_builder().build().unwrap())
        .with(AuthMiddleware::new(authorizer))
        .build();
    let response = client.get(api_url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn no_request_to_a_name_below_localhost_goes_through_a_proxy() {
    let server = AuthorizationServer::builder().start().await.unwrap();
    let url = server
        .token_endpoint()
        .replace("127.0.0.1", "api.localhost");
    let received = received_by_proxy("child_name_below_localhost", "HTTP_PROXY", "", &url).await;
    assert_eq!(received, "");
}

#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn child_name_below_localhost() {
    use_ring();
    // not every machine resolves the name
    let builder = client_builder().resolve("api.localhost", ([127, 0, 0, 1], 0).into());
    let response = builder
        .build()
        .unwrap()
        .get(var(API_URL))
        .send()
        .await
        .unwrap();
    assert_ne!(response.status(), StatusCode::BAD_GATEWAY);
}

/// The builder's own settings name the proxies of the environment.
#[tokio::test]
async fn no_token_request_to_loopback_over_http_goes_through_a_proxy() {
    let server = AuthorizationServer::builder().client("client", "s3cr3t");
    let server = server.start().await.unwrap();
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        for host in ["127.0.0.1", "localhost"] {
            let token_url = server.token_endpoint().replace("127.0.0.1", host);
            let name = "child_transport_with_the_proxies_of_the_environment";
            let received = received_by_proxy(name, variable, &token_url, "").await;
            assert_eq!(received, "", "{variable} {host}");
        }
    }
}

#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn child_transport_with_the_proxies_of_the_environment() {
    use_ring();
    let transport = ReqwestTransport::new(Client::builder()).unwrap();
    let tokens = Authorizer::client_credentials(var(TOKEN_URL), "client", secret())
        .origin("https://api.example.com")
        .build(transport)
        .unwrap();
    tokens.tokens().unwrap().token().await.unwrap();
}

/// A builder without proxies keeps its settings, here HTTP/2 by prior knowledge.
#[tokio::test]
async fn a_transport_without_proxies_keeps_its_client() {
    let endpoint = FailingConnections::start(Fault::None, Protocol::Http2, None).await;
    let name = "child_transport_without_proxies";
    let received = received_by_proxy(name, "HTTP_PROXY", &endpoint.token_endpoint(), "").await;
    assert_eq!(received, "");
}

#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn child_transport_without_proxies() {
    use_ring();
    let builder = Client::builder().no_proxy().http2_prior_knowledge();
    let transport = ReqwestTransport::new(builder).unwrap();
    let tokens = Authorizer::client_credentials(var(TOKEN_URL), "client", secret())
        .origin("https://api.example.com")
        .build(transport)
        .unwrap();
    tokens.tokens().unwrap().token().await.unwrap();
}

/// Other hosts are reached through the proxy, with the user information of its URL.
#[tokio::test]
async fn requests_to_other_hosts_go_through_the_proxy_of_the_environment() {
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = RawServer::start("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
        let url = proxy
            .origin()
            .replace("http://", "http://user:p%40ss%3A%2F@");
        let variables = [
            (variable, &*url),
            (API_URL, "http://api.example.com:1/orders"),
            (STATUS, "502"),
        ];
        let output = run("child_other_host", &variables).await;
        assert!(output.status.success(), "{variable}: {output:?}");
        let received = proxy.received().await.to_ascii_lowercase();
        let line = "get http://api.example.com:1/orders http/1.1\r\n";
        assert!(received.starts_with(line), "{received}");
        // user:p@ss:/
        let authorization = "proxy-authorization: basic dXNlcjpwQHNzOi8=".to_ascii_lowercase();
        assert!(received.contains(&authorization), "{received}");
    }
}

#[tokio::test]
async fn no_proxy_of_the_environment_holds() {
    let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    let (proxy, api) = (RawServer::start("").await, RawServer::start(answer).await);
    let url = api.origin().replace("127.0.0.1", "api.example.com");
    for variable in ["NO_PROXY", "no_proxy"] {
        let variables = [
            ("HTTP_PROXY", &*proxy.origin()),
            (variable, "other, .example.com"),
            (API_URL, &url),
            (STATUS, "204"),
        ];
        let output = run("child_other_host", &variables).await;
        assert!(output.status.success(), "{variable}: {output:?}");
    }
    assert_eq!(proxy.received().await, "");
}

/// The host is this machine, which its name does not tell.
#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn child_other_host() {
    use_ring();
    let builder = client_builder().resolve("api.example.com", ([127, 0, 0, 1], 0).into());
    let response = builder
        .build()
        .unwrap()
        .get(var(API_URL))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_str(), var(STATUS));
}

#[tokio::test]
async fn a_proxy_that_is_set_on_the_builder_is_used_for_other_hosts() {
    let proxy = RawServer::start("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    use_ring();
    let builder = client_builder()
        .no_proxy()
        .proxy(reqwest::Proxy::http(proxy.origin()).unwrap());
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    let grant = ClientCredentials::builder("http://as.example.com/token", "client", authentication)
        .danger_allow_http(true)
        .build(ReqwestTransport::new(builder).unwrap());
    let error = TokenCache::new(grant.unwrap()).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let received = proxy.received().await;
    assert!(
        received.starts_with("POST http://as.example.com/token "),
        "{received}"
    );
}
