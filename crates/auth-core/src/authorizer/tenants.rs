//! Several tenants: a request's tenant decides its token and the origins that may receive it.

use std::{
    fmt,
    hash::{Hash, RandomState},
    sync::Arc,
    time::Duration,
};

use super::{
    attempt::Attempt,
    authorizer::{Authorizer, Kind, Tenants},
    connection::Channel,
    decision::Decision,
    head::RequestHead,
    hop_forms::HopForms,
    owned_head::OwnedHead,
    passing::Passing,
};
use crate::{
    Error, events,
    keyed::{BoundedMap, Evictable, Limits, Made, Makers},
    origin::Target,
    time::{AnyClock, Clock, Now},
};

impl Authorizer {
    /// Starts an authorizer for several tenants, each with its own tokens, origins and rules.
    ///
    /// `tenant` returns the tenant of a request, and is called for each request. If the response to a
    /// request without a token is a redirect, it is also called for each form that the next request may
    /// have, with fewer headers for example. A request without a tenant is sent without a token.
    /// `authorizer` creates a tenant's authorizer at the tenant's first request. A tenant's authorizer is dropped when it was not used for the
    /// [time to idle](TenantsBuilder::time_to_idle), or when there are more tenants than
    /// [`max_capacity`](TenantsBuilder::max_capacity); the tenant's next request creates it again.
    ///
    /// If `authorizer` fails or panics, the request is not sent. The tenant's requests receive the
    /// same error at once until the next attempt: 1 s later, then 2 s, and so on up to 60 s. At most
    /// 1,024 failures are remembered, and a tenant without an authorizer evicts no other. A redirect of an
    /// unlisted origin to a URL of such a tenant is an error
    /// ([`ErrorKind::Redirected`](crate::ErrorKind::Redirected)): by the time the client sends the hop,
    /// `authorizer` may succeed.
    ///
    /// `authorizer` is called under no lock, and at most once at a time for each tenant. If it blocks,
    /// it blocks the thread that sends the request; other requests of its tenant wait for it, without
    /// blocking, for up to 30 s, and requests of other tenants do not wait. It may send requests
    /// through this authorizer, but none of its own tenant: such a request fails.
    ///
    /// Each tenant's token requests have their own
    /// [limit](crate::TokenCachesBuilder::max_concurrent_requests), unless tenants have clones of one
    /// cache, which is possible.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use auth_core::{
    ///     Authorizer, ClientAuthentication, ClientCredentials, ClientSecret, RequestHead, TokenCache,
    /// };
    /// # use auth_core::{Error, HttpTransport};
    ///
    /// /// Goes into a request's extensions.
    /// #[derive(Clone, Eq, Hash, PartialEq)]
    /// struct Tenant(u32);
    ///
    /// # fn example(transport: Arc<dyn HttpTransport>) -> Result<(), Error> {
    /// let authorizer = Authorizer::per_tenant(
    ///     |request: &RequestHead<'_>| request.extension::<Tenant>().cloned(),
    ///     move |Tenant(number): &Tenant| {
    ///         let secret = ClientSecret::from_file(format!("/run/secrets/tenant-{number}"))?;
    ///         let grant = ClientCredentials::builder(
    ///             "https://as.example.com/oauth/token",
    ///             format!("tenant-{number}"),
    ///             ClientAuthentication::client_secret_basic(secret),
    ///         )
    ///         .build(transport.clone())?;
    ///         Authorizer::builder(TokenCache::new(grant))
    ///             .origin("https://api.example.com")
    ///             .build()
    ///     },
    /// )
    /// .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Both closures must be `Send` and `Sync`, because clones of the authorizer are used in
    /// several threads. An `Rc` in either is an error:
    ///
    /// ```compile_fail,E0277
    /// # use std::rc::Rc;
    /// # use auth_core::{Authorizer, Error, RequestHead};
    /// let default_tenant = Rc::new(7);
    /// Authorizer::per_tenant(
    ///     move |request: &RequestHead<'_>| request.extension::<u32>().copied().or(Some(*default_tenant)),
    ///     |tenant: &u32| -> Result<Authorizer, Error> { Err(Error::configuration("no such tenant")) },
    /// );
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use std::rc::Rc;
    /// # use auth_core::{Authorizer, Error, RequestHead};
    /// # fn example(authorizer: Rc<Authorizer>) {
    /// Authorizer::per_tenant(
    ///     |request: &RequestHead<'_>| request.extension::<u32>().copied(),
    ///     move |tenant: &u32| Ok((*authorizer).clone()),
    /// );
    /// # }
    /// ```
    pub fn per_tenant<K, T, A>(tenant: T, authorizer: A) -> TenantsBuilder<K, T, A>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        T: Fn(&RequestHead<'_>) -> Option<K> + Send + Sync + 'static,
        A: Fn(&K) -> Result<Self, Error> + Send + Sync + 'static,
    {
        TenantsBuilder {
            tenant,
            authorizer,
            limits: Limits::default(),
            clock: AnyClock::System,
            key: std::marker::PhantomData,
        }
    }
}

/// Builds an [`Authorizer`] for several tenants.
pub struct TenantsBuilder<K, T, A> {
    tenant: T,
    authorizer: A,
    limits: Limits,
    clock: AnyClock,
    key: std::marker::PhantomData<fn(K)>,
}

impl<K, T, A> TenantsBuilder<K, T, A>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Fn(&RequestHead<'_>) -> Option<K> + Send + Sync + 'static,
    A: Fn(&K) -> Result<Authorizer, Error> + Send + Sync + 'static,
{
    /// Sets the maximum number of tenants whose authorizers are kept. Default: 10,000.
    #[must_use]
    pub fn max_capacity(mut self, tenants: usize) -> Self {
        self.limits.max_capacity = tenants;
        self
    }

    /// Sets how long a tenant's authorizer is kept after its last use. It may be kept a sixteenth
    /// longer, or 3 s if that is more. Default: 1 h.
    #[must_use]
    pub fn time_to_idle(mut self, time_to_idle: Duration) -> Self {
        self.limits.time_to_idle = time_to_idle;
        self
    }

    /// Sets the clock by which the time to idle, the backoff and the callers' deadlines are measured. Default:
    /// [`SystemClock`](crate::time::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = AnyClock::Custom(Arc::new(clock));
        self
    }

    /// Builds the authorizer.
    ///
    /// # Errors
    /// If the capacity is 0, or the time to idle is shorter than a second.
    pub fn build(self) -> Result<Authorizer, Error> {
        self.limits.check()?;
        let tenants = ByKey {
            tenant: self.tenant,
            authorizer: self.authorizer,
            kept: BoundedMap::new(self.limits),
            makers: Makers::new(),
            clock: self.clock,
        };
        Ok(Authorizer {
            kind: Kind::PerTenant(Arc::new(tenants)),
            channel: None,
        })
    }
}

struct ByKey<K, T, A> {
    tenant: T,
    authorizer: A,
    kept: BoundedMap<K, Authorizer, RandomState>,
    makers: Makers<K, Authorizer>,
    clock: AnyClock,
}

impl<K, T, A> Tenants for ByKey<K, T, A>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Fn(&RequestHead<'_>) -> Option<K> + Send + Sync + 'static,
    A: Fn(&K) -> Result<Authorizer, Error> + Send + Sync + 'static,
{
    fn authorize_on(&self, request: &RequestHead<'_>, channel: Option<&Channel>) -> Decision {
        let Some(key) = (self.tenant)(request) else {
            events::no_tenant();
            return Decision::PassThrough(Passing::BY_TENANT);
        };
        let now = self.clock.now();
        let authorize = |authorizer: &Authorizer| {
            // the channel of the outer authorizer takes precedence
            match authorizer.authorize_on(request, channel.or(authorizer.channel.as_ref())) {
                // a hop may have another tenant
                Decision::PassThrough(_) => Decision::PassThrough(Passing::BY_TENANT),
                decision => decision,
            }
        };
        if let Some(decision) = self.kept.read(&key, now, |kept| Some(authorize(kept))) {
            return decision;
        }
        match self.authorizer_of(&key, now) {
            Ok(Made::Value(authorizer)) => authorize(&authorizer),
            Ok(Made::Waiting(authorizer)) => {
                let (head, channel) = (OwnedHead::from(request), channel.cloned());
                let clock = self.clock.clone();
                Decision::Wait(Box::pin(async move {
                    let authorizer = authorizer.value(&clock).await?;
                    let channel = channel.as_ref().or(authorizer.channel.as_ref());
                    let decision = authorizer.authorize_on(&head.as_head(), channel);
                    match decision {
                        Decision::PassThrough(_) => Ok(Attempt::without_token()),
                        Decision::Authorize(attempt) => Ok(attempt),
                        Decision::Wait(attempt) => attempt.await,
                    }
                }))
            }
            Err(error) => Decision::fail(error),
        }
    }

    /// The hop may have another tenant than the request, because a client drops or changes parts of the
    /// request. All [its forms](HopForms) count.
    fn hop_gets_token(
        &self,
        request: &RequestHead<'_>,
        next: Option<Target<'_>>,
        channel: Option<&Channel>,
    ) -> bool {
        let Some(target) = next else {
            return true; // the host that cannot be compared may decide about the tenant
        };
        let forms = HopForms::of(request);
        let hops = forms.heads(RequestHead { target, ..*request });
        let now = self.clock.now();
        let mut keys = hops.filter_map(|hop| (self.tenant)(&hop));
        keys.any(|key| {
            let kept = self.kept.get(&key, now).map(Made::Value);
            match kept.map_or_else(|| self.authorizer_of(&key, now), Ok) {
                Ok(Made::Value(authorizer)) => {
                    let channel = channel.or(authorizer.channel.as_ref());
                    authorizer.hop_gets_token_on(Some(request), next, channel)
                }
                // the hop may be sent when the tenant has an authorizer, which may give it a token
                Ok(Made::Waiting(_)) | Err(_) => true,
            }
        })
    }

    fn clock(&self) -> &AnyClock {
        &self.clock
    }
}

impl<K, T, A> ByKey<K, T, A>
where
    K: Clone + Eq + Hash,
    A: Fn(&K) -> Result<Authorizer, Error>,
{
    /// Returns the authorizer of a tenant that had none when the caller looked.
    #[cold]
    fn authorizer_of(&self, key: &K, now: Now) -> Result<Made<Authorizer>, Error> {
        self.makers.value(
            key,
            &self.clock,
            || self.kept.get(key, now),
            || (self.authorizer)(key),
            |made| self.kept.handle(key, now, || made),
        )
    }
}

impl Evictable for Authorizer {
    fn is_in_use(&self, handles: usize) -> bool {
        match &self.kind {
            Kind::Single(rules) => Arc::strong_count(rules) > handles,
            Kind::PerTenant(tenants) => Arc::strong_count(tenants) > handles,
        }
    }

    fn evicted(&self) {
        // other authorizers may use its caches, and callers may wait for their tokens
        if let Kind::Single(rules) = &self.kind
            && !rules.caches().is_in_use()
        {
            rules.caches().stop();
        }
    }
}

impl<K, T, A> fmt::Debug for ByKey<K, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl<K, T, A> fmt::Debug for TenantsBuilder<K, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantsBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
