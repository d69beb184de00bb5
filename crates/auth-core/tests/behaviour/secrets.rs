//! Nothing secret is printed: not by `Debug`, not in an error, not in a log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientSecret, SecretString, TokenCache,
    TokenRequest, TokenResponse, TokenSource, provider::Provider,
};
use auth_test_support::{
    secrets::{Canned, GOOD, ID, SECRET, TOKEN, assert_clean, credentials, debug_is_clean},
    soon,
};
use http::Request;
use tracing_subscriber::fmt::MakeWriter;

#[tokio::test]
async fn debug_of_every_public_type_that_holds_a_secret() {
    debug_is_clean(&SecretString::from(SECRET));
    debug_is_clean(&ClientSecret::from(SECRET));
    debug_is_clean(&TokenResponse::bearer(TOKEN).unwrap());
    for authentication in [
        ClientAuthentication::client_secret_basic(SECRET),
        ClientAuthentication::client_secret_basic_raw(SECRET),
        ClientAuthentication::client_secret_post(SECRET),
    ] {
        debug_is_clean(&authentication);
        let builder = ClientCredentials::builder("https://as.example/token", ID, authentication);
        debug_is_clean(&builder);
        debug_is_clean(&builder.build(GOOD).unwrap());
    }
    let request = TokenRequest::builder().parameter("password", SECRET);
    debug_is_clean(&request);
    debug_is_clean(&request.build().unwrap());
    debug_is_clean(&Provider::signicat().client_credentials(ID, SECRET));
    let source = credentials(GOOD);
    debug_is_clean(&source.fetch(&TokenRequest::default()).await.unwrap());

    let builder = TokenCache::builder(source);
    debug_is_clean(&builder);
    let tokens = builder.build();
    let token = tokens.token().await.unwrap();
    assert_eq!(token.secret(), TOKEN);
    debug_is_clean(&token);
    debug_is_clean(&token.authorization());
    debug_is_clean(token.authorization().header());
    debug_is_clean(&tokens);

    let builder = Authorizer::builder(tokens).origin("https://api.example");
    debug_is_clean(&builder);
    let authorizer = builder.build().unwrap();
    debug_is_clean(&authorizer);
    let mut request = Request::get("https://api.example/").body(()).unwrap();
    let decision = authorizer.authorize(&request);
    debug_is_clean(&decision);
    let auth_core::adapter::Decision::Authorize(authorization) = decision else {
        panic!("expected a token at hand, got {decision:?}");
    };
    authorization.apply(request.headers_mut());
    debug_is_clean(&request);
}

/// A server that echoes what it got, in every member and in every way to be wrong.
#[tokio::test]
async fn errors_show_no_secret_and_no_body() {
    for canned in [
        Canned(
            401,
            r#"{"error":"invalid_client","error_description":"s3cr3t/of+the=client"}"#,
        ),
        Canned(
            400,
            r#"{"error":"bad","error_description":"client_secret=s3cr3t%2Fof%2Bthe%3Dclient"}"#,
        ),
        Canned(
            400,
            r#"{"error":"bad","error_description":"Basic c29tZS1jbGllbnQ6czNjcjN0L29mK3RoZT1jbGllbnQ="}"#,
        ),
        Canned(
            400,
            r#"{"error":"s3cr3t/of+the=client","error_uri":"s3cr3t/of+the=client"}"#,
        ),
        Canned(400, "s3cr3t/of+the=client"),
        Canned(503, "<html>s3cr3t/of+the=client</html>"),
        Canned(200, "s3cr3t/of+the=client"),
        Canned(200, r#"{"access_token":"t0k3n.of.the.client"}"#),
        Canned(
            200,
            r#"{"access_token":"t0k3n.of.the.client","token_type":"mac"}"#,
        ),
        Canned(
            200,
            r#"{"access_token":"t0k3n.of.the.client é","token_type":"Bearer"}"#,
        ),
        Canned(
            200,
            r#"{"access_token":["t0k3n.of.the.client"],"token_type":"Bearer"}"#,
        ),
        Canned(
            200,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":"t0k3n.of.the.client"}"#,
        ),
        Canned(307, "s3cr3t/of+the=client"),
    ] {
        let source = credentials(canned.clone());
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert_clean(canned.1, &format!("{error} {error:?} {error:#?}"));
        assert!(!error.to_string().contains("<html>"));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_at_its_loudest_shows_no_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let bad = Canned(
        401,
        r#"{"error":"invalid_client","error_description":"s3cr3t/of+the=client"}"#,
    );
    for canned in [GOOD, bad] {
        let tokens = TokenCache::new(credentials(canned));
        let _ = soon(tokens.token()).await;
        let authorizer = Authorizer::builder(tokens).origin("https://api.example");
        let elsewhere = Request::get("https://elsewhere.example/").body(()).unwrap();
        let _ = authorizer.build().unwrap().authorize(&elsewhere);
    }
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for event in [
        "access token received",
        "token request failed",
        "without a token",
    ] {
        assert!(text.contains(event), "no event {event:?} in {text}");
    }
    assert_clean("the log", &text);
}
