//! Authorization servers that demand of assertions what providers demand, as far as their documents and their own
//! libraries say it.
//!
//! Each function returns a builder: set the clock or the scopes, and start the server. Its paths are those of the
//! provider, and its host is 127.0.0.1. Where a text of an assertion holds the host of the provider, the server
//! demands its own, except where the provider demands a fixed text.
//!
//! | function | client | grant |
//! |---|---|---|
//! | [`docusign`] | – | JWT bearer |
//! | [`entra`] | a token of another issuer, such as a projected token of Kubernetes | client credentials |
//! | [`google`] | – | JWT bearer |
//! | [`helseid`] | `private_key_jwt` | client credentials |
//! | [`keycloak`] | a token of another issuer | client credentials |
//! | [`maskinporten`] | – | JWT bearer |

mod docusign;
mod entra;
mod google;
mod helseid;
mod keycloak;
mod maskinporten;

pub use self::{
    docusign::docusign, entra::entra, google::google, helseid::helseid, keycloak::keycloak,
    maskinporten::maskinporten,
};
