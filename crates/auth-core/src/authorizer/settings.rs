//! The settings of an authorizer, apart from its tokens.

use std::{fmt, sync::Arc};

use http::StatusCode;

use super::{
    authorizer::{Authorizer, Kind},
    bindings::Bindings,
    classify::Classifier,
    connection::Channel,
    rejection_statuses::RejectionStatuses,
    replay_methods::ReplayMethods,
    rules::Rules,
};
use crate::{
    Error, TokenCaches, TokenRequest,
    origin::{AllowedOrigins, Origin},
    redact::without_secrets,
};

/// The settings of an authorizer, unchecked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    origins: Vec<ListedOrigin>,
    pub(super) any_origin: bool,
    pub(super) allow_http: bool,
    pub(super) trust_channel: bool,
    pub(super) statuses: Vec<StatusCode>,
    pub(super) methods: ReplayMethods,
}

impl Settings {
    /// Adds an origin. `is_url`: the text is a URL, of which only the origin is used.
    pub(super) fn add(
        &mut self,
        text: impl Into<String>,
        is_url: bool,
        token_request: Option<TokenRequest>,
    ) {
        self.origins.push(ListedOrigin {
            text: text.into(),
            is_url,
            token_request,
        });
    }

    /// Checks the settings, and returns an authorizer that hands out `tokens`.
    pub(super) fn build(self, tokens: TokenCaches) -> Result<Authorizer, Error> {
        tokens.default_cache().check_key_is_shared()?;
        let (origins, token_requests) = bind(&self.origins, &tokens)?;
        let origins = AllowedOrigins::new(origins, self.any_origin, self.allow_http)?;
        let classifier = Classifier {
            statuses: RejectionStatuses::new(&self.statuses)?,
            methods: self.methods,
        };
        let bindings = Bindings::new(token_requests, &tokens);
        let rules = Rules::new(tokens, origins, bindings, classifier);
        Ok(Authorizer {
            kind: Kind::Single(Arc::new(rules)),
            channel: self.trust_channel.then_some(Channel::Trusted),
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            any_origin: false,
            allow_http: false,
            trust_channel: false,
            statuses: vec![StatusCode::UNAUTHORIZED],
            methods: ReplayMethods::default(),
        }
    }
}

/// An origin as the user wrote it.
#[derive(Clone)]
struct ListedOrigin {
    text: String,
    /// Whether the text is a URL, of which only the origin is used.
    is_url: bool,
    token_request: Option<TokenRequest>,
}

impl ListedOrigin {
    fn parse(&self) -> Result<Origin, Error> {
        if self.is_url {
            Origin::of_url(&self.text)
        } else {
            self.text.parse()
        }
    }
}

impl fmt::Debug for ListedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(without_secrets(&self.text))?;
        match &self.token_request {
            Some(request) => write!(f, " with {request:?}"),
            None => Ok(()),
        }
    }
}

/// Returns each origin once, and the effective token request that is bound to it.
fn bind(
    listed: &[ListedOrigin],
    tokens: &TokenCaches,
) -> Result<(Vec<Origin>, Vec<Option<TokenRequest>>), Error> {
    let mut origins = Vec::new();
    let mut token_requests: Vec<Option<TokenRequest>> = Vec::new();
    for entry in listed {
        let origin = entry.parse()?;
        let token_request = entry.token_request.as_ref();
        let token_request = token_request.map(|request| tokens.effective_request(request));
        let Some(place) = origins.iter().position(|known| *known == origin) else {
            origins.push(origin);
            token_requests.push(token_request);
            continue;
        };
        let bound = &mut token_requests[place];
        match (&bound, token_request) {
            (_, None) => {}
            (None, Some(request)) => *bound = Some(request),
            (Some(one), Some(other)) if *one == other => {}
            (Some(_), Some(_)) => {
                return Err(Error::configuration(format!(
                    "origin {origin}: expected one token request that is bound to it, got two \
                     different ones; pick the other one by the extensions of a request"
                )));
            }
        }
    }
    Ok((origins, token_requests))
}
