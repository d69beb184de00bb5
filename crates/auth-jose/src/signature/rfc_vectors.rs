//! The signatures of the RFCs' examples, whose private keys are not all published.

use async_trait::async_trait;

use super::*;
use crate::base64url;

/// The public key of an example, without its private part.
#[derive(Debug)]
struct Example(PublicJwk, Algorithm);

#[async_trait]
impl Signer for Example {
    fn algorithm(&self) -> Algorithm {
        self.1
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::configuration("the example has no private key"))
    }

    fn public_jwk(&self) -> Option<&PublicJwk> {
        Some(&self.0)
    }
}

/// Checks that the key verifies the JWT, and no changed one.
fn assert_verifies(key: &str, algorithm: Algorithm, jwt: &str) {
    let signer = Example(PublicJwk::from_jwk(key).unwrap(), algorithm);
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    check(&signer, message.as_bytes(), &signature).unwrap();
    let changed = message.replacen('e', "f", 1);
    assert!(check(&signer, changed.as_bytes(), &signature).is_err());
}

/// <https://www.rfc-editor.org/rfc/rfc7515#appendix-A.3>
#[test]
fn rfc7515_a3_es256() {
    assert_verifies(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        Algorithm::Es256,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
         cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5dj\
         xLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
}

/// <https://www.rfc-editor.org/rfc/rfc8037#appendix-A.5>
#[test]
fn rfc8037_a5_eddsa() {
    assert_verifies(
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        Algorithm::EdDsa,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09\
         PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}

/// The proofs of a token request and of a request to an API:
/// <https://www.rfc-editor.org/rfc/rfc9449#section-4.1>, §7.1.
#[test]
fn rfc9449_4_1_and_7_1_the_proofs_of_the_figures() {
    let key = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
    let header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZy\
        aHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSm\
        FqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
    for proof in [
        "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1w\
         bGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg\
         4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
        "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFt\
         cGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF\
         c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6\
         pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
    ] {
        assert_verifies(key, Algorithm::Es256, &format!("{header}.{proof}"));
    }
}
