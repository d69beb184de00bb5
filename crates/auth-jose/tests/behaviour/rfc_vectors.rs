//! The examples of the RFCs.

use auth_jose::{Algorithm, Certificates, Jwt, PublicJwk, Signer, SigningKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::keys::{self, key};

/// The claims of RFC 7515 A.1.1, with line breaks of two characters.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y\
    b290Ijp0cnVlfQ";

fn signature(key: &SigningKey, message: &str) -> String {
    let signature = key.sign_now(message.as_bytes()).unwrap().unwrap();
    URL_SAFE_NO_PAD.encode(signature)
}

/// <https://www.rfc-editor.org/rfc/rfc7515#appendix-A.1>
#[test]
fn rfc7515_a1_hs256() {
    let key = SigningKey::from_jwk(keys::OCT).unwrap();
    let message = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}");
    assert_eq!(
        signature(&key, &message),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
}

/// <https://www.rfc-editor.org/rfc/rfc7515#appendix-A.2>
#[test]
fn rfc7515_a2_rs256() {
    let key = SigningKey::from_jwk(key!("rfc7515-a2.json")).unwrap();
    assert_eq!(
        signature(&key, &format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}")),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG\
         bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
         0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6\
         LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
}

/// <https://www.rfc-editor.org/rfc/rfc7520#section-4>
const PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0\
    ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm\
    UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

/// Returns the header that a JWT by the key has.
fn header(key: &SigningKey) -> String {
    let signed = Jwt::new().sign_now(key).unwrap().unwrap();
    let (header, _) = signed.expose().split_once('.').unwrap();
    header.to_owned()
}

/// <https://www.rfc-editor.org/rfc/rfc7520#section-4.1>
#[test]
fn rfc7520_4_1_rs256_with_its_header() {
    let key = SigningKey::from_jwk(key!("rfc7520-3-4.json")).unwrap();
    let header = header(&key);
    assert_eq!(
        header,
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
    );
    assert_eq!(
        signature(&key, &format!("{header}.{PAYLOAD}")),
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7P\
         NDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9e\
         Ro4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4\
         uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
    );
}

/// <https://www.rfc-editor.org/rfc/rfc7520#section-4.4>
#[test]
fn rfc7520_4_4_hs256_with_its_header() {
    let key = SigningKey::from_jwk(
        r#"{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256",
            "k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}"#,
    )
    .unwrap();
    let header = header(&key);
    assert_eq!(
        header,
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
    );
    assert_eq!(
        signature(&key, &format!("{header}.{PAYLOAD}")),
        "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"
    );
}

/// <https://www.rfc-editor.org/rfc/rfc8037#appendix-A.4>
#[test]
fn rfc8037_a4_eddsa_with_its_header() {
    let key = SigningKey::from_jwk(keys::ED25519).unwrap();
    let header = header(&key);
    assert_eq!(header, "eyJhbGciOiJFZERTQSJ9");
    assert_eq!(
        signature(
            &key,
            &format!("{header}.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
        ),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

/// RFC 7638 §3.1, RFC 8037 A.3 and RFC 9449 §6.1
#[test]
fn thumbprints_of_the_rfcs() {
    for (key, thumbprint) in [
        (
            r#"{"kty":"RSA","alg":"RS256","e":"AQAB","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (keys::ED25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        (
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
    ] {
        assert_eq!(PublicJwk::from_jwk(key).unwrap().thumbprint(), thumbprint);
    }
    let key = SigningKey::from_jwk(keys::ED25519).unwrap();
    let key = key.with_key_id_from_thumbprint().unwrap();
    assert_eq!(
        key.key_id(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
}

/// <https://www.rfc-editor.org/rfc/rfc7517#appendix-A.2>
#[test]
fn rfc7517_a2_the_rsa_key_is_read_with_its_algorithm_and_its_id() {
    let key = SigningKey::from_jwk(key!("rfc7517-a2.json")).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Rs256);
    assert_eq!(key.key_id(), Some("2011-04-29"));
    let thumbprint = key.public_jwk().unwrap().thumbprint();
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// <https://www.rfc-editor.org/rfc/rfc8705#appendix-A>
#[test]
fn rfc8705_a_the_thumbprint_and_the_key_of_the_example() {
    let certificates = Certificates::from_pem(
        "-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
",
    )
    .unwrap();
    assert_eq!(
        certificates.thumbprint(),
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
    );
    assert_eq!(
        certificates.public_key().to_string(),
        r#"{"crv":"P-256","kty":"EC","x":"1yfLHCpXqFjxCeHHHMVDTcLscpb07KUxudBmOMn8C7Q","y":"8_coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8"}"#
    );
}
