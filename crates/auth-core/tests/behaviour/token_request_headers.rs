//! The token request as servers expect it: its headers, and the client's id in the form.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, ErrorKind,
    TokenRequest, TokenSource,
};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};

use crate::recording_transport::Recording;

fn builder() -> ClientCredentialsBuilder {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    ClientCredentials::builder("https://as.example/token", "my-client", authentication)
}

async fn recorded(builder: ClientCredentialsBuilder) -> Recording {
    let transport = Recording::issuing();
    let source = builder.build(transport.clone()).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    transport
}

/// RFC 9110 §12.5.3: no coding is asked for, and none is decoded.
#[tokio::test]
async fn headers_ask_for_no_content_coding() {
    let headers = recorded(builder()).await.headers();
    assert_eq!(headers[ACCEPT_ENCODING], "identity");
}

#[tokio::test]
async fn headers_name_this_crate_as_the_user_agent() {
    let headers = recorded(builder()).await.headers();
    let expected = concat!("auth-core/", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers[USER_AGENT], expected);
}

#[tokio::test]
async fn headers_carry_the_user_agent_that_is_set() {
    let headers = recorded(builder().user_agent("orders/1.2 (ops@example.com)"))
        .await
        .headers();
    assert_eq!(headers[USER_AGENT], "orders/1.2 (ops@example.com)");
    assert_eq!(headers.get_all(USER_AGENT).iter().count(), 1);
}

#[tokio::test]
async fn headers_leave_the_user_agent_to_the_transport_where_that_is_set() {
    let headers = recorded(builder().no_user_agent()).await.headers();
    assert!(!headers.contains_key(USER_AGENT));
}

#[test]
fn a_user_agent_that_no_header_can_hold_is_an_error() {
    for value in ["", "a\r\nX-Evil: 1", "a\0b", " a", "a\u{202e}b"] {
        let built = builder().user_agent(value).build(Recording::issuing());
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{value:?}");
        assert!(error.to_string().contains("user agent"), "{error}");
    }
}

#[tokio::test]
async fn the_client_id_is_in_the_form_beside_basic_where_that_is_set() {
    let alone = recorded(builder()).await;
    assert_eq!(alone.form(), "grant_type=client_credentials");
    let both = recorded(builder().client_id_in_form(true)).await;
    let form = "grant_type=client_credentials&client_id=my-client";
    assert_eq!(both.form(), form);
    assert!(both.headers().contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn the_client_id_is_in_the_form_once_with_client_secret_post() {
    let post = ClientAuthentication::client_secret_post("s3cr3t-of-it");
    let recording = recorded(builder().authentication(post).client_id_in_form(true)).await;
    assert_eq!(recording.form().matches("client_id=").count(), 1);
}

#[tokio::test]
async fn the_shortest_builder_has_the_settings_of_the_token_request() {
    let transport = Recording::issuing();
    let secret = auth_core::ClientSecret::from("s3cr3t-of-it");
    let authorizer =
        Authorizer::client_credentials("https://as.example/token", "my-client", secret)
            .user_agent("orders/1.2")
            .client_id_in_form(true)
            .origin("https://api.example")
            .build(transport.clone())
            .unwrap();
    let request = http::Request::get("https://api.example/").body(()).unwrap();
    let auth_core::adapter::Decision::Wait(wait) = authorizer.authorize(&request) else {
        panic!("a token is cached already");
    };
    wait.await.unwrap();
    assert_eq!(transport.headers()[USER_AGENT], "orders/1.2");
    assert!(transport.form().ends_with("&client_id=my-client"));
}

/// As with `header("X-Key: s3cr3t", …)`, or with name and value exchanged.
#[test]
fn a_header_name_that_holds_a_value_is_not_shown() {
    for (name, told) in [
        ("X-Key: s3cr3t", "header \"X-Key:…\": expected a name"),
        (
            "s3cr3t/of+it=",
            "header \"[13 characters]\": expected a name",
        ),
    ] {
        let endpoint = builder().header(name, "v");
        let shown = format!("{endpoint:?}");
        let error = endpoint.build(Recording::issuing()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error:?}{shown}").contains("s3cr3t/"), "{shown}");
        assert!(!format!("{error:?}{shown}").contains("s3cr3t\""), "{shown}");
    }
}
