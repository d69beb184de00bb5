//! `call`, the evaluation tool, when the API rejects a token: the replays and their tokens.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    harness::{GrpcServer, OidcProvider},
    run_call::call_json,
};

const STACKS: [&str; 3] = ["hyper", "reqwest", "tonic"];

/// An API that accepts the tokens of the provider, and a stack that calls it.
struct Deployment {
    stack: &'static str,
    provider: OidcProvider,
    /// `None`: the API of the provider is called.
    grpc: Option<GrpcServer>,
}

impl Deployment {
    async fn start(stack: &'static str) -> Result<Self> {
        let provider = OidcProvider::start(&[]).await?;
        let grpc = match stack {
            "tonic" => Some(GrpcServer::node_asking(&provider).await?),
            _ => None,
        };
        Ok(Self {
            stack,
            provider,
            grpc,
        })
    }

    async fn reject_next(&self) -> Result<()> {
        match &self.grpc {
            Some(server) => server.reject_next(1).await,
            None => self.provider.faults(json!({ "api_401_next": 1 })).await,
        }
    }

    async fn call(&self, more: &[&str]) -> Result<Value> {
        let api = self.provider.api();
        let url = self.grpc.as_ref().map_or(&*api, GrpcServer::uri);
        let more = [&["--stack", self.stack], more].concat();
        call_json(&self.provider, &more, url).await?.json()
    }

    /// Asserts the counts of `call`.
    fn answers(&self, result: &Value, ok: u64, rejected: u64) {
        let (by, names) = match self.grpc {
            Some(_) => ("grpc_statuses", ["OK", "UNAUTHENTICATED"]),
            None => ("statuses", ["200", "401"]),
        };
        let counted = names.map(|name| result[by][name].as_u64().unwrap_or(0));
        assert_eq!(counted, [ok, rejected], "{}: {result}", self.stack);
        assert_eq!(result["requests"], ok + rejected);
    }
}

#[tokio::test]
async fn a_rejected_request_is_replayed_and_counted() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start(stack).await?;
        deployment.reject_next().await?;
        let result = deployment.call(&["-n", "5"]).await?;
        deployment.answers(&result, 5, 0);
        assert_eq!(result["replays"], 1, "{stack}");
        assert_eq!(result["token_requests"], 2, "{stack}");
    }
    Ok(())
}

#[tokio::test]
async fn without_replays_a_rejected_request_fails_and_the_token_is_refreshed() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start(stack).await?;
        deployment.reject_next().await?;
        let result = deployment.call(&["--no-replay", "-n", "50"]).await?;
        deployment.answers(&result, 49, 1);
        assert_eq!(result["replays"], 0, "{stack}");
        assert_eq!(result["token_requests"], 2, "{stack}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_beyond_the_replay_limit_is_sent_once() -> Result<()> {
    for stack in STACKS {
        // an empty gRPC message consists of five bytes of framing
        let (body, fits, exceeds): (&[&str], _, _) = match stack {
            "tonic" => (&[], "5", "4"),
            _ => (&["-d", "eleven chars"], "12", "11"),
        };
        let deployment = Deployment::start(stack).await?;
        for (bound, ok, rejected) in [(fits, 1, 0), (exceeds, 0, 1)] {
            deployment.reject_next().await?;
            let more = [body, &["--max-replay-body", bound]].concat();
            let result = deployment.call(&more).await?;
            deployment.answers(&result, ok, rejected);
            assert_eq!(result["replays"], ok, "{stack}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn three_tenants_have_one_token_each_and_alternate() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start(stack).await?;
        let more = ["--tenants", "3", "-n", "30", "-c", "5"];
        let result = deployment.call(&more).await?;
        deployment.answers(&result, 30, 0);
        assert_eq!(result["token_requests"], 3, "{stack}");
        assert_eq!(deployment.provider.stats().await?["token_ok"], 3);

        let Some(server) = &deployment.grpc else {
            continue;
        };
        let stats = server.stats().await?;
        let mut seen: Vec<_> = stats["tokens_seen"].as_array().unwrap().iter().collect();
        seen.sort_by_key(|token| token.as_str());
        let turns: Vec<_> = seen.chunk_by(PartialEq::eq).map(<[_]>::len).collect();
        assert_eq!(turns, [10, 10, 10]);
    }
    Ok(())
}

#[tokio::test]
async fn a_rejection_of_one_tenant_does_not_affect_another() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start(stack).await?;
        deployment.reject_next().await?;
        let result = deployment.call(&["--tenants", "3", "-n", "30"]).await?;
        deployment.answers(&result, 30, 0);
        assert_eq!(result["replays"], 1, "{stack}");
        assert_eq!(result["token_requests"], 4, "{stack}");
    }
    Ok(())
}
