//! The reasons why a request has no response.

use std::{error::Error as StdError, io, time::Duration};

use anyhow::Chain;

/// The failure of a request that has no response.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The name of an [`auth_core::ErrorKind`] if there is no token, else `connect`, `timeout`, `body`
    /// or `http`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self {
            kind: "timeout",
            message: format!("no response within {} s", limit.as_secs()),
        }
    }

    /// Takes the kind from the errors of the chain, else `default_kind`.
    pub(crate) fn new(error: &(dyn StdError + 'static), default_kind: &'static str) -> Self {
        if let Some(error) = auth_core::Error::find(error) {
            return Self {
                kind: error.kind().as_str(),
                message: text(error),
            };
        }
        Self {
            kind: Chain::new(error).find_map(kind).unwrap_or(default_kind),
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

/// Returns the chain in one line, without errors that the text before them contains already.
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
    if Chain::new(error).any(is_not_tls) {
        text.push_str(" (does that port speak TLS?)");
    }
    text.replace(['\r', '\n'], " ")
}

fn message(error: &(dyn StdError + 'static)) -> String {
    if let Some(status) = error.downcast_ref::<tonic::Status>() {
        return status.message().to_owned(); // `Display` prints metadata and details, too
    }
    error.to_string()
}

/// Returns whether the server answered the TLS handshake with another protocol.
fn is_not_tls(error: &(dyn StdError + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidMessage(_));
    }
    // `source` of an `io::Error` skips the error that it contains
    let held = error.downcast_ref().and_then(io::Error::get_ref);
    held.is_some_and(|held| is_not_tls(held))
}

#[cfg(test)]
mod tests {
    use auth_core::ErrorKind;
    use rustls::InvalidMessage;

    use super::*;

    #[test]
    fn the_kind_and_the_message_of_a_token_error_are_those_of_auth_core() {
        let error = auth_core::Error::new(ErrorKind::Denied, "unknown client")
            .with_server_retry_after(Duration::from_secs(30));
        let failure = Failure::new(&error, "http");
        let shown = (failure.kind, &*failure.message);
        assert_eq!(shown, ("denied", "unknown client"));
    }

    #[test]
    fn the_message_for_a_port_without_tls_asks_about_the_port() {
        let not_tls = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        for (error, asked) in [
            (io::Error::other(not_tls.clone()), true),
            (io::Error::other(io::Error::other(not_tls)), true), // as hyper-rustls does
            (io::Error::other(rustls::Error::DecryptError), false),
        ] {
            let message = Failure::new(&error, "http").message;
            assert_eq!(message.ends_with(" (does that port speak TLS?)"), asked);
        }
    }
}
