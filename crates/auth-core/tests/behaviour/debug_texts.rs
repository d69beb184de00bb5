//! `Debug` prints neither a transport's default headers, nor the token endpoint's query, nor
//! parameters.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, TokenCache, TokenRequest,
    provider::Provider,
};

use crate::recording_transport::Recording;

const URL: &str = "https://as.example/token?sig=qu3ry";

#[track_caller]
fn is_clean(shown: &str) {
    for secret in ["d3f4ult", "qu3ry", "p4r4m", "us3r", "s3cr3t-of-it"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn debug_of_builders_sources_and_caches() {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    for url in [
        URL,
        "https://us3r:us3r@as.example/token",
        "https://as.example/token#qu3ry",
    ] {
        let builder = ClientCredentials::builder(url, "id", authentication.clone())
            .parameter("api_key", "p4r4m")
            .resource("https://api.example/?key=p4r4m")
            .audience("https://api.example/?key=p4r4m");
        is_clean(&format!("{builder:?} {builder:#?}"));
        let shortest = Authorizer::client_credentials(url, "id", authentication.clone())
            .parameter("api_key", "p4r4m");
        is_clean(&format!("{shortest:?} {shortest:#?}"));
    }
    let builder = ClientCredentials::builder(URL, "id", authentication).parameter("key", "p4r4m");
    let source = builder.build(Recording::issuing()).unwrap();
    is_clean(&format!("{source:?} {source:#?}"));
    let tokens = TokenCache::builder(source);
    is_clean(&format!("{tokens:?}"));
    let tokens = tokens.build();
    is_clean(&format!("{tokens:?}"));
    let authorizer = Authorizer::builder(tokens)
        .origin("https://api.example")
        .build()
        .unwrap();
    is_clean(&format!("{authorizer:?}"));
    let request = TokenRequest::builder()
        .parameter("key", "p4r4m")
        .resource("https://api.example/?key=p4r4m")
        .audience("https://api.example/?key=p4r4m");
    is_clean(&format!("{request:?}"));
    is_clean(&format!("{:?}", request.build().unwrap()));
    is_clean(&format!("{:?}", Provider::idnow("us3r:us3r@host?qu3ry")));
}
