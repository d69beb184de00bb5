//! The [`Authorizer`]: whether a request carries a token, and which one.

use std::{fmt, sync::Arc, time::Duration};

use http::Uri;

use super::{
    connection::{Channel, Connection},
    deadline::Deadline,
    decision::Decision,
    head::RequestHead,
    rules::Rules,
};
use crate::{Error, TokenCache, origin::Target, time::AnyClock};

/// Decides whether a request carries a token, and which one.
///
/// Cheap to clone. Every adapter takes one.
///
/// ```
/// # use auth_core::{Authorizer, ClientCredentials, Error, TokenCache};
/// # fn example(grant: ClientCredentials) -> Result<(), Error> {
/// let authorizer = Authorizer::builder(TokenCache::new(grant))
///     .origin("https://api.example.com")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Authorizer {
    pub(super) kind: Kind,
    /// The connection's destination, if it does not follow from the requests' URIs (tonic's
    /// `Channel`).
    pub(super) channel: Option<Channel>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// One client of one authorization server.
    Single(Arc<Rules>),
    PerTenant(Arc<dyn Tenants>),
}

/// Finds a request's tenant and asks the tenant's authorizer.
pub(super) trait Tenants: fmt::Debug + Send + Sync {
    fn authorize_on(&self, request: &RequestHead<'_>, channel: Option<&Channel>) -> Decision;

    /// Returns whether the hop to `next`, after a redirect of the response to `request`, may carry a
    /// token of its tenant.
    fn hop_gets_token(
        &self,
        request: &RequestHead<'_>,
        next: Option<Target<'_>>,
        channel: Option<&Channel>,
    ) -> bool;

    /// Returns the clock of callers' deadlines.
    fn clock(&self) -> &AnyClock;
}

impl Authorizer {
    /// Returns the cache of the default token. Requests use it if no
    /// [`TokenRequest`](crate::TokenRequest) is in their extensions or bound to their origin.
    /// `None` for an authorizer with [tenants](Self::per_tenant), which have a cache each.
    #[must_use]
    pub fn tokens(&self) -> Option<&TokenCache> {
        match &self.kind {
            Kind::Single(rules) => Some(rules.caches().default_cache()),
            Kind::PerTenant(_) => None,
        }
    }

    /// Decides about one request. Neither waits nor allocates while there is a usable token.
    #[inline]
    pub fn authorize<'a>(&self, request: impl Into<RequestHead<'a>>) -> Decision {
        self.authorize_on(&request.into(), self.channel.as_ref())
    }

    #[inline]
    pub(super) fn authorize_on(
        &self,
        request: &RequestHead<'_>,
        channel: Option<&Channel>,
    ) -> Decision {
        let rules = match &self.kind {
            Kind::Single(rules) => rules,
            Kind::PerTenant(tenants) => return tenants.authorize_on(request, channel),
        };
        match connection(rules, channel) {
            Ok(connection) => rules.authorize(request, connection),
            Err(error) => Decision::fail(error),
        }
    }

    /// Returns whether the hop to `next` may carry a token, after a redirect of the response to
    /// `request`. A `request` of `None` is known to go to an unlisted origin. A `next` of `None` is a
    /// host that cannot be compared.
    pub(super) fn hop_gets_token(
        &self,
        request: Option<&RequestHead<'_>>,
        next: Option<Target<'_>>,
    ) -> bool {
        self.hop_gets_token_on(request, next, self.channel.as_ref())
    }

    pub(super) fn hop_gets_token_on(
        &self,
        request: Option<&RequestHead<'_>>,
        next: Option<Target<'_>>,
        channel: Option<&Channel>,
    ) -> bool {
        match (&self.kind, request) {
            (Kind::PerTenant(tenants), Some(request)) => {
                tenants.hop_gets_token(request, next, channel)
            }
            (Kind::PerTenant(_), None) => true,
            (Kind::Single(rules), None) => rules.may_lead_to(next),
            (Kind::Single(rules), Some(request)) => match connection(rules, channel) {
                Ok(to) => rules.is_unlisted(request, to) && rules.may_lead_to(next),
                // the tenant may have other rules by the time the hop is sent
                Err(_) => true,
            },
        }
    }

    /// Returns the deadline `timeout` from now, by the clock of the default token's cache; with
    /// [tenants](Self::per_tenant), by the clock of [`TenantsBuilder`](crate::TenantsBuilder).
    #[must_use]
    pub fn deadline(&self, timeout: Duration) -> Deadline {
        let clock = match &self.kind {
            Kind::Single(rules) => rules.caches().default_cache().clock(),
            Kind::PerTenant(tenants) => tenants.clock(),
        };
        Deadline::after(timeout, clock)
    }

    /// Returns the same authorizer for a connection to `uri` that does not depend on the URIs of
    /// its requests, such as the connection of tonic's `Channel`. A
    /// [bound](crate::AuthorizerBuilder::origin_with) token request applies if it is bound to the
    /// origin of `uri`.
    ///
    /// With [tenants](Self::per_tenant), `uri` is checked for each request: a request whose tenant
    /// does not allow that origin is not sent.
    ///
    /// # Errors
    /// If the origin of `uri` is not allowed. With tenants, never.
    pub fn for_channel(self, uri: &Uri) -> Result<Self, Error> {
        let channel = match &self.kind {
            Kind::Single(rules) => Channel::Allowed(rules.check_channel(uri)?),
            Kind::PerTenant(_) => Channel::To(uri.clone()),
        };
        Ok(Self {
            channel: Some(channel),
            ..self
        })
    }
}

/// Returns the destination of the connection.
#[inline]
fn connection(rules: &Rules, channel: Option<&Channel>) -> Result<Connection, Error> {
    Ok(match channel {
        None => Connection::ByUri,
        Some(Channel::Trusted) => Connection::Trusted,
        Some(Channel::Allowed(origin)) => Connection::To(*origin),
        Some(Channel::To(uri)) => Connection::To(rules.check_channel(uri)?),
    })
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer")
            .field("kind", &self.kind)
            .field("channel", &self.channel)
            .finish()
    }
}
