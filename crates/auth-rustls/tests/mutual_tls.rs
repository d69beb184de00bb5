//! Token requests over TLS with a client certificate, through hyper and reqwest, while the certificate
//! is replaced.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    process,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_reqwest::{ReqwestTransport, client_builder};
use auth_rustls::ClientCertificate;
use auth_rustls::auth_core::{
    ClientAuthentication, ClientCredentials, HttpTransport, TokenEndpoint, TokenRequest,
    TokenSource,
};
use auth_tower::{HyperClient, TowerTransport};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority that signs the certificates of the server and of the clients.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    fn signed(&self, name: &str) -> (CertificateDer<'static>, String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), certificate.pem(), key)
    }
}

/// A token endpoint that requires a client certificate, and records each one.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<CertificateDer<'static>>>>,
}

impl Server {
    async fn start(authority: &Authority) -> Self {
        let (certificate, _, key) = authority.signed("localhost");
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(authority.roots()));
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let sink = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, sink) = (acceptor.clone(), Arc::clone(&sink));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let presented = stream.get_ref().1.peer_certificates().unwrap();
                    sink.lock().unwrap().push(presented[0].clone().into_owned());
                    let token = r#"{"access_token":"abc","token_type":"Bearer"}"#;
                    let respond = service_fn(move |_| async move {
                        Ok::<_, std::convert::Infallible>(Response::new(Full::new(
                            Bytes::from_static(token.as_bytes()),
                        )))
                    });
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), respond);
                    let _ = connection.await;
                });
            }
        });
        Self { address, seen }
    }

    fn endpoint(
        &self,
        certificate: &ClientCertificate,
        transport: impl HttpTransport,
    ) -> ClientCredentials {
        let url = format!("https://localhost:{}/token", self.address.port());
        let thumbprint = certificate.clone();
        let endpoint = TokenEndpoint::builder(url, ClientAuthentication::tls_client_auth())
            .client_id("my-client")
            .certificate_thumbprint(move || thumbprint.thumbprint())
            .build(transport)
            .unwrap();
        ClientCredentials::new(endpoint, TokenRequest::default()).unwrap()
    }

    fn last(&self) -> CertificateDer<'static> {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

fn config(authority: &Authority, certificate: &ClientCertificate) -> ClientConfig {
    let builder = ClientConfig::builder().with_root_certificates(authority.roots());
    certificate.client_config(builder)
}

fn over_hyper(config: ClientConfig) -> impl HttpTransport {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .build();
    TowerTransport::new(HyperClient::new(connector))
}

fn over_reqwest(config: ClientConfig) -> impl HttpTransport {
    ReqwestTransport::new(client_builder().tls_backend_preconfigured(config)).unwrap()
}

/// Replaces the certificate between two token requests, and expects the server to see the new one.
async fn replaced_over<T: HttpTransport>(name: &str, transport: impl Fn(ClientConfig) -> T) {
    let authority = Authority::new();
    let server = Server::start(&authority).await;
    let [certificate_file, key_file] = files(name);
    let write = |pem: &str, key: &KeyPair| {
        fs::write(&certificate_file, pem).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
    };
    let (first, pem, key) = authority.signed("client");
    write(&pem, &key);
    let certificate = ClientCertificate::from_files(&certificate_file, &key_file).unwrap();
    let source = server.endpoint(&certificate, transport(config(&authority, &certificate)));
    let request = TokenRequest::default();
    source.fetch(&request).await.unwrap();
    assert_eq!(server.last(), first);
    let shared_key = source.shared_key(&request);
    let thumbprint = certificate.thumbprint();

    let (second, pem, key) = authority.signed("client");
    write(&pem, &key);
    // a read that a connection began may have seen the files before, or half of the replacement
    until(|| async {
        certificate.reload().await.is_ok() && certificate.thumbprint() != thumbprint
    })
    .await;
    source.fetch(&request).await.unwrap();
    assert_eq!(server.last(), second);
    assert_ne!(source.shared_key(&request), shared_key);
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}

/// Waits for something that happens in the background, for a minute at most.
async fn until<F: Future<Output = bool>>(mut happened: impl FnMut() -> F) {
    let wait = async {
        while !happened().await {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.expect("expected it within a minute");
}

fn files(name: &str) -> [PathBuf; 2] {
    ["crt", "key"].map(|kind| {
        env::temp_dir().join(format!("auth-rustls-mtls-{name}-{}.{kind}", process::id()))
    })
}

#[tokio::test]
async fn hyper_presents_the_certificate_that_replaced_the_first_one() {
    replaced_over("hyper", over_hyper).await;
}

#[tokio::test]
async fn reqwest_presents_the_certificate_that_replaced_the_first_one() {
    replaced_over("reqwest", over_reqwest).await;
}

/// Nothing calls `reload`: the connections do.
#[tokio::test]
async fn a_connection_that_is_opened_notices_the_replacement() {
    let authority = Authority::new();
    let server = Server::start(&authority).await;
    let [certificate_file, key_file] = files("noticed");
    let (first, pem, key) = authority.signed("client");
    fs::write(&certificate_file, pem).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let certificate = ClientCertificate::from_files(&certificate_file, &key_file).unwrap();
    let (_, pem, key) = authority.signed("client");
    fs::write(&certificate_file, pem).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let thumbprint = certificate.thumbprint();
    let source = server.endpoint(&certificate, over_hyper(config(&authority, &certificate)));
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(server.last(), first);
    until(|| async { certificate.thumbprint() != thumbprint }).await;
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert_ne!(server.last(), first);
    for file in [certificate_file, key_file] {
        fs::remove_file(file).unwrap();
    }
}
