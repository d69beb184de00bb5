//! A client that signs, and sends no secret: `private_key_jwt`
//! ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2), [OpenID Connect Core
//! §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)).
//!
//! The client registers a public key, and proves by a signature that it has the private one. The crate
//! `auth-jose` signs. `auth-core` and the adapters link no crypto library, so that a program with a
//! shared secret compiles none.
//!
//! ```
//! use auth_core::{ClientAuthentication, ClientCredentials, TokenEndpoint, TokenRequest};
//! # use auth_core::HttpTransport;
//! use auth_jose::{Audience, KeyFile, PrivateKeyJwt};
//!
//! # fn example(transport: impl HttpTransport) -> Result<(), auth_core::Error> {
//! // a PEM or a JWK; read again when it changes
//! let key = KeyFile::new("/run/secrets/client-key.pem")?.with_key_id_from_thumbprint()?;
//! let assertion = PrivateKeyJwt::builder(key)
//!     .audience(Audience::Issuer)
//!     .build()?;
//! let endpoint = TokenEndpoint::discover(
//!     "https://as.example.com",
//!     ClientAuthentication::client_assertion(assertion),
//! )
//! .client_id("my-client")
//! .build(transport)?;
//! let grant = ClientCredentials::new(endpoint, TokenRequest::builder().scope("orders").build()?)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What providers differ in
//!
//! | setting | why |
//! |---|---|
//! | `audience` | compared as a text: the token endpoint (default), the issuer with or without a slash at its end, or another text |
//! | `typ` | `client-authentication+jwt` where the server is strict; absent by default |
//! | `lifetime` | 60 s by default. Some servers accept no more, others require `exp` within 10 s or 30 s |
//! | key id | `with_key_id`, or the certificate's thumbprint for servers that expect `x5t#S256` |
//! | `claim` | an assertion has no claim that was not asked for, because some servers deny unknown ones |
//! | [`client_id_in_form`](crate::TokenEndpointBuilder::client_id_in_form) | `client_id` beside the assertion, the default, or not |
//!
//! The page of `auth-jose` has a table of the providers whose documents were read.
//!
//! # Each attempt has an assertion of its own
//!
//! Servers accept a `jti` once. The immediate retry after a broken connection, and every attempt after a
//! failure, therefore sign anew. A key management service or a hardware module is asked each time:
//! implement `auth_jose::Signer`. If it takes longer than nine tenths of the attempt's remaining time,
//! the token request fails, and the error names the client assertion.
//!
//! # When the key is rotated
//!
//! Register the new public key first, then replace the file. The next token request signs with the new
//! key. If the server denied the old key, the backoff of 30 s to 5 min ends within about a second after
//! the file has changed.
//!
//! # A secret that is not sent
//!
//! `ClientSecretJwt` signs with the client's secret (`client_secret_jwt`).
//! The server has to know the same secret.
