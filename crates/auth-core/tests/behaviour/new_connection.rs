//! Each token request asks the HTTP client for a new connection.

use std::sync::{Arc, Mutex};

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, HttpTransport, NewConnection, TokenRequest,
    TokenSource, TransportBody, async_trait,
};
use bytes::Bytes;
use http::{Request, Response};

#[derive(Clone, Debug, Default)]
struct Marks(Arc<Mutex<Vec<bool>>>);

#[async_trait]
impl HttpTransport for Marks {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let mark = request.extensions().get::<NewConnection>();
        self.0.lock().unwrap().push(mark.is_some());
        Err(Error::connection("no server"))
    }
}

#[tokio::test]
async fn each_token_request_has_the_mark() {
    for authentication in [
        ClientAuthentication::client_secret_basic("s3cr3t"),
        ClientAuthentication::client_secret_basic_raw("s3cr3t"),
        ClientAuthentication::client_secret_post("s3cr3t"),
    ] {
        let marks = Marks::default();
        let url = "https://as.example.com/token";
        let grant = ClientCredentials::builder(url, "client", authentication);
        let grant = grant.build(marks.clone()).unwrap();
        for _ in 0..2 {
            grant.fetch(&TokenRequest::default()).await.unwrap_err();
        }
        assert_eq!(*marks.0.lock().unwrap(), [true, true]);
    }
}
