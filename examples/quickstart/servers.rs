//! The authorization server and the API: those of the environment variables, or two in this process.

use std::{env, fmt};

use anyhow::{Context, ensure};
use auth_core::ClientSecret;
use auth_testing::{AuthorizationServer, ProtectedApi};
use url::Url;

const REQUIRED: [&str; 4] = [
    "AUTH_TOKEN_URL",
    "AUTH_CLIENT_ID",
    "AUTH_CLIENT_SECRET",
    "API_URL",
];
const OPTIONAL: [&str; 2] = ["AUTH_SCOPE", "GRPC_URL"];

pub(crate) struct Servers {
    pub(crate) token_url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: ClientSecret,
    pub(crate) scope: String,
    pub(crate) api_url: Url,
    pub(crate) grpc_url: Option<String>,
    in_process: Option<(AuthorizationServer, ProtectedApi)>,
}

impl Servers {
    /// Reads the environment variables. If none is set, starts both servers in this process.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let missing: Vec<_> = REQUIRED.into_iter().filter(|v| var(v).is_none()).collect();
        let none_is_set =
            missing.len() == REQUIRED.len() && OPTIONAL.into_iter().all(|v| var(v).is_none());
        if none_is_set {
            return Self::in_process().await;
        }
        ensure!(
            missing.is_empty(),
            "servers of your own need the environment variables {}, but {} is not set; to call the \
             servers in this process, unset all of them and {}",
            REQUIRED.join(", "),
            missing.join(", "),
            OPTIONAL.join(", ")
        );
        Ok(Self {
            token_url: var("AUTH_TOKEN_URL").unwrap_or_default(),
            client_id: var("AUTH_CLIENT_ID").unwrap_or_default(),
            client_secret: ClientSecret::from_env("AUTH_CLIENT_SECRET")?,
            scope: var("AUTH_SCOPE").unwrap_or_default(),
            api_url: url(&var("API_URL").unwrap_or_default()).context("API_URL")?,
            grpc_url: var("GRPC_URL"),
            in_process: None,
        })
    }

    async fn in_process() -> anyhow::Result<Self> {
        let server = AuthorizationServer::builder()
            .client("quickstart", "not-a-real-secret")
            .scopes("orders")
            .start()
            .await?;
        let api = ProtectedApi::start(&server).await?;
        api.require_scope("orders");
        Ok(Self {
            token_url: server.token_endpoint(),
            client_id: "quickstart".to_owned(),
            client_secret: ClientSecret::from("not-a-real-secret"),
            scope: "orders".to_owned(),
            api_url: url(&format!("{}/orders", api.url()))?,
            grpc_url: Some(api.url()),
            in_process: Some((server, api)),
        })
    }

    pub(crate) fn are_in_process(&self) -> bool {
        self.in_process.is_some()
    }

    pub(crate) fn default_requests(&self) -> u64 {
        if self.are_in_process() { 1000 } else { 1 }
    }

    /// Returns what the servers in this process counted: token requests, and requests that the API
    /// rejected.
    pub(crate) fn counts(&self) -> Option<(u64, u64)> {
        let (server, api) = self.in_process.as_ref()?;
        Some((server.token_requests() as u64, api.rejections() as u64))
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.are_in_process() {
            f.write_str("An authorization server and a protected API have started in this process.")
        } else {
            write!(f, "The token endpoint is {}.", self.token_url)
        }
    }
}

/// Returns the value of an environment variable, or `None` if it is empty or not set.
fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn url(text: &str) -> anyhow::Result<Url> {
    text.parse().with_context(|| {
        format!("expected a URL such as https://api.example.com/orders, got {text:?}")
    })
}
