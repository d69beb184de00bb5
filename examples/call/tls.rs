//! The TLS configuration of every stack, for the API and for the token endpoint.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, anyhow, ensure};
use auth_rustls::ClientCertificate;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::redirect::Policy;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::text::shown_path;

pub(crate) struct Tls(ClientConfig);

impl Tls {
    /// Trusts Mozilla's root certificates and those of the file `ca`. Presents `certificate`.
    pub(crate) fn new(
        ca: Option<&Path>,
        certificate: Option<&ClientCertificate>,
    ) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = ca {
            add(&mut roots, path)
                .with_context(|| format!("--ca {}: expected PEM certificates", shown_path(path)))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        Ok(Self(match certificate {
            Some(certificate) => certificate.client_config(config),
            None => config.with_no_client_auth(),
        }))
    }

    /// Returns a connector for HTTP/1.1 and HTTP/2, of which the server chooses one.
    pub(crate) fn hyper(&self) -> HttpsConnector<HttpConnector> {
        HttpsConnectorBuilder::new()
            .with_tls_config(self.0.clone())
            .https_or_http()
            .enable_all_versions()
            .build()
    }

    /// Returns a client for HTTP/1.1 and HTTP/2. As in the other stacks, it follows no redirect by
    /// default and uses no proxy.
    pub(crate) fn reqwest(&self) -> reqwest::ClientBuilder {
        let mut config = self.0.clone();
        config.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
        reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(Policy::none())
            .no_proxy()
    }

    /// Returns a connector for HTTP/2 with the settings of tonic's own. tonic's TLS takes a certificate
    /// that cannot be replaced while a channel lives.
    pub(crate) fn tonic(&self) -> HttpsConnector<HttpConnector> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        HttpsConnectorBuilder::new()
            .with_tls_config(self.0.clone())
            .https_or_http()
            .enable_http2()
            .wrap_connector(http)
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> anyhow::Result<()> {
    let before = roots.len();
    let text = fs::read(path)?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        // the parser's error may show a line of the file, which may be a key
        let certificate = certificate.map_err(|_| anyhow!("got malformed PEM"))?;
        roots.add(certificate)?;
    }
    ensure!(roots.len() > before, "got a file without a certificate");
    Ok(())
}
