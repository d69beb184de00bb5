//! `Debug`, errors and logs show no secret.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientSecret, RequestHead, SecretString,
    TokenCache, TokenRequest, TokenResponse, TokenSource, provider::Provider,
};
use auth_test_support::{
    secrets::{Canned, GOOD, ID, SECRET, TOKEN, assert_clean, debug_is_clean, grant},
    with_timeout,
};
use http::Request;

use crate::captured_log::CapturedLog;

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
    let source = grant(GOOD);
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
        panic!("expected a cached token, got {decision:?}");
    };
    authorization.apply(request.headers_mut());
    debug_is_clean(&request);
}

/// The server echoes the secret and the token in every member, in valid and in invalid responses.
#[test]
fn debug_and_errors_show_no_user_information_of_a_uri() {
    let tenants = Authorizer::per_tenant(
        |_: &RequestHead<'_>| Some(1_u8),
        |_: &u8| Err(auth_core::Error::configuration("unused")),
    );
    let uri = "https://user:s3cr3t@api.example/path";
    let channel = tenants.build().unwrap().for_channel(&uri.parse().unwrap());
    let shown = format!("{:?}", channel.unwrap());
    assert!(
        shown.contains("api.example") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let request = http::Request::get(uri).body(()).unwrap();
    let shown = format!("{:?}", RequestHead::from(&request));
    assert!(
        shown.contains("api.example") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let provider = "idnow:user:s3cr3t@host".parse::<auth_core::provider::Provider>();
    let error = provider.unwrap_err().to_string();
    assert!(!error.contains("s3cr3t"), "{error}");
}

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
        Canned(200, r#"{"token":"t0k3n.of.the.client"}"#),
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
            r#"{"access_token":"t ","token_type":"Bearer","expires_in":"t0k3n.of.the.client"}"#,
        ),
        Canned(307, "s3cr3t/of+the=client"),
    ] {
        let source = grant(canned.clone());
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert_clean(canned.1, &format!("{error} {error:?} {error:#?}"));
        assert!(!error.to_string().contains("<html>"));
    }
}

#[tokio::test]
async fn the_log_at_trace_level_shows_no_secret() {
    let (log, guard) = CapturedLog::start();
    let bad = Canned(
        401,
        r#"{"error":"invalid_client","error_description":"s3cr3t/of+the=client"}"#,
    );
    for canned in [GOOD, bad] {
        let tokens = TokenCache::new(grant(canned));
        let _ = with_timeout(tokens.token()).await;
        let authorizer = Authorizer::builder(tokens).origin("https://api.example");
        let elsewhere = Request::get("https://elsewhere.example/").body(()).unwrap();
        let _ = authorizer.build().unwrap().authorize(&elsewhere);
    }
    drop(guard);
    let text = log.text();
    for event in [
        "access token received",
        "token request failed",
        "without a token",
    ] {
        assert!(text.contains(event), "no event {event:?} in {text}");
    }
    assert_clean("the log", &text);
}
