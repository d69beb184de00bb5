//! A client whose secret and token can be recognized in printed text.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport, TransportBody};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

/// The client's id.
pub const ID: &str = "some-client";
/// The client's secret.
pub const SECRET: &str = "s3cr3t/of+the=client";
/// The client's token.
pub const TOKEN: &str = "t0k3n.of.the.client";

/// Asserts that `text` contains neither the secret nor the token, in any encoding in which they are sent.
#[track_caller]
pub fn assert_clean(what: &str, text: &str) {
    let forms = [
        SECRET.to_owned(),
        "s3cr3t%2Fof%2Bthe%3Dclient".to_owned(),
        BASE64_STANDARD.encode(format!("{ID}:{SECRET}")),
        BASE64_STANDARD.encode(format!("{ID}:s3cr3t%2Fof%2Bthe%3Dclient")),
        TOKEN.to_owned(),
    ];
    for form in forms {
        assert!(!text.contains(&form), "{what} shows {form}: {text}");
    }
}

/// Asserts that the `Debug` output of `value` contains neither the secret nor the token.
#[track_caller]
pub fn debug_is_clean<T: Debug>(value: &T) {
    let what = std::any::type_name::<T>();
    assert_clean(what, &format!("{value:?} {value:#?}"));
}

/// Answers every request with the same status and body.
#[derive(Clone)]
pub struct Canned(pub u16, pub &'static str);

impl Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canned({})", self.0)
    }
}

#[async_trait]
impl HttpTransport for Canned {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let body = Full::new(Bytes::from_static(self.1.as_bytes()));
        let response = Response::builder().status(self.0);
        response
            .body(TransportBody::new(body))
            .map_err(Error::connection)
    }
}

/// A response with a token.
pub const GOOD: Canned = Canned(
    200,
    r#"{"access_token":"t0k3n.of.the.client","token_type":"Bearer","expires_in":600}"#,
);

/// Returns the client credentials grant of the client, over this transport.
pub fn grant(transport: impl HttpTransport) -> ClientCredentials {
    let authentication = ClientAuthentication::client_secret_post(SECRET);
    ClientCredentials::builder("https://as.example/token", ID, authentication)
        .build(transport)
        .unwrap()
}
