//! Authorization details (RFC 9396): requested, part of the key, and read after they were granted.

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, ErrorKind, TokenCache, TokenCaches,
    TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_testing::MemoryStore;

use crate::recording_transport::Recording;

const PAYMENT: &str = r#"{"type":"payment","account":"s3cr3t-iban"}"#;
const ACCOUNT: &str = r#"{ "type" : "account_information" }"#;
const GRANTED: &str = r#"[{"type":"payment", "account":"s3cr3t-iban", "limit":[1,2]}]"#;

fn grant(transport: &Recording) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(transport.clone())
        .unwrap()
}

fn request(details: &[&str]) -> TokenRequest {
    let builder = TokenRequest::builder().scope("a").parameter("p", "1");
    let builder = details.iter().fold(builder, |builder, detail| {
        builder.authorization_detail(*detail)
    });
    builder.build().unwrap()
}

fn granting(granted: &str) -> Recording {
    Recording::answering(
        200,
        format!(r#"{{"access_token":"abc","expires_in":600,"authorization_details":{granted}}}"#),
    )
}

#[tokio::test]
async fn rfc9396_6_details_are_sent_as_one_array_in_the_given_order() {
    let transport = Recording::issuing();
    let source = grant(&transport);
    source.fetch(&request(&[PAYMENT, ACCOUNT])).await.unwrap();
    let array = format!("[{PAYMENT},{ACCOUNT}]");
    let array: String = form_urlencoded::byte_serialize(array.as_bytes()).collect();
    assert_eq!(
        transport.form(),
        format!("grant_type=client_credentials&scope=a&authorization_details={array}&p=1")
    );
}

#[tokio::test]
async fn rfc9396_7_the_granted_details_are_returned_as_they_stand_in_the_response() {
    let tokens = TokenCache::new(grant(&granting(GRANTED)));
    let token = tokens.token().await.unwrap();
    assert_eq!(token.authorization_details(), Some(GRANTED));
    // they may hold what only the API is to know
    let shown = format!("{token:?} {:?}", request(&[PAYMENT, ACCOUNT]));
    assert!(
        shown.contains("payment") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let builder = TokenRequest::builder().authorization_detail(PAYMENT);
    let shown = format!("{builder:?}");
    assert!(
        shown.contains("payment") && !shown.contains("s3cr3t"),
        "{shown}"
    );
}

#[tokio::test]
async fn details_that_are_no_array_are_not_known() {
    for granted in ["null", "{}", "\"[]\"", "7", "[nonsense]", "[{]"] {
        let tokens = TokenCache::builder(grant(&granting(granted)));
        let tokens = tokens.request(request(&[PAYMENT])).build();
        match tokens.token().await {
            Ok(token) => assert_eq!(token.authorization_details(), None, "{granted}"),
            Err(error) => assert_eq!((granted, error.kind()), ("[{]", ErrorKind::InvalidResponse)),
        }
    }
}

#[tokio::test]
async fn details_of_more_than_16_kib_are_an_error() {
    let long = format!("[{{\"type\":\"{}\"}}]", "x".repeat(16 * 1024));
    let source = grant(&granting(&long));
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("at most 16 KiB"), "{error}");
    let error = TokenCache::new(Generous(long)).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(
        error.to_string().contains("authorization_details"),
        "{error}"
    );
}

/// A source of its own, whose details are not bounded.
#[derive(Debug)]
struct Generous(String);

#[async_trait]
impl TokenSource for Generous {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        Ok(TokenResponse::bearer("abc")?.with_authorization_details(&*self.0))
    }
}

#[tokio::test]
async fn details_are_part_of_the_key() {
    let transport = Recording::issuing();
    let tokens = TokenCaches::builder(TokenCache::new(grant(&transport)));
    let tokens = tokens.build().unwrap();
    for request in [
        request(&[PAYMENT]),
        request(&[ACCOUNT]),
        request(&[PAYMENT]),
    ] {
        tokens.cache(&request).token().await.unwrap();
    }
    assert_eq!(transport.requests(), 2);
}

#[tokio::test]
async fn another_process_reads_the_granted_details_from_the_shared_store() {
    let (transport, store) = (granting(GRANTED), MemoryStore::new());
    let process = || {
        let tokens = TokenCache::builder(grant(&transport)).request(request(&[PAYMENT]));
        tokens.shared_store(store.clone()).build()
    };
    let first = process();
    first.token().await.unwrap();
    first.flush().await;
    let token = process().token().await.unwrap();
    assert_eq!(token.authorization_details(), Some(GRANTED));
    assert_eq!(transport.requests(), 1);
}

#[test]
fn faulty_details_are_an_error_that_does_not_show_them() {
    let builder = TokenRequest::builder().authorization_detail(PAYMENT);
    let error = builder
        .authorization_detail(r#"{"account":"s3cr3t"}"#)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = error.to_string();
    assert!(
        text.contains("authorization_detail 2") && text.contains("\"type\""),
        "{text}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
    let builder = TokenRequest::builder().parameter("Authorization_Details", "[]");
    assert!(
        builder
            .build()
            .unwrap_err()
            .to_string()
            .contains("authorization_details")
    );
}

#[tokio::test]
async fn a_denial_of_the_details_says_so() {
    let body = r#"{"error":"invalid_authorization_details"}"#;
    let source = grant(&Recording::answering(400, body));
    let error = source.fetch(&request(&[PAYMENT])).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("denied the authorization details"),
        "{error}"
    );
}
