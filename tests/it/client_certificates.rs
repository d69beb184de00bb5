//! Tokens that are bound to a client certificate, which is replaced while requests use the client.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, HttpTransport, TokenCache, TokenEndpoint,
    TokenRequest,
};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_rustls::ClientCertificate;
use auth_test_support::{
    certificates::use_ring, hyper_clients::connector, reqwest_clients::reqwest_builder,
};
use auth_testing::{AuthorizationServer, ProtectedApi, TestAuthority};
use auth_tower::{AuthLayer, HyperClient, TowerTransport};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tower::{Layer, ServiceExt};

use crate::temporary_file::TemporaryFile;

/// A server, an API, and a client whose certificate is in two files.
struct Fixture {
    authority: TestAuthority,
    server: AuthorizationServer,
    api: ProtectedApi,
    files: [TemporaryFile; 2],
}

impl Fixture {
    async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        use_ring();
        let authority = TestAuthority::new().unwrap();
        let server = AuthorizationServer::builder()
            .tls(&authority)
            .client_with_certificate("orders", "orders.example")
            .start()
            .await
            .unwrap();
        let api = ProtectedApi::start(&server).await.unwrap();
        let number = NUMBER.fetch_add(1, Relaxed);
        let file = |kind: &str| TemporaryFile::new(&format!("certificate-{number}-{kind}"));
        let fixture = Self {
            authority,
            server,
            api,
            files: [file("crt"), file("key")],
        };
        fixture.replace_certificate();
        fixture
    }

    /// Writes the files of another certificate of the same client.
    fn replace_certificate(&self) {
        let issued = self.authority.client_certificate("orders.example").unwrap();
        self.files[0].replace(issued.certificate_pem());
        self.files[1].replace(issued.key_pem());
    }

    fn certificate(&self) -> ClientCertificate {
        let [certificate, key] = &self.files;
        ClientCertificate::from_files(certificate.path(), key.path()).unwrap()
    }

    /// Returns a TLS configuration with the certificate, for new connections.
    fn tls(&self, certificate: &ClientCertificate) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.pem().as_bytes());
        roots.add(root.unwrap()).unwrap();
        certificate.client_config(ClientConfig::builder().with_root_certificates(roots))
    }

    fn authorizer(
        &self,
        certificate: &ClientCertificate,
        transport: impl HttpTransport,
    ) -> Authorizer {
        let authentication = ClientAuthentication::tls_client_auth();
        let certificate = certificate.clone();
        let endpoint = TokenEndpoint::discover(self.server.issuer(), authentication)
            .client_id("orders")
            .certificate_thumbprint(move || certificate.thumbprint())
            .build(transport)
            .unwrap();
        let grant = ClientCredentials::new(endpoint, TokenRequest::default()).unwrap();
        let builder = Authorizer::builder(TokenCache::new(grant));
        builder.origin(self.api.url()).build().unwrap()
    }

    /// Sends requests over new connections before and after the certificate is replaced.
    async fn check<F>(&self, certificate: ClientCertificate, send: impl Fn() -> F)
    where
        F: Future<Output = StatusCode>,
    {
        for _ in 0..3 {
            assert_eq!(send().await, 200);
        }
        assert_eq!(self.server.token_requests(), 1);
        self.replace_certificate();
        certificate.reload().await.unwrap();
        for _ in 0..3 {
            assert_eq!(send().await, 200);
        }
        // the API rejected the token of the old certificate once
        assert_eq!(
            (self.server.token_requests(), self.api.rejections()),
            (2, 1)
        );
        assert_eq!(self.server.metadata_requests(), 1);
    }
}

#[tokio::test]
async fn hyper_replaces_a_token_that_is_bound_to_the_old_certificate() {
    let fixture = Fixture::new().await;
    let certificate = fixture.certificate();
    let client = || HyperClient::new(connector(fixture.tls(&certificate)));
    let authorizer = fixture.authorizer(&certificate, TowerTransport::new(client()));
    let send = || async {
        let api = AuthLayer::new(authorizer.clone()).layer(client());
        let request = Request::get(fixture.api.url()).body(Full::<Bytes>::default());
        api.oneshot(request.unwrap()).await.unwrap().status()
    };
    fixture.check(certificate.clone(), send).await;
}

#[tokio::test]
async fn reqwest_replaces_a_token_that_is_bound_to_the_old_certificate() {
    let fixture = Fixture::new().await;
    let certificate = fixture.certificate();
    let builder = || reqwest_builder().tls_backend_preconfigured(fixture.tls(&certificate));
    let transport = ReqwestTransport::new(builder()).unwrap();
    let authorizer = fixture.authorizer(&certificate, transport);
    let send = || async {
        let api = reqwest_middleware::ClientBuilder::new(builder().build().unwrap())
            .with(AuthMiddleware::new(authorizer.clone()))
            .build();
        api.get(fixture.api.url()).send().await.unwrap().status()
    };
    fixture.check(certificate.clone(), send).await;
}

/// The API's connection is kept, and presents the certificate with which it was opened: the API would reject
/// each token that is bound to the new one.
#[tokio::test]
async fn hyper_keeps_no_connection_of_the_old_certificate() {
    let fixture = Fixture::new().await;
    let certificate = fixture.certificate();
    let identity = certificate.clone();
    let client = HyperClient::new(connector(fixture.tls(&certificate)))
        .with_identity(move || identity.thumbprint());
    let authorizer = fixture.authorizer(&certificate, TowerTransport::new(client.clone()));
    let api = AuthLayer::new(authorizer).layer(client);
    let send = || async {
        let request = Request::get(fixture.api.url()).body(Full::<Bytes>::default());
        let response = api.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        response.into_body().collect().await.unwrap();
        status
    };
    for connections in 1..=3 {
        for _ in 0..10 {
            assert_eq!(send().await, 200);
        }
        assert_eq!(fixture.api.connections(), connections);
        fixture.replace_certificate();
        certificate.reload().await.unwrap();
        // the next token is bound to the new certificate
        fixture.server.revoke_all();
    }
}

/// As the guide advises: a reqwest client cannot be told to close its connections.
#[tokio::test]
async fn reqwest_that_keeps_no_connection_has_none_of_the_old_certificate() {
    let fixture = Fixture::new().await;
    let certificate = fixture.certificate();
    let builder = || reqwest_builder().tls_backend_preconfigured(fixture.tls(&certificate));
    let transport = ReqwestTransport::new(builder()).unwrap();
    let client = builder().pool_max_idle_per_host(0).build().unwrap();
    let api = reqwest_middleware::ClientBuilder::new(client)
        .with(AuthMiddleware::new(
            fixture.authorizer(&certificate, transport),
        ))
        .build();
    for _ in 0..3 {
        for _ in 0..3 {
            let response = api.get(fixture.api.url()).send().await.unwrap();
            assert_eq!(response.status(), 200);
            response.bytes().await.unwrap();
        }
        fixture.replace_certificate();
        certificate.reload().await.unwrap();
        fixture.server.revoke_all();
    }
}
