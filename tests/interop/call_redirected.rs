//! `call --follow-redirects`, with servers of auth-testing: the third-party servers do not redirect.

use anyhow::Result;
use auth_testing::{Answer, AuthorizationServer, ProtectedApi};
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use serde_json::{Value, json};

use crate::run_call::{Run, call};

const STACKS: [&str; 2] = ["hyper", "reqwest"];

/// An API, and an unlisted origin to which it may redirect.
struct Deployment {
    server: AuthorizationServer,
    api: ProtectedApi,
    unlisted: ProtectedApi,
}

impl Deployment {
    async fn start() -> Result<Self> {
        let server = AuthorizationServer::builder().client("client", "secret");
        let server = server.start().await?;
        Ok(Self {
            api: ProtectedApi::start(&server).await?,
            unlisted: ProtectedApi::start(&server).await?,
            server,
        })
    }

    /// Redirects the next request to the API.
    fn redirect_next(&self, to: &str) -> Result<()> {
        let found = Answer::status(StatusCode::FOUND);
        let location = HeaderValue::from_str(to)?;
        self.api.fail_next(1, found.with_header(LOCATION, location));
        Ok(())
    }

    async fn call(&self, more: &[&str]) -> Result<Run> {
        let (token_url, api) = (self.server.token_endpoint(), self.api.url());
        let fixed = ["--json", "--token-url", &token_url, "--client-id", "client"];
        call("secret", &[&fixed, more, &[&api]].concat()).await
    }

    async fn followed(&self, stack: &str) -> Result<Value> {
        let run = self.call(&["--stack", stack, "--follow-redirects"]).await?;
        run.json()
    }
}

/// Returns the number of `Authorization` headers of each request.
fn authorizations(api: &ProtectedApi) -> Vec<usize> {
    let requests = api.requests().into_iter();
    requests
        .map(|request| request.headers().get_all(AUTHORIZATION).iter().count())
        .collect()
}

#[tokio::test]
async fn an_unlisted_origin_receives_no_token() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start().await?;
        deployment.redirect_next(&deployment.unlisted.url())?;
        let welcome = Answer::status(StatusCode::OK);
        deployment.unlisted.fail_all(welcome);
        let result = deployment.followed(stack).await?;
        assert_eq!(result["statuses"], json!({ "200": 1 }), "{stack}");
        assert_eq!(authorizations(&deployment.api), [1]);
        assert_eq!(authorizations(&deployment.unlisted), [0]);
    }
    Ok(())
}

#[tokio::test]
async fn a_401_of_an_unlisted_origin_is_no_rejection_of_the_token() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start().await?;
        deployment.redirect_next(&deployment.unlisted.url())?;
        let result = deployment.followed(stack).await?;
        assert_eq!(result["statuses"], json!({ "401": 1 }), "{stack}");
        assert_eq!(result["replays"], 0, "{stack}");
        assert_eq!(deployment.server.token_requests(), 1);
        assert_eq!(authorizations(&deployment.unlisted), [0]);
    }
    Ok(())
}

#[tokio::test]
async fn a_redirect_within_the_origin_carries_one_token() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start().await?;
        deployment.redirect_next("/elsewhere")?;
        let result = deployment.followed(stack).await?;
        assert_eq!(result["statuses"], json!({ "200": 1 }), "{stack}");
        assert_eq!(authorizations(&deployment.api), [1, 1]);
        assert_eq!(deployment.api.requests()[1].uri(), "/elsewhere");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_option_it_follows_no_redirect() -> Result<()> {
    for stack in STACKS {
        let deployment = Deployment::start().await?;
        deployment.redirect_next(&deployment.unlisted.url())?;
        let result = deployment.call(&["--stack", stack]).await?.json()?;
        assert_eq!(result["statuses"], json!({ "302": 1 }), "{stack}");
        assert_eq!(deployment.unlisted.request_count(), 0);
    }
    Ok(())
}

#[tokio::test]
async fn the_option_is_an_error_with_tonic() -> Result<()> {
    let deployment = Deployment::start().await?;
    let run = deployment.call(&["--stack", "tonic", "--follow-redirects"]);
    let run = run.await?;
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert_eq!(
        run.stderr,
        "call: --follow-redirects cannot be used with --stack tonic: gRPC has no redirects\n"
    );
    Ok(())
}
