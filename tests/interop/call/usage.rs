//! Invalid usage.

use anyhow::Result;

use crate::run_call::call;

const TOKEN_URL: &str = "https://as.example/token";
const API: &str = "https://api.example/";

/// Returns the only line of the error output.
async fn bad_usage(client_id: &str, arguments: &[&str]) -> Result<String> {
    let run = call("s3cr3t", &[&["--client-id", client_id], arguments].concat()).await?;
    assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
    assert_eq!(run.stdout, "", "{arguments:?}");
    assert_eq!(run.stderr.trim_end().lines().count(), 1, "{}", run.stderr);
    Ok(run.stderr)
}

async fn names(expected: &str, arguments: &[&str]) -> Result<()> {
    let line = bad_usage("id", arguments).await?;
    assert!(line.contains(expected), "{arguments:?}: {line}");
    Ok(())
}

#[tokio::test]
async fn invalid_usage_is_one_line_and_exit_status_2() -> Result<()> {
    names("signicat-express", &["--provider", "unknown", API]).await?;
    names("--provider", &[API]).await?;
    for (token_url, api, expected) in [
        ("as.example/token", API, "without a scheme"),
        ("http://as.example/token", API, "loopback"),
        (TOKEN_URL, "api.example", "api.example"),
        (TOKEN_URL, "http://api.example/", "loopback"),
    ] {
        names(expected, &["--token-url", token_url, api]).await?;
    }
    for (option, value, expected) in [
        ("-H", "no colon", "an argument without a colon"),
        ("-H", "b@d name: x", "b@d name"),
        ("--param", "novalue", "NAME=VALUE"),
        ("--scope", "a\"b", "scope"),
        ("-n", "0", "'0'"),
        ("--duration", "soon", "duration"),
        ("--ca", "/no/such/file", "/no/such/file"),
        ("--client-secret-env", "NOT_SET", "NOT_SET"),
        ("--client-secret-file", "/no/secret", "/no/secret"),
    ] {
        names(expected, &["--token-url", TOKEN_URL, option, value, API]).await?;
    }

    let secret = ["--client-secret", "an-argument"];
    let arguments = [&["--token-url", TOKEN_URL], &secret[..], &[API]].concat();
    assert_eq!(
        bad_usage("id", &arguments).await?,
        "call: --client-secret is not an option, because arguments are visible to other users: \
         export AUTH_CLIENT_SECRET, \
         or use --client-secret-file\n"
    );
    let raw = ["--auth-method", "client_secret_basic_raw"];
    let arguments = [&raw[..], &["--token-url", TOKEN_URL, API]].concat();
    let line = bad_usage("a:b", &arguments).await?;
    assert!(line.contains("without ':'"), "{line}");
    Ok(())
}
