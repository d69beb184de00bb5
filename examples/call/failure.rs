//! Why a request has no answer.

use std::{error::Error as StdError, time::Duration};

use anyhow::Chain;

/// A request that was not answered.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Of the token: an [`auth_core::ErrorKind`]'s name. Of the API: `connect`, `timeout`, `body`
    /// or `http`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self {
            kind: "timeout",
            message: format!("no answer within {} s", limit.as_secs()),
        }
    }

    /// `otherwise` is its kind if no error of the chain tells one.
    pub(crate) fn new(error: &(dyn StdError + 'static), otherwise: &'static str) -> Self {
        if let Some(error) = Chain::new(error).find_map(|e| e.downcast_ref::<auth_core::Error>()) {
            return Self {
                kind: error.kind().as_str(),
                message: text(error),
            };
        }
        Self {
            kind: Chain::new(error).find_map(kind).unwrap_or(otherwise),
            message: text(error),
        }
    }
}

fn kind(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return match () {
            () if error.is_timeout() => Some("timeout"),
            () if error.is_connect() => Some("connect"),
            () if error.is_body() || error.is_decode() => Some("body"),
            () => None,
        };
    }
    if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
        return error.is_connect().then_some("connect");
    }
    error.is::<tonic::ConnectError>().then_some("connect")
}

/// The whole chain in one line. Those that repeat their cause are not made to say it twice.
fn text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for error in Chain::new(error) {
        let message = match error.downcast_ref::<tonic::Status>() {
            Some(status) => status.message().to_owned(), // its Display shows all of its Debug
            None => error.to_string(),
        };
        if text.is_empty() {
            text = message;
        } else if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
    }
    text.replace(['\r', '\n'], " ")
}
