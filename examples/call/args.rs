//! The command line.

#![expect(clippy::doc_markdown, reason = "the texts of --help")]

mod client;
mod values;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use clap::{
    Parser, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use http::Method;

pub(crate) use client::{AuthMethod, ClientArgs, GrantType};
use values::{at_least_one, bytes, duration, rate, up_to_100_000};

/// Calls an API with an access token that it obtains by OAuth 2.0, by default by client credentials.
///
/// Only the origin of URL receives the token. If the API rejects the token, the request is replayed once
/// with another one. A request succeeds if the API responds within 30 s with a 2xx status, with tonic
/// OK.
///
/// The exit status is 0 if all requests succeeded, 1 if a request failed, 2 if the usage or the
/// configuration is invalid. Set RUST_LOG to log events to stderr.
#[derive(Debug, Parser)]
#[command(name = "call")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) client: ClientArgs,

    /// HTTP client; tonic calls grpc.health.v1.Health/Check at URL
    #[arg(long, value_name = "STACK", value_enum, default_value_t = StackName::Hyper)]
    pub(crate) stack: StackName,

    /// Method [default: GET, with a body POST]
    #[arg(short = 'X', value_name = "METHOD")]
    pub(crate) method: Option<Method>,

    /// Body; sets no content type
    #[arg(short = 'd', value_name = "BODY", allow_hyphen_values = true)]
    pub(crate) body: Option<String>,

    /// Header; may be given several times
    #[arg(short = 'H', value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// Number of requests [default: 1, with --duration unlimited]
    #[arg(short = 'n', value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub(crate) requests: Option<u64>,

    /// Max number of requests in flight at the same time
    #[arg(short = 'c', value_name = "CONCURRENCY", default_value_t = 1, allow_negative_numbers = true, value_parser = up_to_100_000)]
    pub(crate) concurrency: usize,

    /// Time during which requests are started, such as 10s or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,

    /// Requests started per second, at equal intervals, as far as CONCURRENCY allows
    #[arg(long, value_name = "PER_SECOND", allow_negative_numbers = true, value_parser = rate)]
    pub(crate) rate: Option<f64>,

    /// Number of clients, each with a token of its own; they send requests in turn
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = up_to_100_000)]
    pub(crate) tenants: usize,

    /// Turns replays off: a request whose token is rejected fails
    #[arg(long)]
    pub(crate) no_replay: bool,

    /// Max length of a body that is kept for a replay, in bytes. With reqwest, a longer body turns replays
    /// off [default: 65536, with reqwest unlimited]
    #[arg(long, value_name = "BYTES", conflicts_with = "no_replay", allow_negative_numbers = true, value_parser = bytes)]
    pub(crate) max_replay_body: Option<usize>,

    /// Follows redirects; requests to other origins carry no token
    #[arg(long)]
    pub(crate) follow_redirects: bool,

    /// Redis server through which processes share the token, such as
    /// rediss://user:password@host:6379 or redis+unix:///run/redis.sock; tenants share it, too
    #[arg(long, value_name = "URL", requires = "seal_key_files")]
    pub(crate) redis: Option<String>,

    /// File with a key of 32 bytes that seals the tokens in Redis; may be given several times: the first
    /// key seals, all keys open
    #[arg(long = "seal-key-file", value_name = "FILE", requires = "redis")]
    pub(crate) seal_key_files: Vec<PathBuf>,

    /// PEM file with certificates to trust in addition to Mozilla's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Prints the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// URL to call, such as https://api.example.com/orders
    pub(crate) url: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum StackName {
    Hyper,
    Reqwest,
    Tonic,
}

impl Args {
    /// Returns the number of requests. `None` if it is unlimited.
    pub(crate) fn requests(&self) -> Option<u64> {
        match self.duration {
            Some(_) => self.requests,
            None => Some(self.requests.unwrap_or(1)),
        }
    }
}

pub(crate) fn parse() -> Result<Args, clap::Error> {
    Args::try_parse()
}

/// Returns the error in one line, without usage and tips. It does not show what may be a secret: an
/// argument that is no option, and a long value.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let unexpected = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.split('=').next().unwrap_or_default(),
        _ => "",
    };
    if unexpected == "--client-secret" {
        return "--client-secret is not an option, because arguments are visible to other users: \
                export AUTH_CLIENT_SECRET, \
                or use --client-secret-file"
            .into();
    }
    if error.kind() == ErrorKind::UnknownArgument {
        return match is_option(unexpected) {
            true => format!("unexpected argument '{unexpected}' found"),
            false => "unexpected argument found, which is not shown, because it may be a secret; options \
                      take the paths of files, and not their contents"
                .into(),
        };
    }
    let mut text = error.to_string();
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && value.len() > MAX_SHOWN
    {
        text = text.replace(value, "[not shown]");
    }
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = first.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// The maximum length of a value, or of the name of an option, in an error, in octets.
const MAX_SHOWN: usize = 40;

/// Returns whether an argument has the form of an option, such as `--key` or `-k`.
fn is_option(argument: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && name.len() <= MAX_SHOWN
    };
    match (argument.strip_prefix("--"), argument.strip_prefix('-')) {
        (Some(name), _) => is_name(name),
        (None, Some(letter)) => letter.len() == 1,
        (None, None) => false,
    }
}
