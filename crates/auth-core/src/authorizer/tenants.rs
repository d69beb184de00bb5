//! Several clients side by side: whose a request is decides about its token and its origins.

use std::{
    fmt,
    hash::{Hash, RandomState},
    sync::Arc,
    time::Duration,
};

use super::{Authorizer, Channel, Decision, RequestHead, Whose};
use crate::{
    Clock, Error,
    clock::AnyClock,
    events,
    keyed::{Keyed, Limits, Value},
};

/// Decides by the authorizer of a request's tenant.
pub(super) trait Tenants: fmt::Debug + Send + Sync {
    fn decide(&self, request: &RequestHead<'_>, channel: Option<&Channel>) -> Decision;
}

impl Authorizer {
    /// An authorizer for several tenants, each with its own tokens, origins and rules.
    ///
    /// `tenant` tells whose a request is, and is called for each; a request that is nobody's is
    /// sent as it is. `authorizer` makes a tenant's authorizer when the first of its requests comes,
    /// and again when it has been dropped in between: nobody used it for an hour, or there were more
    /// than 10,000 tenants. If it fails, the request is not sent, and the next one tries again. It is
    /// called under a lock that holds up new tenants: it should not wait for anything, and must not
    /// send a request by this authorizer. It may give several tenants clones of one cache.
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
    /// let tokens = Authorizer::per_tenant(
    ///     |request: &RequestHead<'_>| request.extension::<Tenant>().cloned(),
    ///     move |Tenant(number): &Tenant| {
    ///         let secret = ClientSecret::from_file(format!("/run/secrets/tenant-{number}"))?;
    ///         let credentials = ClientCredentials::builder(
    ///             "https://as.example.com/oauth/token",
    ///             format!("tenant-{number}"),
    ///             ClientAuthentication::client_secret_basic(secret),
    ///         )
    ///         .build(transport.clone())?;
    ///         Authorizer::builder(TokenCache::new(credentials))
    ///             .origin("https://api.example.com")
    ///             .build()
    ///     },
    /// )
    /// .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Both closures must be `Send` and `Sync`, because clones of the authorizer are used in several
    /// threads. An `Rc` in either is an error:
    ///
    /// ```compile_fail,E0277
    /// # use std::rc::Rc;
    /// # use auth_core::{Authorizer, Error, RequestHead};
    /// let default_tenant = Rc::new(7);
    /// Authorizer::per_tenant(
    ///     move |request: &RequestHead<'_>| request.extension::<u32>().copied().or(Some(*default_tenant)),
    ///     |tenant: &u32| -> Result<Authorizer, Error> { todo!() },
    /// );
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use std::rc::Rc;
    /// # use auth_core::{Authorizer, Error, RequestHead};
    /// let authorizer: Rc<Authorizer> = todo!();
    /// Authorizer::per_tenant(
    ///     |request: &RequestHead<'_>| request.extension::<u32>().copied(),
    ///     move |tenant: &u32| Ok((*authorizer).clone()),
    /// );
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

/// Makes an [`Authorizer`] for several tenants.
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
    /// The most tenants whose authorizers are kept. Default: 10,000.
    #[must_use]
    pub fn most(mut self, tenants: usize) -> Self {
        self.limits.most = tenants;
        self
    }

    /// How long to keep a tenant's authorizer after its last use. It may be a sixteenth longer, or
    /// 3 s if that is more. Default: 1 h.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.limits.idle = idle;
        self
    }

    /// The clock to measure that by. Default: [`SystemClock`](crate::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = AnyClock::Custom(Arc::new(clock));
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    /// If not a single tenant may be kept, or none for a second.
    pub fn build(self) -> Result<Authorizer, Error> {
        self.limits.check()?;
        let tenants = ByKey {
            tenant: self.tenant,
            authorizer: self.authorizer,
            kept: Keyed::new(self.limits),
            clock: self.clock,
        };
        Ok(Authorizer {
            whose: Whose::Tenants(Arc::new(tenants)),
            channel: None,
        })
    }
}

struct ByKey<K, T, A> {
    tenant: T,
    authorizer: A,
    kept: Keyed<K, Authorizer, RandomState>,
    clock: AnyClock,
}

impl<K, T, A> Tenants for ByKey<K, T, A>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Fn(&RequestHead<'_>) -> Option<K> + Send + Sync + 'static,
    A: Fn(&K) -> Result<Authorizer, Error> + Send + Sync + 'static,
{
    fn decide(&self, request: &RequestHead<'_>, channel: Option<&Channel>) -> Decision {
        let Some(key) = (self.tenant)(request) else {
            events::nobodys_request();
            return Decision::PassThrough;
        };
        let now = self.clock.now();
        let decide = |authorizer: &Authorizer| {
            // what is known of the connection is known by the outer authorizer
            authorizer.decide(request, channel.or(authorizer.channel.as_ref()))
        };
        if let Some(decision) = self.kept.read(&key, now, |kept| Some(decide(kept))) {
            return decision;
        }
        match self.kept.try_handle(&key, now, || (self.authorizer)(&key)) {
            Ok(authorizer) => decide(&authorizer),
            Err(error) => Decision::refuse(error),
        }
    }
}

impl Value for Authorizer {
    fn is_in_use(&self) -> bool {
        match &self.whose {
            Whose::One(rules) => Arc::strong_count(rules) > 1,
            Whose::Tenants(tenants) => Arc::strong_count(tenants) > 1,
        }
    }

    fn end(&self) {
        // others may use its caches, or wait for a token of theirs
        if let Whose::One(rules) = &self.whose
            && !rules.tokens().is_in_use()
        {
            rules.tokens().end();
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
