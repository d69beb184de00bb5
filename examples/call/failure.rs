//! Why a request has no answer.

use std::{error::Error as StdError, io, time::Duration};

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
        let message = message(error);
        if text.is_empty() {
            text = message;
        } else if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
    }
    if Chain::new(error).any(is_no_tls) {
        text.push_str(" (does that port speak TLS?)");
    }
    text.replace(['\r', '\n'], " ")
}

fn message(error: &(dyn StdError + 'static)) -> String {
    if let Some(status) = error.downcast_ref::<tonic::Status>() {
        return status.message().to_owned(); // its Display shows all of its Debug
    }
    let text = error.to_string();
    let waits = error
        .downcast_ref::<auth_core::Error>()
        .is_some_and(|error| error.retry_after().is_some());
    match text.rsplit_once("; next attempt in ") {
        Some((what, _)) if waits => what.to_owned(), // this program does not wait for it
        _ => text,
    }
}

/// Whether the other side answered the TLS handshake with something else.
fn is_no_tls(error: &(dyn StdError + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidMessage(_));
    }
    // what an io::Error holds is not its source
    let held = error.downcast_ref().and_then(io::Error::get_ref);
    held.is_some_and(|held| is_no_tls(held))
}

#[cfg(test)]
mod tests {
    use auth_core::ErrorKind;
    use rustls::InvalidMessage;

    use super::*;

    #[test]
    fn the_next_attempt_is_not_told_as_there_will_be_none() {
        let error = auth_core::Error::new(ErrorKind::Denied, "refused")
            .with_server_retry_after(Duration::from_secs(30));
        let failure = Failure::new(&error, "http");
        assert_eq!((failure.kind, &*failure.message), ("refused", "refused"));
    }

    #[test]
    fn a_port_without_tls_is_asked_about() {
        let no_tls = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        for (error, asked) in [
            (io::Error::other(no_tls.clone()), true),
            (io::Error::other(io::Error::other(no_tls)), true), // as hyper-rustls does
            (io::Error::other(rustls::Error::DecryptError), false),
        ] {
            let message = Failure::new(&error, "http").message;
            assert_eq!(message.ends_with(" (does that port speak TLS?)"), asked);
        }
    }
}
