//! The claims of an assertion (RFC 7523 §3).

use std::{fmt, sync::Arc, time::Duration};

use auth_core::{AssertionContext, Error};
use serde_json::Value;

use super::audience::Audience;
use crate::{fault::invalid, jwt::Jwt};

/// The claims that have a setting of their own, and its name.
const SETTINGS: [(&str, &str); 7] = [
    ("iss", "issuer()"),
    ("sub", "subject()"),
    ("aud", "audience()"),
    ("exp", "lifetime()"),
    ("iat", "lifetime()"),
    ("nbf", "not_before()"),
    ("jti", "jwt_id()"),
];

const MIN_LIFETIME: Duration = Duration::from_secs(1);
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The claims of an assertion, as they are configured.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) issuer: Party,
    pub(super) subject: Party,
    pub(super) audience: Audience,
    pub(super) lifetime: Duration,
    pub(super) not_before: bool,
    pub(super) jwt_id: bool,
    pub(super) further: Vec<(String, Claim)>,
}

/// The issuer or the subject of an assertion.
#[derive(Clone, Debug)]
pub(super) enum Party {
    ClientId,
    Text(String),
    Absent,
}

/// The value of a further claim.
#[derive(Clone)]
pub(super) enum Claim {
    Value(Value),
    Function(Arc<ClaimFn>),
}

pub(super) type ClaimFn = dyn Fn(&AssertionContext) -> Option<Value> + Send + Sync;

impl Claims {
    /// Checks what can be known before the first token request.
    pub(super) fn check(&self, what: &str) -> Result<(), Error> {
        if !(MIN_LIFETIME..=MAX_LIFETIME).contains(&self.lifetime) {
            let fault = format!("expected a lifetime of 1 s to 1 h, got {:?}", self.lifetime);
            return Err(invalid(what, fault));
        }
        for (claim, party) in [("iss", &self.issuer), ("sub", &self.subject)] {
            if matches!(party, Party::Text(text) if text.is_empty()) {
                let fault = format!("expected a text as claim {claim:?}, got an empty one");
                return Err(invalid(what, fault));
            }
        }
        if matches!(&self.audience, Audience::Text(text) if text.is_empty()) {
            return Err(invalid(what, "expected an audience, got an empty text"));
        }
        for (at, (name, _)) in self.further.iter().enumerate() {
            if name.is_empty() {
                return Err(invalid(
                    what,
                    "expected the name of a claim, got an empty text",
                ));
            }
            if let Some((_, setting)) = SETTINGS.iter().find(|(claim, _)| claim == name) {
                let fault = format!("claim {name:?} has a setting of its own; use {setting}");
                return Err(invalid(what, fault));
            }
            if self.further[..at].iter().any(|(other, _)| other == name) {
                let fault = format!("expected each claim once, got {name:?} twice");
                return Err(invalid(what, fault));
            }
        }
        Ok(())
    }

    /// Adds the claims of an assertion for one attempt of a token request.
    pub(super) fn add_to(&self, mut jwt: Jwt, context: &AssertionContext) -> Result<Jwt, Error> {
        for (claim, party, setting) in [
            ("iss", &self.issuer, "issuer()"),
            ("sub", &self.subject, "subject()"),
        ] {
            let text = match party {
                Party::Text(text) => text,
                Party::ClientId => context.client_id().ok_or_else(|| {
                    let fault = format!(
                        "expected a client id for the claim {claim:?}, got none; set it with \
                         client_id() of the token endpoint, or the claim with {setting}"
                    );
                    invalid("assertion", fault)
                })?,
                Party::Absent => continue,
            };
            jwt = jwt.claim(claim, text);
        }
        let now = context.time().as_secs();
        jwt = jwt
            .claim("aud", self.audience.text(context)?)
            .claim("iat", now)
            .claim("exp", now.saturating_add(self.lifetime.as_secs()));
        if self.not_before {
            jwt = jwt.claim("nbf", now);
        }
        if self.jwt_id {
            jwt = jwt.random_jti()?;
        }
        for (name, claim) in &self.further {
            let value = match claim {
                Claim::Value(value) => Some(value.clone()),
                Claim::Function(function) => function(context),
            };
            if let Some(value) = value {
                jwt = jwt.claim(name, value);
            }
        }
        Ok(jwt)
    }
}

impl fmt::Debug for Claim {
    /// A value may be about a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(..)",
            Self::Function(_) => "Function(..)",
        })
    }
}
