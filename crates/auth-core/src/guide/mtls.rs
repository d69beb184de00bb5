//! A client that authenticates by a certificate, and tokens that are bound to it
//! ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)).
//!
//! The HTTP client presents the certificate. `auth-rustls` has one for hyper, tonic and reqwest that is
//! replaced while the program runs. The token request holds `client_id`, and no secret.
//!
//! ```
//! use auth_core::{Authorizer, ClientAuthentication, ClientCredentials, TokenCache, TokenEndpoint, TokenRequest};
//! use auth_rustls::{ClientCertificate, rustls::{ClientConfig, RootCertStore}};
//! use auth_tower::{AuthLayer, HyperClient, TowerTransport};
//! use hyper_rustls::HttpsConnectorBuilder;
//! use tower::Layer;
//!
//! # fn example(roots: RootCertStore) -> Result<(), auth_core::Error> {
//! let certificate = ClientCertificate::from_files("/run/tls/tls.crt", "/run/tls/tls.key")?;
//! let tls = certificate.client_config(ClientConfig::builder().with_root_certificates(roots));
//! let connector = HttpsConnectorBuilder::new()
//!     .with_tls_config(tls)
//!     .https_only()
//!     .enable_all_versions()
//!     .build();
//! let identity = certificate.clone();
//! let client = HyperClient::new(connector).with_identity(move || identity.thumbprint());
//!
//! let endpoint = TokenEndpoint::discover("https://as.example.com", ClientAuthentication::tls_client_auth())
//!     .client_id("my-client")
//!     .certificate_thumbprint(move || certificate.thumbprint())
//!     .build(TowerTransport::new(client.clone()))?;
//! let grant = ClientCredentials::new(endpoint, TokenRequest::default())?;
//! let authorizer = Authorizer::builder(TokenCache::new(grant))
//!     .origin("https://api.example.com")
//!     .build()?;
//! // the API receives the same certificate
//! let client = AuthLayer::new(authorizer).layer(client);
//! # let _: auth_tower::Auth<HyperClient<_>> = client;
//! # Ok(())
//! # }
//! ```
//!
//! With reqwest, pass the same configuration to `reqwest::ClientBuilder::tls_backend_preconfigured`, for
//! the client of the API and for the builder of `ReqwestTransport`. With tonic, pass a connector with
//! `enable_http2` to `tonic::transport::Channel::new`.
//!
//! # Which method
//!
//! | method | the server knows the client by |
//! |---|---|
//! | [`tls_client_auth`](crate::ClientAuthentication::tls_client_auth) | the subject of a certificate of an authority that it trusts |
//! | [`self_signed_tls_client_auth`](crate::ClientAuthentication::self_signed_tls_client_auth) | the certificate itself, which the client has registered |
//! | any other, with [`certificate_thumbprint`](crate::TokenEndpointBuilder::certificate_thumbprint) | that method; the certificate only binds the token |
//!
//! A server may have another host for clients with a certificate. Its metadata names it in
//! `mtls_endpoint_aliases`, and [`TokenEndpoint::discover`](crate::TokenEndpoint::discover) uses it for
//! token requests and for revocations. Without discovery, set those URLs as the token endpoint and the
//! revocation endpoint.
//!
//! # When the certificate is replaced
//!
//! New connections present the new certificate, a moment after the first of them. Connections that are
//! open, and the tokens that were bound to the old certificate, stay as they are. An API that rejects
//! such a token on a new connection causes a new token, as after a revocation. Over a kept connection of the
//! old certificate the API rejects each token that is bound to the new one. With
//! `HyperClient::with_identity`, as above, requests take new connections when the certificate is replaced.
//! reqwest's client and tonic's `Channel` keep their connections. Create them again when the certificate is
//! replaced, or have reqwest open a connection for each request: `pool_max_idle_per_host(0)` of its
//! `ClientBuilder`.
//!
//! A shared store keeps the tokens of different certificates apart, so a fleet that shares a token shares a
//! certificate.
