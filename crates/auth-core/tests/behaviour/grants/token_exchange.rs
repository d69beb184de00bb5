//! The token exchange grant.

use std::time::Duration;

use auth_core::{
    ClientAuthentication, ErrorKind, TokenEndpoint, TokenExchange, TokenRequest, TokenSource,
    TokenType,
};

use super::{Fixed, JWT, Numbered, endpoint, scope};
use crate::recording_transport::Recording;

const URL: &str = "https://as.example/token";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3A";

fn grant(transport: &Recording) -> TokenExchange {
    TokenExchange::new(endpoint(URL, transport), Fixed(JWT), TokenType::JWT).unwrap()
}

/// The parameters of `google/oauth2/sts.py` of google-auth-library-python.
#[tokio::test]
async fn google_workload_identity() {
    let transport = Recording::answering(
        200,
        r#"{"access_token":"abc","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",
            "token_type":"Bearer","expires_in":3600}"#,
    );
    let endpoint = endpoint("https://sts.googleapis.com/v1/token", &transport);
    let grant = TokenExchange::new(endpoint, Fixed(JWT), TokenType::JWT).unwrap();
    let request = TokenRequest::builder()
        .audience("//iam.googleapis.com/projects/1")
        .scope("https://www.googleapis.com/auth/cloud-platform");
    let grant = grant.requested_token_type(TokenType::ACCESS_TOKEN);
    let grant = grant.with_defaults(request.build().unwrap()).unwrap();
    let response = grant.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(
        transport.form(),
        format!(
            "{GRANT}&subject_token={JWT}&subject_token_type={TYPE}jwt\
             &requested_token_type={TYPE}access_token\
             &scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\
             &audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1"
        )
    );
    let issued = response.issued_token_type();
    assert_eq!(issued, Some(TokenType::ACCESS_TOKEN.as_str()));
}

/// <https://www.rfc-editor.org/rfc/rfc8693#section-2.3>.
#[tokio::test]
async fn rfc8693_2_3_the_example() {
    let transport = Recording::answering(
        200,
        r#"{"access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjllciJ9.eyJhdWQiOiJhIn0.c2ln",
            "issued_token_type":"urn:ietf:params:oauth:token-type:access_token",
            "token_type":"Bearer","expires_in":60}"#,
    );
    let subject = Fixed("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC");
    let endpoint = endpoint(URL, &transport);
    let grant = TokenExchange::new(endpoint, subject, TokenType::ACCESS_TOKEN).unwrap();
    let request = TokenRequest::builder().resource("https://backend.example.com/api");
    let response = grant.fetch(&request.build().unwrap()).await.unwrap();
    let form = transport.form();
    let mut sent: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
    sent.sort();
    let example = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                   &resource=https%3A%2F%2Fbackend.example.com%2Fapi\
                   &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC\
                   &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";
    let expected: Vec<_> = form_urlencoded::parse(example.as_bytes()).collect();
    assert_eq!(sent, expected);
    assert_eq!(response.expires_in(), Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn rfc8693_2_1_an_actor_token_is_sent_with_its_type() {
    let transport = Recording::issuing();
    let authentication = ClientAuthentication::client_secret_post("s3cr3t");
    let endpoint = TokenEndpoint::builder(URL, authentication).client_id("my-client");
    let endpoint = endpoint.build(transport.clone()).unwrap();
    let subject = Numbered::new("subject");
    let grant = TokenExchange::new(endpoint, subject, TokenType::ACCESS_TOKEN).unwrap();
    let grant = grant
        .actor(Numbered::new("actor"), TokenType::ID_TOKEN)
        .unwrap();
    for number in 1..=2 {
        grant.fetch(&TokenRequest::default()).await.unwrap();
        assert_eq!(
            transport.form(),
            format!(
                "{GRANT}&subject_token=subject-{number}&subject_token_type={TYPE}access_token\
                 &actor_token=actor-{number}&actor_token_type={TYPE}id_token\
                 &client_id=my-client&client_secret=s3cr3t"
            )
        );
    }
}

#[tokio::test]
async fn rfc8693_2_2_1_a_token_that_is_no_access_token_is_an_error_that_says_so() {
    for kind in ["N_A", "n_a"] {
        let body = format!(
            r#"{{"access_token":"t0k3n-that-is-a-saml-assertion","token_type":"{kind}",
                "issued_token_type":"urn:ietf:params:oauth:token-type:saml2"}}"#
        );
        let grant = grant(&Recording::answering(200, body));
        let error = grant.fetch(&TokenRequest::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("no access token") && text.contains("requested_token_type"),
            "{text}"
        );
        assert!(!text.contains("t0k3n"), "{text}");
    }
    // a server that counts it as a bearer token
    let body = r#"{"access_token":"t0k3n","token_type":"Bearer",
        "issued_token_type":"urn:ietf:params:oauth:token-type:refresh_token"}"#;
    let grant = grant(&Recording::answering(200, body));
    let error = grant.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(error.to_string().contains("got a refresh token"), "{error}");
    assert!(!error.to_string().contains("t0k3n"), "{error}");
}

#[tokio::test]
async fn a_change_of_either_token_ends_the_backoff_after_a_denial() {
    let (subject, actor) = (Numbered::new("subject"), Numbered::new("actor"));
    let transport = Recording::answering(400, r#"{"error":"invalid_request"}"#);
    let grant = TokenExchange::new(endpoint(URL, &transport), subject.clone(), TokenType::JWT);
    let grant = grant.unwrap().actor(actor.clone(), TokenType::JWT).unwrap();
    for changed in [&subject, &actor] {
        grant.fetch(&TokenRequest::default()).await.unwrap_err();
        assert!(!grant.credentials_changed().await);
        changed.change();
        assert!(grant.credentials_changed().await);
    }
}

#[test]
fn types_and_subject_take_part_in_the_shared_key() {
    let transport = Recording::issuing();
    let request = scope("orders");
    assert!(grant(&transport).shared_key(&request).is_none());
    let alice = || grant(&transport).with_subject("alice").unwrap();
    let endpoint = endpoint(URL, &transport);
    let id_token = TokenExchange::new(endpoint, Fixed(JWT), TokenType::ID_TOKEN);
    let keys = [
        alice(),
        grant(&transport).with_subject("bob").unwrap(),
        alice().requested_token_type(TokenType::JWT),
        alice().actor(Fixed(JWT), TokenType::JWT).unwrap(),
        id_token.unwrap().with_subject("alice").unwrap(),
    ];
    let keys = keys.map(|grant| grant.shared_key(&request).unwrap());
    assert!(alice().shared_key(&request).as_ref() == Some(&keys[0]));
    for (at, one) in keys.iter().enumerate() {
        assert!(keys[..at].iter().all(|other| other != one), "{at}");
    }
}

#[test]
fn a_parameter_that_would_be_sent_twice_is_an_error_at_construction() {
    let transport = Recording::issuing();
    for name in [
        "subject_token",
        "subject_token_type",
        "requested_token_type",
    ] {
        let url = format!("{URL}?{name}=x");
        let grant = TokenExchange::new(endpoint(&url, &transport), Fixed(JWT), TokenType::JWT);
        assert!(grant.unwrap_err().to_string().contains(name));
        let defaults = TokenRequest::builder()
            .parameter(name, "x")
            .build()
            .unwrap();
        let error = self::grant(&transport).with_defaults(defaults).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let url = format!("{URL}?actor_token=x");
    let grant = TokenExchange::new(endpoint(&url, &transport), Fixed(JWT), TokenType::JWT);
    let error = grant
        .unwrap()
        .actor(Fixed(JWT), TokenType::JWT)
        .unwrap_err();
    assert!(error.to_string().contains("actor_token"), "{error}");
}
