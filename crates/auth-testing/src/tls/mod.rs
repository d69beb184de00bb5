//! TLS with client certificates (RFC 8705).

mod authority;
mod client_verifier;
mod server;
mod test_certificate;
mod thumbprint;

pub(crate) use self::server::TlsServer;
pub use self::{authority::TestAuthority, test_certificate::TestCertificate};
