use std::{env, fs, sync::Mutex};

use auth_core::{BoxError, HttpTransport, TransportBody};
use auth_testing::{AuthorizationServer, ProtectedApi, TestAuthority};
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};

use super::*;
use crate::{args::Args, authentication, token_request_count::TokenRequestCount};

/// A transport that records the last token request, and fails.
#[derive(Clone, Debug, Default)]
struct Recording(Arc<Mutex<String>>);

#[async_trait]
impl HttpTransport for Recording {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let form = String::from_utf8_lossy(request.body()).into_owned();
        let names: Vec<_> = request
            .headers()
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        *self.0.lock().unwrap() = format!("{form} {}", names.join(" "));
        Err(Error::connection(BoxError::from("recorded")))
    }
}

fn credentials(arguments: &[&str], transport: Recording) -> anyhow::Result<Arc<dyn TokenSource>> {
    let all = ["call", "https://api.example.com"].iter().chain(arguments);
    let args = Args::try_parse_from(all)?;
    let certificate = authentication::certificate(&args.client)?;
    Credentials::new(&args.client, certificate)?.source(transport)
}

fn error(arguments: &[&str]) -> String {
    let error = credentials(arguments, Recording::default()).unwrap_err();
    format!("{error:#}")
}

/// Returns the form of the token request, and the names of its headers.
async fn form(arguments: &[&str]) -> String {
    let transport = Recording::default();
    let source = credentials(arguments, transport.clone()).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap_err();
    let sent = transport.0.lock().unwrap();
    sent.clone()
}

fn file(name: &str, text: &str) -> String {
    let path = env::temp_dir().join(format!("call-{name}-{}", std::process::id()));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const TOKEN: [&str; 4] = ["--token-url", "https://as.example/t", "--client-id", "id"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    TOKEN.iter().chain(more).copied().collect()
}

#[test]
fn an_option_that_lacks_another_one_is_an_error_that_names_both() {
    let jwt = file("lacks", "e30.e30.c2ln");
    for (arguments, told) in [
        (
            &["--auth-method", "private_key_jwt"][..],
            "private_key_jwt: expected --key",
        ),
        (
            &["--auth-method", "client_assertion"],
            "expected --assertion-file",
        ),
        (
            &["--auth-method", "tls_client_auth"],
            "tls_client_auth: expected --cert and --cert-key",
        ),
        (
            &["--auth-method", "self_signed_tls_client_auth"],
            "self_signed_tls_client_auth: expected --cert",
        ),
        (
            &["--grant", "jwt_bearer"],
            "--grant jwt_bearer: expected --key or --assertion-file",
        ),
        (
            &["--auth-method", "none", "--grant", "token_exchange"],
            "--subject-token-file",
        ),
        (
            &["--auth-method", "none", "--grant", "refresh_token"],
            "--subject-token-file",
        ),
        (
            &["--auth-method", "none", "--alg", "ES256"],
            "--alg: expected an assertion that is signed",
        ),
        (
            &["--auth-method", "none", "--assertion-aud", "issuer"],
            "--assertion-aud: expected",
        ),
        (
            &["--auth-method", "none", "--assertion-typ", "JWT"],
            "--assertion-typ: expected",
        ),
        (
            &["--auth-method", "none", "--assertion-sub", "u"],
            "--assertion-sub: expected --grant jwt_bearer",
        ),
        (
            &["--auth-method", "none", "--assertion-scope"],
            "--assertion-scope: expected --grant jwt_bearer",
        ),
        (
            &["--auth-method", "none", "--assertion-file", &jwt],
            "--assertion-file: expected --auth-method client_assertion",
        ),
        (
            &["--auth-method", "none", "--subject-token-file", &jwt],
            "--subject-token-file: expected --grant token_exchange",
        ),
        (
            &["--auth-method", "none", "--token-header", "x"],
            "--token-header: expected NAME: VALUE",
        ),
        (
            &["--auth-method", "none", "--param", "x"],
            "--param: expected NAME=VALUE",
        ),
        (&["--cert", "/no/such"], "--cert-key"),
        (&["--key", "/no/such/key.pem"], "/no/such/key.pem"),
        (
            &[
                "--auth-method",
                "none",
                "--grant",
                "token_exchange",
                "--subject-token-file",
                &jwt,
                "--subject-token-type",
                "x",
            ],
            "--subject-token-type",
        ),
    ] {
        let error = error(&with(arguments));
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
    let in_file = ["--grant", "jwt_bearer", "--assertion-file", &jwt];
    for (more, told) in [
        (&["--assertion-scope"][..], "--assertion-scope: expected"),
        (&["--assertion-sub", "u"], "--assertion-sub: expected"),
        (&["--assertion-aud", "a"], "--assertion-aud: expected"),
        (&["--alg", "ES256"], "--alg: expected"),
    ] {
        let error = error(&with(&[&in_file, more].concat()));
        assert!(error.contains(told), "{more:?}: {error}");
    }
    let none = ["--auth-method", "none"];
    for (more, told) in [
        (
            &["--client-secret-file", &jwt][..],
            "--client-secret-file: expected --auth-method",
        ),
        (
            &["--client-secret-env", "VAR"],
            "--client-secret-env: expected --auth-method",
        ),
        (
            &["--subject-token-type", "jwt"],
            "--subject-token-type: expected --grant token_exchange",
        ),
    ] {
        let error = error(&with(&[&none, more].concat()));
        assert!(error.contains(told), "{more:?}: {error}");
    }
    for (arguments, told) in [
        (&["--client-id", "id"][..], "--provider"),
        (
            &["--provider", "signicat", "--issuer", "https://as.example"],
            "--issuer",
        ),
        (
            &["--provider", "signicat", "--auth-method", "none"],
            "expected --client-id",
        ),
        (
            &[
                "--provider",
                "signicat",
                "--client-id",
                "id",
                "--grant",
                "jwt_bearer",
            ],
            "--grant: expected --token-url or --issuer",
        ),
        (
            &[
                "--token-url",
                "https://as.example/t",
                "--auth-method",
                "tls_client_auth",
            ],
            "--cert",
        ),
        (
            &[
                "--token-url",
                "http://as.example/t",
                "--client-id",
                "id",
                "--auth-method",
                "none",
            ],
            "danger_allow_http",
        ),
    ] {
        let error = error(arguments);
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
    fs::remove_file(jwt).unwrap();
}

/// The API may require the certificate, and the token endpoint not.
#[test]
fn a_certificate_leaves_the_method_of_a_preset() {
    let method = |more: &[&str]| {
        let certificate = ["--cert", "/c", "--cert-key", "/k", "--client-id", "id"];
        let all = [&["call", "https://api.example.com"], &certificate[..], more].concat();
        authentication::method(&Args::try_parse_from(all).unwrap().client)
    };
    assert_eq!(method(&["--provider", "signicat"]), None);
    let url = ["--token-url", "https://as.example/t"];
    assert_eq!(method(&url), Some(crate::args::AuthMethod::TlsClientAuth));
}

/// The API rejects a token that is bound to a certificate on a connection without it (RFC 8705 §3).
#[tokio::test]
async fn each_stack_presents_the_certificate_to_the_api_as_well() {
    let authority = TestAuthority::new().unwrap();
    let certificate = authority.client_certificate("orders.example").unwrap();
    let server = AuthorizationServer::builder()
        .tls(&authority)
        .client_with_certificate("orders", "orders.example")
        .start()
        .await
        .unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    let files = [
        file("ca", &authority.pem()),
        file("certificate", certificate.certificate_pem()),
        file("certificate-key", certificate.key_pem()),
    ];
    for stack in ["hyper", "reqwest", "tonic"] {
        let args = Args::try_parse_from([
            "call",
            "--stack",
            stack,
            "--token-url",
            &server.token_endpoint(),
            "--client-id",
            "orders",
            "--ca",
            &files[0],
            "--cert",
            &files[1],
            "--cert-key",
            &files[2],
            &api.url(),
        ]);
        let tenants = crate::prepare(&args.unwrap(), &TokenRequestCount::default()).unwrap();
        let response = tenants.first().stack.send(true).await;
        let response = response.unwrap_or_else(|failure| panic!("{stack}: {failure:?}"));
        assert!(response.is_success(), "{stack}: {response:?}");
    }
    assert_eq!(api.rejections(), 0);
    for file in files {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn content_in_the_place_of_a_path_is_not_shown() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4Cs3cr3t";
    for arguments in [
        [&format!("--key={key}"), "--x5t-cert=/no/such/file"],
        [&format!("--key={key}"), "--kid=k"],
    ] {
        let error = error(&with(&arguments));
        assert!(
            error.contains("content of") && !error.contains("s3cr3t"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn each_grant_sends_its_form() {
    let jwt = file("form", "e30.e30.c2ln");
    let base = [
        "--auth-method",
        "none",
        "--scope",
        "a",
        "--token-header",
        "X-Key: k",
    ];
    let sent = form(&with(&base)).await;
    assert!(
        sent.starts_with("grant_type=client_credentials&scope=a&client_id=id "),
        "{sent}"
    );
    assert!(sent.contains("x-key"), "{sent}");
    let sent = form(&with(&[
        "--auth-method",
        "none",
        "--grant",
        "account_credentials",
    ]))
    .await;
    assert!(
        sent.starts_with("grant_type=account_credentials&client_id=id "),
        "{sent}"
    );
    let sent = form(&with(&["--grant", "jwt_bearer", "--assertion-file", &jwt])).await;
    let expected =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=e30.e30.c2ln";
    assert!(sent.starts_with(expected), "{sent}");
    let exchange = [
        "--auth-method",
        "none",
        "--grant",
        "token_exchange",
        "--subject-token-file",
        &jwt,
    ];
    let sent = form(&with(&exchange)).await;
    assert!(
        sent.contains("subject_token=e30.e30.c2ln&subject_token_type="),
        "{sent}"
    );
    let refresh = [
        "--auth-method",
        "none",
        "--grant",
        "refresh_token",
        "--subject-token-file",
        &jwt,
    ];
    let sent = form(&with(&refresh)).await;
    assert!(
        sent.starts_with("grant_type=refresh_token&refresh_token=e30.e30.c2ln"),
        "{sent}"
    );
    let sent = form(&with(&["--assertion-file", &jwt])).await;
    assert!(sent.contains("client_assertion=e30.e30.c2ln"), "{sent}");
    fs::remove_file(jwt).unwrap();
}
