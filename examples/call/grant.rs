//! What the token endpoint granted.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use auth_core::{Error, Scopes, SharedKey, TokenRequest, TokenResponse, TokenSource, async_trait};

use crate::{tenants::Tenant, text};

/// The longest scope that is shown, in bytes.
const LONGEST_SCOPE: usize = 1 << 10;

/// Of the current token.
#[derive(Debug)]
pub(crate) struct Grant {
    lifetime: Duration,
    scopes: Scopes,
    /// `None`: what the provider's preset asks for, if anything.
    asked: Option<Scopes>,
}

impl Grant {
    /// `None` if there is no usable token: it makes no token request.
    pub(crate) async fn of(tenant: &Tenant, asked: Option<&str>) -> Option<Self> {
        if !tenant.tokens.status().is_usable() {
            return None;
        }
        let token = tenant.tokens.token().await.ok()?;
        Some(Self {
            lifetime: token
                .expires_at()
                .duration_since(tenant.token_time.last()?)
                .ok()?,
            scopes: token.scopes().clone(),
            asked: asked.and_then(|scope| scope.parse().ok()),
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} s, ", self.lifetime.as_secs_f64())?;
        match self.scopes.is_empty() {
            true => f.write_str("no scope named")?,
            false => write!(f, "scope \"{}\"", shown(&self.scopes))?,
        }
        match &self.asked {
            Some(asked) if *asked != self.scopes => write!(f, " (asked for \"{}\")", shown(asked)),
            _ => Ok(()),
        }
    }
}

fn shown(scopes: &Scopes) -> String {
    text::line(scopes.to_string().as_bytes(), LONGEST_SCOPE)
}

/// When the last token request that succeeded was made, from which its token's lifetime counts.
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

/// Asks `inner`, and remembers when.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_told_where_it_is_not_what_was_granted() {
        for (granted, asked, expected) in [
            ("a b", Some("b a"), "600 s, scope \"a b\""),
            ("a", Some("a b"), "600 s, scope \"a\" (asked for \"a b\")"),
            ("", Some("a"), "600 s, no scope named (asked for \"a\")"),
            ("a", None, "600 s, scope \"a\""),
        ] {
            let grant = Grant {
                lifetime: Duration::from_millis(599_998),
                scopes: granted.parse().unwrap(),
                asked: asked.map(|scope| scope.parse().unwrap()),
            };
            assert_eq!(grant.to_string(), expected);
        }
    }
}
