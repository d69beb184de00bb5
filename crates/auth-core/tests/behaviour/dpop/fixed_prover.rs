//! A prover without a key.

use auth_core::{DpopProver, Error, ProofClaims, async_trait};

/// Returns the same proof each time, or the same error.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) Result<&'static str, &'static str>);

#[async_trait]
impl DpopProver for Fixed {
    fn thumbprint(&self) -> &str {
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    }

    async fn prove(&self, _: &ProofClaims<'_>) -> Result<String, Error> {
        self.0.map(str::to_owned).map_err(Error::configuration)
    }
}
