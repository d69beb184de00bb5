//! A service account whose token endpoint is on loopback. It hands out a token in an `Arc`.

use std::sync::{Arc, LazyLock};

use ::gcp_auth::{CustomServiceAccount, Error, Token, TokenProvider};
use bench_support::ready_now;
use http::HeaderValue;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::json;

use super::{Awaited, Lends, Library, header, ready};
use crate::source::Source;

const SCOPES: [&str; 1] = ["scope"];

/// Signs the token requests. The token endpoint does not check the signature.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
});

#[derive(Clone)]
pub struct GcpAuth(Arc<CustomServiceAccount>);

impl Library for GcpAuth {
    const NAME: &'static str = "gcp_auth";

    type Header = HeaderValue;

    async fn ready() -> Self {
        ready().await
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let mut lend = self.lender();
        move || header(lend().as_str())
    }
}

impl Lends for GcpAuth {
    const NAME: &'static str = "gcp_auth_lent";

    type Loan = Arc<Token>;

    fn lender(&self) -> impl FnMut() -> Arc<Token> {
        let account = Arc::clone(&self.0);
        move || ready_now(account.token(&SCOPES)).unwrap()
    }
}

/// Each token request contains an assertion with the second in which it was made. Five attempts take
/// more than a second, so two token requests differ, and the attempts of one are equal.
impl Awaited for GcpAuth {
    type Token = Arc<Token>;
    type Error = Error;

    fn cold(source: Source) -> Self {
        let account = json!({
            "client_email": "peers@example.test",
            "private_key": *KEY,
            "token_uri": source.serve(),
        });
        let account = CustomServiceAccount::from_json(&account.to_string());
        Self(Arc::new(account.unwrap()))
    }

    async fn token(self) -> Result<Arc<Token>, Error> {
        self.0.token(&SCOPES).await
    }
}
