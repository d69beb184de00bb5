//! The text output.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    harness::{GrpcServer, OidcProvider},
    run_call::call_as_basic,
};

#[tokio::test]
async fn the_body_of_a_single_response_and_the_granted_scopes_are_printed() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for stack in ["hyper", "reqwest"] {
        let more = ["--stack", stack, "--scope", "document_read nonsense"];
        let run = call_as_basic(&provider, &more, &provider.api()).await?;
        assert_eq!(run.code, 0, "{}", run.stderr);
        let (body, summary) = run.stdout.split_once('\n').context("one line")?;
        let body: Value = serde_json::from_str(body)?;
        assert_eq!(body["path"], "/api/echo", "{stack}");
        assert!(summary.starts_with("requests        1, 1 ok"), "{summary}");
        let token = "token           lifetime 600 s, scope \"document_read\" \
                     (requested \"document_read nonsense\")\n";
        assert!(summary.contains(token), "{summary}");
    }
    let two = ["-n", "2", "--scope", "document_read"];
    let run = call_as_basic(&provider, &two, &provider.api()).await?;
    assert!(run.stdout.starts_with("requests "), "{}", run.stdout);
    let token = "token           lifetime 600 s, scope \"document_read\"\n";
    assert!(run.stdout.contains(token), "{}", run.stdout);
    Ok(())
}

#[tokio::test]
async fn the_reason_of_a_rejection_is_printed() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let url = format!("{}?scope=document_write", provider.api());
    for (stack, n) in [("hyper", "1"), ("reqwest", "20")] {
        let more = ["--stack", stack, "-n", n, "--scope", "document_read"];
        let run = call_as_basic(&provider, &more, &url).await?;
        assert_eq!((run.code, &*run.stderr), (1, ""), "{stack}");
        let line = run
            .stdout
            .lines()
            .filter(|line| line.starts_with("response "));
        let [line] = line.collect::<Vec<_>>()[..] else {
            panic!("expected one: {}", run.stdout);
        };
        assert!(line.starts_with("response 403: Bearer realm="), "{line}");
        let body = r#"; {"error":"insufficient_scope","scope":"document_write"}"#;
        assert!(line.contains("error=\"insufficient_scope\"") && line.ends_with(body));
    }

    let server = GrpcServer::python(&[]).await?;
    let run = call_as_basic(&provider, &["--stack", "tonic"], server.uri()).await?;
    assert_eq!(run.code, 1, "{}", run.stderr);
    let line = "response UNAUTHENTICATED: ";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    Ok(())
}
