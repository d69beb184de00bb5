//! What the README shows is what there is.

// what is in there is to be compiled, and not to be run
#[allow(dead_code)]
mod store;

use auth_core::provider::Provider;

const README: &str = include_str!("../../README.md");

/// A program without the comment at its head, and without what only this workspace needs.
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
    for source in [
        include_str!("../../examples/hyper_client.rs"),
        include_str!("../../examples/reqwest_client.rs"),
        include_str!("../../examples/tonic_client.rs"),
        include_str!("readme/store.rs"),
    ] {
        let shown = format!("```rust\n{}\n```", program(source));
        assert!(README.contains(&shown), "not in the README:\n{shown}");
    }
}

#[test]
fn the_table_of_providers_is_that_of_the_presets() {
    for name in [
        "signicat",
        "signicat-express",
        "idfy",
        "idfy-test",
        "idfy-deprecated",
        "idnow:HOST",
    ] {
        let provider = name.parse::<Provider>().unwrap();
        let row = format!("| `{name}` | `{}` |", provider.token_endpoint());
        let row = README
            .lines()
            .find(|line| line.starts_with(&row))
            .expect(name);
        let origin = provider
            .api_origin()
            .map_or("yours".into(), |o| format!("`{o}`"));
        assert!(row.ends_with(&format!("| {origin} |")), "{row}");
    }
}
