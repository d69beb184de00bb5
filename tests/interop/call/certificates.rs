//! The trusted certificates.

use anyhow::Result;

use crate::{
    harness::{GrpcServer, OidcProvider, keys_dir},
    run_call::call_json,
};

#[tokio::test]
async fn every_stack_trusts_the_configured_ca() -> Result<()> {
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
