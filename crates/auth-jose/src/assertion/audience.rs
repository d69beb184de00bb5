//! The audience of an assertion.

use auth_core::{AssertionContext, Error};

use crate::fault::invalid;

/// The claim `aud` of an assertion. Authorization servers compare it as a text, and differ in what they
/// expect.
///
/// ```
/// use auth_jose::Audience;
///
/// let docusign = Audience::Text("account.docusign.com".into());
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Audience {
    /// The URL of the token endpoint ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
    #[default]
    TokenEndpoint,
    /// The issuer of the authorization server, which
    /// [`TokenEndpointBuilder::issuer`](auth_core::TokenEndpointBuilder::issuer) sets, or the metadata of
    /// the server. FAPI 2.0 requires it. A token request without a known issuer fails.
    Issuer,
    /// A text, as it is. A slash at the end counts.
    Text(String),
}

impl Audience {
    /// Returns the text of the claim.
    pub(super) fn text<'a>(&'a self, context: &'a AssertionContext) -> Result<&'a str, Error> {
        match self {
            Self::TokenEndpoint => Ok(context.token_endpoint()),
            Self::Issuer => context.issuer().ok_or_else(|| {
                let fault = "expected the issuer, but the token endpoint has none; set it with issuer() \
                             of the token endpoint, or use Audience::Text";
                invalid("audience", fault)
            }),
            Self::Text(text) => Ok(text),
        }
    }
}
