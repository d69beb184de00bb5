//! The type of a token and the key of its source agree.

use auth_core::{
    AccessTokenType, Dpop, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource,
    async_trait,
};
use auth_test_support::ReadableProver;

/// A source of tokens of one type, with or without a key.
#[derive(Debug)]
struct Source(AccessTokenType, Option<Dpop>);

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        match self.0 {
            AccessTokenType::Dpop => TokenResponse::dpop("abc"),
            _ => TokenResponse::bearer("abc"),
        }
    }

    fn dpop(&self) -> Option<Dpop> {
        self.1.clone()
    }
}

#[tokio::test]
async fn a_source_that_forgets_its_key_or_returns_another_type_is_an_error() {
    let key = Dpop::new(ReadableProver::local()).unwrap();
    for (token_type, key, expected) in [
        (
            AccessTokenType::Bearer,
            Some(key.clone()),
            Some("got a bearer token"),
        ),
        (
            AccessTokenType::Dpop,
            None,
            Some("return the key from TokenSource::dpop"),
        ),
        (AccessTokenType::Dpop, Some(key), None),
        (AccessTokenType::Bearer, None, None),
    ] {
        let outcome = TokenCache::new(Source(token_type, key)).token().await;
        match (expected, outcome) {
            (None, outcome) => assert_eq!(outcome.unwrap().token_type(), token_type),
            (Some(expected), outcome) => {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidResponse);
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
    }
}
