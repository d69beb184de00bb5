//! A service account whose token endpoint is on loopback. A read is a token in an `Arc`, checked
//! for expiry.

use std::sync::{Arc, LazyLock};

use ::gcp_auth::{CustomServiceAccount, Token, TokenProvider};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::json;
use url::Url;

use super::Library;
use bench_support::ready_now;

use crate::{
    failing::{CALLERS, Failure, Source},
    loopback,
};

const SCOPES: [&str; 1] = ["scope"];

/// Signs the token requests. The token endpoint does not check the signature.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
});

pub struct GcpAuth(Arc<CustomServiceAccount>);

fn account(token_endpoint: &Url) -> Arc<CustomServiceAccount> {
    let account = json!({
        "client_email": "peers@example.test",
        "private_key": *KEY,
        "token_uri": token_endpoint,
    });
    Arc::new(CustomServiceAccount::from_json(&account.to_string()).unwrap())
}

impl Library for GcpAuth {
    const NAME: &'static str = "gcp_auth";

    type Read = Arc<Token>;

    async fn ready() -> Self {
        let account = account(&loopback::issuing().await);
        account.token(&SCOPES).await.unwrap();
        Self(account)
    }

    fn reader(&self) -> impl FnMut() -> Arc<Token> {
        let account = Arc::clone(&self.0);
        move || ready_now(account.token(&SCOPES)).unwrap()
    }
}

/// Each token request contains an assertion with the second in which it was made. Five attempts take
/// more than a second, so two token requests differ, and the attempts of one are equal.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let account = account(&source.serve().await);
    source
        .asked(|| {
            let account = Arc::clone(&account);
            async move { account.token(&SCOPES).await }
        })
        .await;
    source
}
