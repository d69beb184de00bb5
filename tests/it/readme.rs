//! The programs in the READMEs are the examples, and the examples run.

use std::process::{Command, Output};

use auth_testing::{AuthorizationServer, ProtectedApi};

const README: &str = include_str!("../../README.md");
const TOWER_README: &str = include_str!("../../crates/auth-tower/README.md");
const REQWEST: &str = include_str!("../../examples/reqwest_client.rs");
const HYPER: &str = include_str!("../../examples/hyper_client.rs");
const TONIC: &str = include_str!("../../examples/tonic_client.rs");

/// Returns a program without the comment at its head, and without what only this workspace needs.
fn program(source: &str) -> String {
    let provider = |l: &str| l.contains("rustls-no-provider") || l.contains("default_provider");
    let lines = source
        .lines()
        .skip_while(|l| l.starts_with("//!") || l.is_empty())
        .filter(|l| !provider(l));
    let program = lines.collect::<Vec<_>>().join("\n");
    program.replace("anyhow::Result<()> {\n\n", "anyhow::Result<()> {\n")
}

#[test]
fn the_programs_are_the_examples() {
    for (readme, language, source) in [
        (README, "rust", REQWEST),
        // the README is the crate's documentation, whose tests would need these programs' crates
        (TOWER_README, "rust,ignore", HYPER),
        (TOWER_README, "rust,ignore", TONIC),
    ] {
        let shown = format!("```{language}\n{}\n```", program(source));
        assert!(readme.contains(&shown), "not in the README:\n{shown}");
    }
}

#[test]
fn the_readme_is_short_and_its_program_has_at_most_15_lines() {
    assert!(README.lines().count() <= 150);
    let program = program(REQWEST);
    let lines = program.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 15, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_run() {
    let server = AuthorizationServer::builder().client("my-client", "s3cr3t");
    let server = server.start().await.unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    for (example, shown) in [
        ("reqwest_client", "GET"),
        ("hyper_client", "GET"),
        ("tonic_client", "Serving"),
    ] {
        let mut command = Command::new(env!("CARGO"));
        command
            .args([
                "run",
                "--quiet",
                "--package",
                "client-examples",
                "--example",
                example,
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("AUTH_TOKEN_URL", server.token_endpoint())
            .env("AUTH_CLIENT_ID", "my-client")
            .env("AUTH_CLIENT_SECRET", "s3cr3t")
            .env("API_URL", api.url())
            .env("GRPC_URL", api.url());
        let run = tokio::task::spawn_blocking(move || command.output());
        let Output {
            status,
            stdout,
            stderr,
        } = run.await.unwrap().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(status.success(), "{example}: {stderr}");
        assert!(stdout.contains(shown), "{example}: {stdout}");
    }
    assert_eq!(api.rejections(), 0);
    assert_eq!(server.token_requests(), 3);
}
