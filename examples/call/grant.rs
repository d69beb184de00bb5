//! The lifetime and the scope of a token.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use auth_core::{
    Dpop, Error, Scopes, TokenRequest, TokenResponse, TokenSource, async_trait,
    shared_store::SharedKey,
};

use crate::{tenants::Tenant, text};

/// The max length of a printed scope, in bytes.
const MAX_SCOPE_LENGTH: usize = 1 << 10;

/// The grant of the current token.
#[derive(Debug)]
pub(crate) struct Grant {
    validity: Validity,
    scopes: Scopes,
    /// The scopes of the command line. `None`: those of the provider's preset, if any.
    requested: Option<Scopes>,
}

/// The lifetime of a token.
#[derive(Clone, Copy, Debug)]
enum Validity {
    /// Counted from this process's token request.
    Lifetime(Duration),
    /// Counted from now, because another process may have requested the token.
    Remaining(Duration),
}

impl Grant {
    /// Returns `None` if the tenant has no usable token. Does not request one.
    pub(crate) async fn current(
        tenant: &Tenant,
        requested: Option<&str>,
        is_shared: bool,
    ) -> Option<Self> {
        if !tenant.tokens.status().has_usable_token() {
            return None;
        }
        let token = tenant.tokens.token().await.ok()?;
        let valid_from = |start| token.expires_at().duration_since(start).ok();
        Some(Self {
            validity: match is_shared {
                true => Validity::Remaining(valid_from(SystemTime::now())?),
                false => Validity::Lifetime(valid_from(tenant.token_time.last()?)?),
            },
            scopes: token.scopes().clone(),
            requested: requested.and_then(|scope| scope.parse().ok()),
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.validity {
            Validity::Lifetime(lifetime) => {
                write!(f, "lifetime {:.0} s, ", lifetime.as_secs_f64())?;
            }
            Validity::Remaining(remaining) => write!(f, "expires in {} s, ", remaining.as_secs())?,
        }
        match self.scopes.is_empty() {
            true => f.write_str("no scope")?,
            false => write!(f, "scope \"{}\"", shown(&self.scopes))?,
        }
        match &self.requested {
            Some(requested) if *requested != self.scopes => {
                write!(f, " (requested \"{}\")", shown(requested))
            }
            _ => Ok(()),
        }
    }
}

fn shown(scopes: &Scopes) -> String {
    text::line(scopes.to_string().as_bytes(), MAX_SCOPE_LENGTH)
}

/// The time of the last successful token request, from which the lifetime of its token counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestTime(Arc<Mutex<Option<SystemTime>>>);

impl RequestTime {
    fn last(&self) -> Option<SystemTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, time: SystemTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }
}

/// A source that records the time of `inner`'s last successful token request.
#[derive(Debug)]
pub(crate) struct TimedSource<S> {
    pub(crate) inner: S,
    pub(crate) time: RequestTime,
}

#[async_trait]
impl<S: TokenSource> TokenSource for TimedSource<S> {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let start = SystemTime::now();
        let fetched = self.inner.fetch(request).await;
        if fetched.is_ok() {
            self.time.set(start);
        }
        fetched
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        self.inner.shared_key(request)
    }

    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        self.inner.effective_request(request)
    }

    fn dpop(&self) -> Option<Dpop> {
        self.inner.dpop()
    }

    async fn credentials_changed(&self) -> bool {
        self.inner.credentials_changed().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_scopes_are_printed_only_if_they_differ_from_the_granted_ones() {
        let nearly = Duration::from_millis(599_998);
        let lifetime = Validity::Lifetime(nearly);
        let remaining = Validity::Remaining(nearly);
        for (validity, granted, requested, expected) in [
            (
                lifetime,
                "a b",
                Some("b a"),
                "lifetime 600 s, scope \"a b\"",
            ),
            (
                lifetime,
                "a",
                Some("a b"),
                "lifetime 600 s, scope \"a\" (requested \"a b\")",
            ),
            (
                lifetime,
                "",
                Some("a"),
                "lifetime 600 s, no scope (requested \"a\")",
            ),
            (lifetime, "a", None, "lifetime 600 s, scope \"a\""),
            (remaining, "a", None, "expires in 599 s, scope \"a\""),
        ] {
            let grant = Grant {
                validity,
                scopes: granted.parse().unwrap(),
                requested: requested.map(|scope| scope.parse().unwrap()),
            };
            assert_eq!(grant.to_string(), expected);
        }
    }
}
