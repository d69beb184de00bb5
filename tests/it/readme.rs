//! The programs and tables in the READMEs agree with the code.

// what is in there is to be compiled, and not to be run
#[allow(dead_code)]
mod store;

use auth_core::provider::Provider;

const README: &str = include_str!("../../README.md");
const TOWER_README: &str = include_str!("../../crates/auth-tower/README.md");

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
    let hyper = include_str!("../../examples/hyper_client.rs");
    let tonic = include_str!("../../examples/tonic_client.rs");
    for (readme, language, source) in [
        (README, "rust", hyper),
        (
            README,
            "rust",
            include_str!("../../examples/reqwest_client.rs"),
        ),
        (README, "rust", tonic),
        (README, "rust", include_str!("readme/store.rs")),
        // the README is the crate's documentation, whose tests would need these programs' crates
        (TOWER_README, "rust,ignore", hyper),
        (TOWER_README, "rust,ignore", tonic),
    ] {
        let shown = format!("```{language}\n{}\n```", program(source));
        assert!(readme.contains(&shown), "not in the README:\n{shown}");
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
