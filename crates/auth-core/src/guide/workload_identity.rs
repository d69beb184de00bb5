//! A client without a secret of its own: it authenticates by a token that the platform writes into a
//! file.
//!
//! Kubernetes, and clouds on top of it, give a workload a short-lived JWT: a projected service account
//! token. An authorization server that trusts the platform accepts it as a client assertion
//! ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)). There is no secret to store
//! or to rotate.
//!
//! # Microsoft Entra ID
//!
//! The workload's pod has the variables `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_TENANT_ID` and
//! `AZURE_CLIENT_ID`. Entra requires one resource as the scope, with `/.default` at its end.
//!
//! ```
//! use auth_core::{AssertionFile, Authorizer, ClientAuthentication};
//! # use auth_core::HttpTransport;
//!
//! # fn example(transport: impl HttpTransport) -> Result<(), Box<dyn std::error::Error>> {
//! let tenant = std::env::var("AZURE_TENANT_ID")?;
//! let token = AssertionFile::new(std::env::var("AZURE_FEDERATED_TOKEN_FILE")?)?;
//! let authorizer = Authorizer::client_credentials(
//!     format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
//!     std::env::var("AZURE_CLIENT_ID")?,
//!     ClientAuthentication::client_assertion(token),
//! )
//! .scope("api://orders/.default")
//! .origin("https://orders.example.com")
//! .build(transport)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Keycloak, and other servers
//!
//! The audience of the projected token is set in the pod's volume (`serviceAccountToken.audience`): it
//! is the issuer of the authorization server, or its token endpoint. A server that requires that the
//! assertion alone names the client receives no `client_id` with
//! [`client_id_in_form(false)`](crate::TokenEndpointBuilder::client_id_in_form). A SPIFFE JWT-SVID has
//! another [assertion type](crate::ClientAuthentication::client_assertion_of_type).
//!
//! # What happens to the file
//!
//! | event | effect |
//! |---|---|
//! | the platform replaces the file | the next token request reads the new token. Kubernetes exchanges it by a rename, so that no reader sees half of it |
//! | the file is missing, empty or no JWT at the start of the program | an error of [`AssertionFile::new`](crate::AssertionFile::new) |
//! | the same later | the token request fails with a transient error that names the file. Requests do not notice it while a token is usable |
//! | the JWT in the file has expired | the token request fails before it is sent, and the error says since when |
//! | the server denies the assertion | the cache backs off for 30 s to 5 min. A new token in the file ends that within about a second |
//! | a read hangs, as on a network mount without a server | one thread waits. Each token request fails after the attempt timeout |
//!
//! # A platform that has no file
//!
//! [`assertion_fn`](crate::assertion_fn) calls a function at each attempt: for a metadata server, or for
//! the agent of SPIRE. An [`AssertionSource`](crate::AssertionSource) does the same with state of its own.
//!
//! ```
//! use auth_core::{Assertion, AssertionContext, ClientAuthentication, assertion_fn};
//!
//! # async fn identity_token(_audience: &str) -> Result<String, auth_core::Error> { Ok("a.b.c".into()) }
//! let authentication = ClientAuthentication::client_assertion(assertion_fn(
//!     |context: AssertionContext| async move {
//!         Assertion::new(identity_token(context.token_endpoint()).await?)
//!     },
//! ));
//! ```
