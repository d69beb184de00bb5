//! The TLS of a server.

use std::{fmt, io, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    client::verify_server_name,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{ParsedCertificate, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    authority::TestAuthority, client_verifier::AnyClientCertificate, thumbprint::thumbprint,
};
use crate::peer_certificate::PeerCertificate;

/// Accepts TLS connections, with or without a client certificate.
#[derive(Clone)]
pub(crate) struct TlsServer {
    acceptor: TlsAcceptor,
    authority: Arc<dyn ClientCertVerifier>,
}

impl TlsServer {
    pub(crate) fn new(authority: &TestAuthority) -> io::Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let (certificate, key) = authority.server_certificate()?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_client_cert_verifier(Arc::new(AnyClientCertificate(algorithms)))
            .with_single_cert(vec![certificate], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(authority.der()).map_err(io::Error::other)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority: verifier.build().map_err(io::Error::other)?,
        })
    }

    /// Returns the connection and the certificate of the client. `None` if the handshake fails.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> Option<(TlsStream<TcpStream>, Option<PeerCertificate>)> {
        let stream = self.acceptor.accept(stream).await.ok()?;
        let presented = stream.get_ref().1.peer_certificates();
        let peer = presented.and_then(|chain| self.peer(chain));
        Some((stream, peer))
    }

    fn peer(&self, chain: &[CertificateDer<'_>]) -> Option<PeerCertificate> {
        let (certificate, intermediates) = chain.split_first()?;
        let verified =
            self.authority
                .verify_client_cert(certificate, intermediates, UnixTime::now());
        let owned = certificate.clone().into_owned();
        let has_name = move |name: &str| {
            let parsed = ParsedCertificate::try_from(&owned);
            let name = ServerName::try_from(name);
            match (parsed, name) {
                (Ok(parsed), Ok(name)) => verify_server_name(&parsed, &name).is_ok(),
                _ => false,
            }
        };
        Some(PeerCertificate::new(
            thumbprint(certificate),
            verified.is_ok(),
            has_name,
        ))
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}
