//! Where tokens come from and which API is called: inside this process, or the real thing.

use std::{env, fmt};

use anyhow::{Context, ensure};
use auth_core::ClientSecret;
use auth_testing::{AuthorizationServer, ProtectedApi};
use url::Url;

const NEEDED: [&str; 4] = [
    "AUTH_TOKEN_URL",
    "AUTH_CLIENT_ID",
    "AUTH_CLIENT_SECRET",
    "API_URL",
];
const OPTIONAL: [&str; 2] = ["AUTH_SCOPE", "GRPC_URL"];

pub(crate) struct Place {
    pub(crate) token_url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: ClientSecret,
    pub(crate) scope: String,
    pub(crate) api_url: Url,
    pub(crate) grpc_url: Option<String>,
    embedded: Option<(AuthorizationServer, ProtectedApi)>,
}

impl Place {
    pub(crate) async fn find() -> anyhow::Result<Self> {
        let missing: Vec<_> = NEEDED.into_iter().filter(|v| var(v).is_none()).collect();
        let none_is_set =
            missing.len() == NEEDED.len() && OPTIONAL.into_iter().all(|v| var(v).is_none());
        if none_is_set {
            return Self::embedded().await;
        }
        ensure!(
            missing.is_empty(),
            "to call the real thing, set {} as well; to see it work without, set none of {} and {}",
            missing.join(", "),
            NEEDED.join(", "),
            OPTIONAL.join(", ")
        );
        Ok(Self {
            token_url: var("AUTH_TOKEN_URL").unwrap_or_default(),
            client_id: var("AUTH_CLIENT_ID").unwrap_or_default(),
            client_secret: ClientSecret::from_env("AUTH_CLIENT_SECRET")?,
            scope: var("AUTH_SCOPE").unwrap_or_default(),
            api_url: url(&var("API_URL").unwrap_or_default()).context("API_URL")?,
            grpc_url: var("GRPC_URL"),
            embedded: None,
        })
    }

    async fn embedded() -> anyhow::Result<Self> {
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
            embedded: Some((server, api)),
        })
    }

    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    pub(crate) fn default_requests(&self) -> u64 {
        if self.is_embedded() { 1000 } else { 1 }
    }

    /// What the servers counted: token requests, and requests that they refused.
    pub(crate) fn counted(&self) -> Option<(usize, usize)> {
        let (server, api) = self.embedded.as_ref()?;
        Some((server.token_requests(), api.rejections()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_embedded() {
            f.write_str("An authorization server and a protected API, both inside this process.")
        } else {
            write!(f, "Tokens from {}.", self.token_url)
        }
    }
}

/// An empty variable is one that is not set.
fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn url(text: &str) -> anyhow::Result<Url> {
    text.parse().with_context(|| {
        format!("expected a URL such as https://api.example.com/orders, got {text:?}")
    })
}
