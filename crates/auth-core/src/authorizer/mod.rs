//! What every adapter does around a request, without doing any I/O: which requests get a token,
//! and which; and whether a response refuses it.

mod attempt;
mod builder;
mod head;
mod rules;
mod tenants;
mod terms;

use std::{fmt, sync::Arc};

use http::Uri;

use crate::{Error, TokenCache, TokenCaches};

pub use attempt::{Attempt, AttemptFuture, Renewal, RenewalFuture, Verdict};
pub use builder::AuthorizerBuilder;
pub use head::{RequestHead, ResponseHead};
use rules::Rules;
use tenants::Tenants;
pub use tenants::TenantsBuilder;
pub use terms::ReplayMethods;

/// Decides what an adapter does with a request: the token, and the origins that may see it.
///
/// Cheap to clone. Every adapter takes one.
///
/// ```
/// # use auth_core::{Authorizer, ClientCredentials, Error, TokenCache};
/// # fn example(credentials: ClientCredentials) -> Result<(), Error> {
/// let tokens = Authorizer::builder(TokenCache::new(credentials))
///     .origin("https://api.example.com")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Authorizer {
    whose: Whose,
    /// Where the connection goes, if that is known and requests need not say.
    channel: Option<Channel>,
}

#[derive(Clone, Debug)]
enum Whose {
    One(Arc<Rules>),
    Tenants(Arc<dyn Tenants>),
}

#[derive(Clone, Debug)]
enum Channel {
    /// To an allowed origin.
    Trusted,
    To(Uri),
}

/// What to do with one request.
#[must_use]
pub enum Decision {
    /// Send it as it is: it carries its own authorization, or goes where no token may go.
    PassThrough,
    /// Put this onto it and send it.
    Authorize(Attempt),
    /// Wait for this, then put it onto the request and send that. If it fails, the request is not
    /// sent.
    Wait(AttemptFuture),
}

impl Authorizer {
    /// Starts with the tokens; which origins may see them has to be said.
    #[must_use]
    pub fn builder(tokens: impl Into<TokenCaches>) -> AuthorizerBuilder {
        AuthorizerBuilder::new(tokens.into())
    }

    /// The tokens of requests that do not pick one by a [`TokenRequest`](crate::TokenRequest) in
    /// their extensions. `None`: they depend on the tenant.
    #[must_use]
    pub fn tokens(&self) -> Option<&TokenCache> {
        match &self.whose {
            Whose::One(rules) => Some(rules.tokens().default_cache()),
            Whose::Tenants(_) => None,
        }
    }

    /// What to do with a request. Costs no wait and no allocation while there is a usable token.
    #[inline]
    pub fn authorize<'a>(&self, request: impl Into<RequestHead<'a>>) -> Decision {
        self.decide(&request.into(), self.channel.as_ref())
    }

    #[inline]
    fn decide(&self, request: &RequestHead<'_>, channel: Option<&Channel>) -> Decision {
        match (&self.whose, channel) {
            (Whose::One(rules), None) => rules.authorize(request, false),
            (Whose::One(rules), Some(Channel::Trusted)) => rules.authorize(request, true),
            (Whose::One(rules), Some(Channel::To(uri))) => match rules.check_channel(uri) {
                Ok(()) => rules.authorize(request, true),
                Err(elsewhere) => Decision::refuse(elsewhere),
            },
            (Whose::Tenants(tenants), channel) => tenants.decide(request, channel),
        }
    }

    /// The same authorizer for a connection to `uri` that the request's own URI says nothing
    /// reliable about, such as tonic's `Channel`.
    ///
    /// With [tenants](Self::per_tenant) it is looked at for each request: one whose tenant does not
    /// name that origin is not sent.
    ///
    /// # Errors
    /// If `uri` is not one of the allowed origins.
    pub fn for_channel(self, uri: &Uri) -> Result<Self, Error> {
        let channel = match &self.whose {
            Whose::One(rules) => {
                rules.check_channel(uri)?;
                Channel::Trusted
            }
            Whose::Tenants(_) => Channel::To(uri.clone()),
        };
        Ok(Self {
            channel: Some(channel),
            ..self
        })
    }
}

impl Decision {
    /// Not to send it, for a reason that is known already.
    fn refuse(why: Error) -> Self {
        Self::Wait(Box::pin(std::future::ready(Err(why))))
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer")
            .field("whose", &self.whose)
            .field("channel", &self.channel)
            .finish()
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassThrough => "PassThrough",
            Self::Authorize(_) => "Authorize",
            Self::Wait(_) => "Wait",
        })
    }
}
