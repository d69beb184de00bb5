//! The command line.

#![expect(clippy::doc_markdown, reason = "the texts of --help")]

mod values;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use clap::{
    ArgGroup, Parser, ValueEnum,
    error::{ContextKind, ContextValue},
};
use http::Method;

use values::{at_least_one, bytes, duration, rate, up_to_100_000};

/// Calls an API with an access token that it obtains by OAuth 2.0 client credentials.
///
/// The token goes to the origin of URL and nowhere else. A request whose token is refused is sent
/// again with another, once. A request succeeds if its status is 2xx, with tonic OK, and has 30 s
/// for it. The exit status is 0 if all requests succeeded, 1 if some did not, 2 for bad usage or
/// configuration. With RUST_LOG set, events are logged to stderr.
#[derive(Debug, Parser)]
#[command(name = "call", group = ArgGroup::new("endpoint").required(true))]
pub(crate) struct Args {
    /// A preset: signicat, signicat-express, idfy, idfy-test, idfy-deprecated, idnow:HOST
    #[arg(long, value_name = "NAME", group = "endpoint")]
    pub(crate) provider: Option<String>,

    /// The token endpoint
    #[arg(long, value_name = "URL", group = "endpoint")]
    pub(crate) token_url: Option<String>,

    /// The client's id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,

    /// The environment variable that holds the client's secret
    #[arg(long, value_name = "VAR", default_value = "AUTH_CLIENT_SECRET")]
    pub(crate) client_secret_env: String,

    /// A file that holds the client's secret, read again at each token request
    #[arg(long, value_name = "PATH", conflicts_with = "client_secret_env")]
    pub(crate) client_secret_file: Option<PathBuf>,

    /// How the client authenticates [default: the provider's, else client_secret_basic]
    #[arg(long, value_name = "METHOD", value_enum)]
    pub(crate) auth_method: Option<AuthMethod>,

    /// Scopes to ask for, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,

    /// A resource to ask for; may be given several times
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Vec<String>,

    /// The audience to ask for
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,

    /// A further parameter of the token request; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,

    /// The HTTP client; tonic calls grpc.health.v1.Health/Check at URL
    #[arg(long, value_name = "STACK", value_enum, default_value_t = StackName::Hyper)]
    pub(crate) stack: StackName,

    /// The method [default: GET, with a body POST]
    #[arg(short = 'X', value_name = "METHOD")]
    pub(crate) method: Option<Method>,

    /// The body; no content type is added
    #[arg(short = 'd', value_name = "BODY", allow_hyphen_values = true)]
    pub(crate) body: Option<String>,

    /// A header; may be given several times
    #[arg(short = 'H', value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// How many requests to make [default: 1, with --duration any number]
    #[arg(short = 'n', value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub(crate) requests: Option<u64>,

    /// How many requests are under way at the same time
    #[arg(short = 'c', value_name = "CONCURRENCY", default_value_t = 1, allow_negative_numbers = true, value_parser = up_to_100_000)]
    pub(crate) concurrency: usize,

    /// Starts requests for so long, such as 10s or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,

    /// Starts so many requests a second, evenly, as far as CONCURRENCY allows
    #[arg(long, value_name = "PER_SECOND", allow_negative_numbers = true, value_parser = rate)]
    pub(crate) rate: Option<f64>,

    /// So many clients, each with a token of its own; their requests take turns
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = up_to_100_000)]
    pub(crate) tenants: usize,

    /// Sends no request again: one whose token is refused has failed
    #[arg(long)]
    pub(crate) no_replay: bool,

    /// The longest body to send again, in bytes. The reqwest middleware has no such bound: there a
    /// longer one turns replays off [default: 65536, with reqwest none]
    #[arg(long, value_name = "BYTES", conflicts_with = "no_replay", allow_negative_numbers = true, value_parser = bytes)]
    pub(crate) max_replay_body: Option<usize>,

    /// Follows redirects, to other origins without the token
    #[arg(long)]
    pub(crate) follow_redirects: bool,

    /// A Redis in which processes share the token, such as rediss://user:password@host:6379 or
    /// redis+unix:///run/redis.sock; tenants share it, too
    #[arg(long, value_name = "URL", requires = "seal_key_files")]
    pub(crate) redis: Option<String>,

    /// A key of 32 bytes that seals what is kept in Redis; may be given several times: the first
    /// seals, all open
    #[arg(long = "seal-key-file", value_name = "FILE", requires = "redis")]
    pub(crate) seal_key_files: Vec<PathBuf>,

    /// Certificates in PEM to trust beside the public ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Prints the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// What to call, such as https://api.example.com/orders
    pub(crate) url: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AuthMethod {
    /// HTTP Basic, id and secret each percent-encoded (RFC 6749 section 2.3.1)
    #[value(name = "client_secret_basic")]
    Basic,
    /// HTTP Basic without the encoding, for servers that do not decode
    #[value(name = "client_secret_basic_raw")]
    BasicRaw,
    /// Id and secret in the body
    #[value(name = "client_secret_post")]
    Post,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum StackName {
    Hyper,
    Reqwest,
    Tonic,
}

impl Args {
    /// How many requests to make, where that is bounded.
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

/// What is wrong, without usage and tips.
pub(crate) fn one_line(error: &clap::Error) -> String {
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && argument.split('=').next() == Some("--client-secret")
    {
        return "the secret is never an argument: export AUTH_CLIENT_SECRET, \
                or use --client-secret-file"
            .into();
    }
    let text = error.to_string();
    let what = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}
