//! The right reading of an answer, as a check.

use std::time::Duration;

use auth_core::{Error, TokenResponse};
use serde_json::{Map, Value};

use super::{Outcome, SECRET};

/// The backoff after the first failure: of an outage, and of a denial.
const OUTAGE: std::ops::RangeInclusive<f64> = 0.8..=1.2;
const DENIAL: std::ops::RangeInclusive<f64> = 24.0..=36.0;

/// The `expect` of a row. Every member is checked, and an unknown one is a fault of the table.
#[derive(Debug)]
pub(super) struct Expectation {
    reading: Reading,
    /// A part of the token request.
    request_has: Option<String>,
    /// The reading with the setting that the error names.
    pub(super) with_setting: Option<Box<Expectation>>,
}

#[derive(Debug)]
enum Reading {
    Token {
        token: String,
        expires_in: Option<u64>,
        /// `None`: those of the request, which has none.
        scopes: Vec<String>,
        /// The words of the warnings, each of which is logged once.
        warnings: Vec<String>,
    },
    Error {
        kind: String,
        transient: bool,
        code: Option<String>,
        description: Option<String>,
        says: Vec<String>,
        never: Option<String>,
    },
}

fn texts(value: Option<Value>) -> Vec<String> {
    let list = value.unwrap_or_else(|| Value::Array(Vec::new()));
    serde_json::from_value(list).unwrap()
}

fn text(value: Option<Value>) -> Option<String> {
    value.map(|value| value.as_str().unwrap().to_owned())
}

impl Expectation {
    /// Parses the `expect` of the row `name`. A row without one does not pass.
    pub(super) fn parse(name: &str, expect: &Value) -> Self {
        let Value::Object(mut members) = expect.clone() else {
            panic!("{name}: expected an expectation, got none");
        };
        let request_has = text(members.remove("request_has"));
        let with_setting = members
            .remove("with_setting")
            .map(|expect| Box::new(Self::parse(name, &expect)));
        let reading = match members.contains_key("token") {
            true => Self::token(&mut members),
            false => Self::error(name, &mut members),
        };
        assert!(members.is_empty(), "{name}: unknown members {members:?}");
        Self {
            reading,
            request_has,
            with_setting,
        }
    }

    fn token(members: &mut Map<String, Value>) -> Reading {
        Reading::Token {
            token: text(members.remove("token")).unwrap(),
            expires_in: members.remove("expires_in").unwrap().as_u64(),
            scopes: texts(members.remove("scopes")),
            warnings: texts(members.remove("warnings")),
        }
    }

    fn error(name: &str, members: &mut Map<String, Value>) -> Reading {
        let kind = text(members.remove("error"));
        Reading::Error {
            kind: kind.unwrap_or_else(|| panic!("{name}: expected a token or an error")),
            transient: members.remove("transient").unwrap().as_bool().unwrap(),
            code: text(members.remove("code")),
            description: text(members.remove("description")),
            says: texts(members.remove("says")),
            never: text(members.remove("never")),
        }
    }

    /// Returns where the outcome differs from the expectation.
    pub(super) fn faults(&self, outcome: &Outcome) -> Vec<String> {
        let mut faults = Faults(Vec::new());
        if let Some(part) = &self.request_has {
            let request = outcome.request.to_ascii_lowercase();
            faults.unless(request.contains(part), || {
                format!("the request lacks {part:?}")
            });
        }
        for fetched in &outcome.fetched {
            match (&self.reading, fetched) {
                (Reading::Token { .. }, Ok(response)) => self.compare_token(response, &mut faults),
                (Reading::Error { .. }, Err(error)) => {
                    self.compare_error(error, &outcome.origin, &mut faults);
                }
                (Reading::Token { .. }, Err(error)) => faults.add(format!("no token: {error}")),
                (Reading::Error { .. }, Ok(_)) => faults.add("a token, not an error".into()),
            }
        }
        self.compare_cache(outcome, &mut faults);
        self.compare_log(&outcome.log, &mut faults);
        faults.0.sort();
        faults.0.dedup();
        faults.0
    }

    fn compare_token(&self, response: &TokenResponse, faults: &mut Faults) {
        let Reading::Token {
            token,
            expires_in,
            scopes,
            ..
        } = &self.reading
        else {
            return;
        };
        let granted: Vec<_> = response.scopes().unwrap().iter().collect();
        faults.equal("the token", response.access_token(), token);
        faults.equal("the scopes", &granted, scopes);
        let lifetime = expires_in.map(Duration::from_secs);
        faults.equal("the lifetime", &response.expires_in(), &lifetime);
    }

    fn compare_error(&self, error: &Error, origin: &str, faults: &mut Faults) {
        let Reading::Error {
            kind,
            transient,
            code,
            description,
            says,
            never,
        } = &self.reading
        else {
            return;
        };
        let shown = format!("{error} {error:?}");
        faults.equal("the kind", error.kind().as_str(), kind);
        faults.equal("transient", &error.is_transient(), transient);
        faults.equal("the code", &error.error_code(), &code.as_deref());
        faults.equal(
            "the description",
            &error.error_description(),
            &description.as_deref(),
        );
        for part in says.iter().map(|part| part.replace("ENDPOINT", origin)) {
            faults.unless(error.to_string().contains(&part), || {
                format!("the text lacks {part:?}: {error}")
            });
        }
        for part in never.iter().map(String::as_str).chain([SECRET, "\r", "\n"]) {
            faults.unless(!shown.contains(part), || format!("the text has {part:?}"));
        }
    }

    fn compare_cache(&self, outcome: &Outcome, faults: &mut Faults) {
        match (&self.reading, &outcome.cached) {
            (Reading::Token { .. }, Ok(())) => {}
            (Reading::Error { transient, .. }, Err(error)) => {
                let backoff = error.retry_after().unwrap().as_secs_f64();
                let expected = if *transient { OUTAGE } else { DENIAL };
                faults.unless(expected.contains(&backoff), || {
                    format!("the cache backs off for {backoff} s, not {expected:?}")
                });
            }
            (_, other) => faults.add(format!("the cache has {other:?}")),
        }
    }

    fn compare_log(&self, log: &str, faults: &mut Faults) {
        let expected = match &self.reading {
            Reading::Token { warnings, .. } => &warnings[..],
            Reading::Error { .. } => &[],
        };
        faults.equal(
            "the number of log lines",
            &log.lines().count(),
            &expected.len(),
        );
        for warning in expected {
            faults.unless(log.matches(warning).count() == 1, || {
                format!("expected one warning {warning}: {log}")
            });
        }
    }
}

struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: String) {
        self.0.push(fault);
    }

    fn unless(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.add(fault());
        }
    }

    fn equal<A, B>(&mut self, what: &str, found: &A, expected: &B)
    where
        A: std::fmt::Debug + PartialEq<B> + ?Sized,
        B: std::fmt::Debug,
    {
        self.unless(found == expected, || {
            format!("{what}: expected {expected:?}, got {found:?}")
        });
    }
}
