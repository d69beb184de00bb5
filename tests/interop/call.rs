//! `call`, the evaluation tool, as a process: what it prints and how it exits.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    harness::{GrpcServer, OidcProvider, keys_dir},
    run_call::{call, call_as_basic, call_json},
};

#[tokio::test]
async fn two_hundred_requests_fifty_at_a_time_cost_one_token_request() -> Result<()> {
    for stack in ["hyper", "reqwest"] {
        let provider = OidcProvider::start(&[]).await?;
        let load = ["-n", "200", "-c", "50", "--stack", stack];
        let run = call_json(&provider, &load, &provider.api()).await?;
        assert_eq!(run.code, 0, "{}", run.stderr);
        let result = run.json()?;
        assert_eq!(result["requests"], 200);
        assert_eq!(result["ok"], 200);
        assert_eq!(result["statuses"], serde_json::json!({ "200": 200 }));
        assert_eq!(result["token_requests"], 1);
        assert_eq!(result["token_errors"], 0);
        assert_eq!(result["replays"], 0);
        assert_eq!(result["errors"], serde_json::json!({}));
        assert!(result["latency_us"]["p99"].is_u64() && result["elapsed_ms"].is_u64());
        let stats = provider.stats().await?;
        assert_eq!(
            (&stats["token_requests"], &stats["api_200"]),
            (&1.into(), &200.into())
        );
    }
    Ok(())
}

#[tokio::test]
async fn tonic_asks_for_the_health_of_grpcio() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let run = call_json(
        &provider,
        &["--stack", "tonic", "-n", "20", "-c", "5"],
        server.uri(),
    );
    let run = run.await?;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let result = run.json()?;
    assert_eq!(result["grpc_statuses"], serde_json::json!({ "OK": 20 }));
    assert_eq!(result["token_requests"], 1);
    assert_eq!(server.stats().await?["unauthenticated"], 0);
    Ok(())
}

#[tokio::test]
async fn every_stack_trusts_the_ca_it_is_given() -> Result<()> {
    let provider = OidcProvider::start_tls(&[]).await?;
    let keys = keys_dir()?;
    let ca = keys.join("ca.crt").to_string_lossy().into_owned();
    for stack in ["hyper", "reqwest"] {
        let url = provider.api();
        let run = call_json(&provider, &["--stack", stack, "--ca", &ca], &url).await?;
        assert_eq!(run.code, 0, "{stack}: {}", run.stderr);
        let untrusted = call_json(&provider, &["--stack", stack], &url).await?;
        assert_eq!(untrusted.code, 1);
        assert_eq!(untrusted.json()?["ok"], 0);
    }
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python(&[
        ("GRPC_TLS", &keys.to_string_lossy()),
        ("GRPC_INTROSPECT", &provider.introspection_endpoint()),
        ("GRPC_INTROSPECT_AUTH", "resource-server:rs-secret"),
    ])
    .await?;
    let run = call_json(&provider, &["--stack", "tonic", "--ca", &ca], server.uri()).await?;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let untrusted = call_json(&provider, &["--stack", "tonic"], server.uri()).await?;
    assert_eq!(untrusted.code, 1);
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_is_one_token_request_and_no_request() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let (token_url, api) = (provider.token_endpoint(), provider.api());
    let arguments = [
        "--token-url",
        &token_url,
        "--client-id",
        "basic-client",
        "--json",
        "-n",
        "20",
        "-c",
        "5",
        &api,
    ];
    let run = call("wr0ng", &arguments).await?;
    assert_eq!(run.code, 1);
    let result = run.json()?;
    assert_eq!(
        (&result["requests"], &result["ok"]),
        (&20.into(), &0.into())
    );
    assert_eq!(result["errors"], serde_json::json!({ "refused": 20 }));
    assert_eq!(
        (&result["token_requests"], &result["token_errors"]),
        (&1.into(), &1.into())
    );
    assert!(!run.stderr.contains("wr0ng") && !run.stdout.contains("wr0ng"));
    let stats = provider.stats().await?;
    assert_eq!(
        (&stats["token_requests"], &stats["api_401"]),
        (&1.into(), &0.into())
    );
    Ok(())
}

#[tokio::test]
async fn an_api_that_refuses_is_counted_by_status() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let url = format!("{}?scope=document_write", provider.api());
    let run = call_json(&provider, &["--scope", "document_read"], &url).await?;
    assert_eq!(run.code, 1);
    assert_eq!(run.json()?["statuses"], serde_json::json!({ "403": 1 }));
    Ok(())
}

#[tokio::test]
async fn people_see_the_body_of_the_only_answer_and_what_was_granted() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for stack in ["hyper", "reqwest"] {
        let more = ["--stack", stack, "--scope", "document_read nonsense"];
        let run = call_as_basic(&provider, &more, &provider.api()).await?;
        assert_eq!(run.code, 0, "{}", run.stderr);
        let (body, summary) = run.stdout.split_once('\n').context("one line")?;
        let body: Value = serde_json::from_str(body)?;
        assert_eq!(body["path"], "/api/echo", "{stack}");
        assert!(summary.starts_with("requests        1, 1 ok"), "{summary}");
        let token = "token           600 s, scope \"document_read\" \
                     (asked for \"document_read nonsense\")\n";
        assert!(summary.contains(token), "{summary}");
    }
    let two = ["-n", "2", "--scope", "document_read"];
    let run = call_as_basic(&provider, &two, &provider.api()).await?;
    assert!(run.stdout.starts_with("requests "), "{}", run.stdout);
    let token = "token           600 s, scope \"document_read\"\n";
    assert!(run.stdout.contains(token), "{}", run.stdout);
    Ok(())
}

#[tokio::test]
async fn people_see_why_an_api_refuses() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let url = format!("{}?scope=document_write", provider.api());
    for (stack, n) in [("hyper", "1"), ("reqwest", "20")] {
        let more = ["--stack", stack, "-n", n, "--scope", "document_read"];
        let run = call_as_basic(&provider, &more, &url).await?;
        assert_eq!((run.code, &*run.stderr), (1, ""), "{stack}");
        let line = run
            .stdout
            .lines()
            .filter(|line| line.starts_with("answer "));
        let [line] = line.collect::<Vec<_>>()[..] else {
            panic!("expected one: {}", run.stdout);
        };
        assert!(line.starts_with("answer 403: Bearer realm="), "{line}");
        let body = r#"; {"error":"insufficient_scope","scope":"document_write"}"#;
        assert!(line.contains("error=\"insufficient_scope\"") && line.ends_with(body));
    }

    let server = GrpcServer::python(&[]).await?;
    let run = call_as_basic(&provider, &["--stack", "tonic"], server.uri()).await?;
    assert_eq!(run.code, 1, "{}", run.stderr);
    let line = "answer UNAUTHENTICATED: ";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    Ok(())
}

#[tokio::test]
async fn an_api_that_is_not_there_is_an_error_and_still_one_json_object() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for stack in ["hyper", "reqwest", "tonic"] {
        // port 1 of loopback: nobody listens
        let run = call_json(&provider, &["--stack", stack], "http://127.0.0.1:1/").await?;
        assert_eq!(run.code, 1, "{stack}");
        let result = run.json()?;
        assert_eq!(result["requests"], 1, "{stack}");
        assert_eq!(result["ok"], 0, "{stack}");
    }
    Ok(())
}

#[tokio::test]
async fn bad_usage_is_one_clear_line_and_exit_status_2() -> Result<()> {
    let id = ["--client-id", "id"];
    let url = "https://as.example/token";
    for (arguments, expected) in [
        (
            &["--provider", "nobody", "https://api.example/"][..],
            "signicat-express",
        ),
        (&["https://api.example/"], "--provider"),
        (
            &["--token-url", "as.example/token", "https://api.example/"],
            "without a scheme",
        ),
        (
            &[
                "--token-url",
                "http://as.example/token",
                "https://api.example/",
            ],
            "loopback",
        ),
        (&["--token-url", url, "api.example"], "api.example"),
        (&["--token-url", url, "http://api.example/"], "loopback"),
        (
            &["--token-url", url, "-H", "no colon", "https://api.example/"],
            "a text without a colon",
        ),
        (
            &[
                "--token-url",
                url,
                "-H",
                "b@d name: x",
                "https://api.example/",
            ],
            "b@d name",
        ),
        (
            &[
                "--token-url",
                url,
                "--param",
                "novalue",
                "https://api.example/",
            ],
            "NAME=VALUE",
        ),
        (
            &[
                "--token-url",
                url,
                "--scope",
                "a\"b",
                "https://api.example/",
            ],
            "scope",
        ),
        (
            &["--token-url", url, "-n", "0", "https://api.example/"],
            "'0'",
        ),
        (
            &[
                "--token-url",
                url,
                "--duration",
                "soon",
                "https://api.example/",
            ],
            "duration",
        ),
        (
            &[
                "--token-url",
                url,
                "--ca",
                "/no/such/file",
                "https://api.example/",
            ],
            "/no/such/file",
        ),
        (
            &[
                "--token-url",
                url,
                "--client-secret-env",
                "NOT_SET",
                "https://api.example/",
            ],
            "NOT_SET",
        ),
        (
            &[
                "--token-url",
                url,
                "--client-secret-file",
                "/no/secret",
                "https://api.example/",
            ],
            "/no/secret",
        ),
    ] {
        let run = call("s3cr3t", &[&id, arguments].concat()).await?;
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert_eq!(run.stderr.trim_end().lines().count(), 1, "{}", run.stderr);
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}: {}",
            run.stderr
        );
    }
    let secret = ["--client-secret", "an-argument", "https://api.example/"];
    let run = call(
        "s3cr3t",
        &[&id[..], &["--token-url", url], &secret].concat(),
    )
    .await?;
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert_eq!(
        run.stderr,
        "call: the secret is never an argument: export AUTH_CLIENT_SECRET, \
         or use --client-secret-file\n"
    );
    let raw = [
        "--auth-method",
        "client_secret_basic_raw",
        "--token-url",
        url,
    ];
    let arguments = [&raw[..], &["--client-id", "a:b", "https://api.example/"]].concat();
    let run = call("s3cr3t", &arguments).await?;
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("without ':'"), "{}", run.stderr);
    Ok(())
}

#[tokio::test]
async fn it_sends_what_it_is_told_at_the_rate_it_is_told() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let more = [
        "-X",
        "PUT",
        "-d",
        "hello",
        "-H",
        "x-one: 1",
        "--duration",
        "1s",
        "--rate",
        "20",
    ];
    let run = call_json(
        &provider,
        &[&more[..], &["-c", "4"]].concat(),
        &provider.api(),
    )
    .await?;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let requests = run.json()?["requests"].as_u64().context("no count")?;
    assert!((15..=21).contains(&requests), "{requests}");
    Ok(())
}
