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
    life: Life,
    scopes: Scopes,
    /// `None`: what the provider's preset asks for, if anything.
    asked: Option<Scopes>,
}

/// In whole seconds, or nearly so.
#[derive(Clone, Copy, Debug)]
enum Life {
    /// Since it was asked for.
    Whole(Duration),
    /// Another process may have asked for it.
    Left(Duration),
}

impl Grant {
    /// `None` if there is no usable token: it makes no token request.
    pub(crate) async fn of(
        tenant: &Tenant,
        asked: Option<&str>,
        may_be_of_another: bool,
    ) -> Option<Self> {
        if !tenant.tokens.status().is_usable() {
            return None;
        }
        let token = tenant.tokens.token().await.ok()?;
        let lasts_from = |start| token.expires_at().duration_since(start).ok();
        Some(Self {
            life: match may_be_of_another {
                true => Life::Left(lasts_from(SystemTime::now())?),
                false => Life::Whole(lasts_from(tenant.token_time.last()?)?),
            },
            scopes: token.scopes().clone(),
            asked: asked.and_then(|scope| scope.parse().ok()),
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.life {
            Life::Whole(lifetime) => write!(f, "{:.0} s, ", lifetime.as_secs_f64())?,
            Life::Left(left) => write!(f, "{} s left, ", left.as_secs())?,
        }
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
        let nearly = Duration::from_millis(599_998);
        let (whole, left) = (Life::Whole(nearly), Life::Left(nearly));
        for (life, granted, asked, expected) in [
            (whole, "a b", Some("b a"), "600 s, scope \"a b\""),
            (
                whole,
                "a",
                Some("a b"),
                "600 s, scope \"a\" (asked for \"a b\")",
            ),
            (
                whole,
                "",
                Some("a"),
                "600 s, no scope named (asked for \"a\")",
            ),
            (whole, "a", None, "600 s, scope \"a\""),
            (left, "a", None, "599 s left, scope \"a\""),
        ] {
            let grant = Grant {
                life,
                scopes: granted.parse().unwrap(),
                asked: asked.map(|scope| scope.parse().unwrap()),
            };
            assert_eq!(grant.to_string(), expected);
        }
    }
}
