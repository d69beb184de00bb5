//! The tokens that a source issued lately, which a server or a transport may repeat in an error.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use http::HeaderValue;

use crate::{SecretString, TokenResponse, secret::credentials};

/// The number of tokens that are kept.
const KEPT: usize = 8;

/// The headers of the last [`KEPT`] tokens. The cache holds the same memory while it uses a token.
#[derive(Default)]
pub(super) struct IssuedTokens(Mutex<VecDeque<HeaderValue>>);

impl IssuedTokens {
    pub(super) fn add(&self, response: &TokenResponse) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.contains(&response.authorization) {
            return;
        }
        tokens.truncate(KEPT - 1);
        tokens.push_front(response.authorization.clone());
    }

    /// Returns copies of the tokens. They are needed only for an error.
    pub(super) fn tokens(&self) -> Vec<SecretString> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = tokens.iter().map(|header| credentials(header).into());
        texts.collect()
    }
}
