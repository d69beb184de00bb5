//! Tokens that are bound to a key: DPoP ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
//!
//! Any reader of a bearer token can use it. A token that is bound to a key is of no use without the key:
//! each request carries a proof, a JWT in the header `DPoP` that the key signs for the method and the URL
//! of this request and for its token. The crate `auth-jose` signs.
//!
//! ```
//! use auth_core::{Authorizer, ClientSecret, HttpTransport};
//! use auth_jose::{DpopKey, SigningKey};
//!
//! # fn example(transport: impl HttpTransport, secret: ClientSecret) -> Result<(), Box<dyn std::error::Error>> {
//! // or DpopKey::generate(), if no other process shares the token
//! let key = SigningKey::from_pem(&std::fs::read_to_string("/run/secrets/dpop.pem")?)?;
//! let authorizer = Authorizer::client_credentials("https://as.example.com/token", "my-client", secret)
//!     .dpop(DpopKey::new(key)?)
//!     .origin("https://api.example.com")
//!     .build(transport)?;
//! # Ok(())
//! # }
//! ```
//!
//! The adapters need no setting: hyper, tonic and reqwest send the proofs of such an authorizer. Every
//! grant of this crate takes a key by [`TokenEndpointBuilder::dpop`](crate::TokenEndpointBuilder::dpop). A
//! token source of your own returns it from [`TokenSource::dpop`](crate::TokenSource::dpop).
//!
//! # The authorization server has to bind the token
//!
//! Only a response with the token type `DPoP` is accepted. A server that ignores the proof issues a bearer
//! token, and the token request fails with an error that says so: a program that expects a bound token
//! would otherwise send one that is not. Most servers bind tokens where the client is registered for it
//! (`dpop_bound_access_tokens`).
//!
//! # Nonces
//!
//! A server may require a nonce of its own in each proof. The client cannot know the first one: the server
//! responds with 400 (token endpoint) or 401 (API), the error `use_dpop_nonce`, and the nonce in the header
//! `DPoP-Nonce`. The request is then repeated, with the same token and a new proof.
//!
//! - Every response may have the next nonce, which replaces the last one. The nonces are kept for each
//!   origin, and the token endpoint's apart. After a repetition at the start there is usually no other.
//! - A server may change its nonce at any time, and then demands the new one from all requests in flight.
//!   Each of them is repeated. A request to an API is repeated once more if the nonce changes while the
//!   repetition is in flight. A third demand is returned to the caller. A token request is repeated once, and
//!   a second demand is a transient failure.
//! - Responses may arrive out of order. A response to a request with an older nonce than the last one does
//!   not replace the last one.
//! - The repetitions are apart from the [replay](crate::guide::failures) after a rejection: a request is sent
//!   up to four times, if two responses demand a nonce and another one rejects the token.
//! - What cannot be sent again is not repeated: a body beyond the bound of the replay, a stream on reqwest, a
//!   method that [`ReplayMethods`](crate::ReplayMethods) excludes. The caller then receives the 401, and the
//!   next request has the nonce. With an API that changes its nonce often, send a `GET` first.
//! - A gRPC call is repeated if the demand is in the headers of the response. A nonce in the trailers is
//!   used by the next call.
//!
//! # Redirects
//!
//! A proof is valid for one URL. In tower, follow redirects outside the layer: each hop is then a request of
//! its own, with a proof of its own. Inside the layer, `auth_tower::ProofGuardLayer` fails a hop that would
//! repeat the proof. reqwest follows redirects below its middlewares: with `auth_reqwest::client_builder` or
//! `redirect_policy` a redirect of a request with a proof is an error. Request the target itself.
//!
//! # Channels
//!
//! A proof states the origin of the connection. tonic's `Channel` does not connect by the URI of a request, so
//! name its endpoint: `AuthLayer::for_endpoint`. A request over a channel whose origin is not known is not
//! sent.
//!
//! # Keys
//!
//! | key | proofs |
//! |---|---|
//! | in memory, ES256 or EdDSA | signed where the request is authorized, in some 20 µs |
//! | in memory, RSA | likewise, in 0.5 ms to 1 ms |
//! | of a service (`auth_jose::Signer`) | each request waits for the service, for up to 10 s |
//!
//! The thumbprint of the key is part of the key of a shared store. Processes share a token if they have the
//! same key, from a file. With a generated key and a shared store
//! [`AuthorizerBuilder::build`](crate::AuthorizerBuilder::build) fails: no other process could use the
//! token.
//!
//! The time in a proof (`iat`) is that of this machine. A server that rejects every proof
//! (`invalid_dpop_proof`) may have another time. A server with nonces may demand one instead, and then
//! accept the proof whatever its time.
//!
//! # Requests with a proof of their own
//!
//! A request that already has a `DPoP` header is sent unchanged, as one with an `Authorization` header is.
//! Without an adapter, [`AccessToken::token_type`](crate::AccessToken::token_type) tells that a token needs a
//! proof; `auth_jose::DpopKey` makes it by [`DpopProver::prove`](crate::DpopProver::prove).
