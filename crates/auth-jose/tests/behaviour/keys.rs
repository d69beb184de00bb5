//! Keys of the tests, made by OpenSSL or taken from RFCs.

/// Returns the text of a file in `tests/keys`.
macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../keys/", $name))
    };
}
pub(crate) use key;

/// RFC 7515 A.1.1.
pub(crate) const OCT: &str = r#"{"kty":"oct",
    "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;

/// RFC 7515 A.3.1.
pub(crate) const P256: &str = key!("rfc7515-a3.json");

/// RFC 8037 A.1.
pub(crate) const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519",
    "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
