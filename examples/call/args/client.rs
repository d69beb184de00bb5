//! The options of the client: the token endpoint, the authentication there, the grant, the token.

use std::path::PathBuf;

use clap::{ArgGroup, ValueEnum};

/// The client and its grant.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("endpoint").required(true).multiple(true).args(["provider", "token_url", "issuer"]))]
pub(crate) struct ClientArgs {
    /// Provider preset: signicat, signicat-express, idfy, idfy-test, idfy-deprecated, idnow:HOST
    #[arg(long, value_name = "NAME", conflicts_with_all = ["token_url", "issuer"])]
    pub(crate) provider: Option<String>,

    /// URL of the token endpoint
    #[arg(long, value_name = "URL")]
    pub(crate) token_url: Option<String>,

    /// Issuer of the authorization server; without --token-url its metadata tells the token endpoint
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Client id; not needed with none and with client_assertion
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,

    /// Environment variable with the client's secret [default: AUTH_CLIENT_SECRET]
    #[arg(long, value_name = "VAR")]
    pub(crate) client_secret_env: Option<String>,

    /// File with the client's secret, read at each token request
    #[arg(long, value_name = "PATH", conflicts_with = "client_secret_env")]
    pub(crate) client_secret_file: Option<PathBuf>,

    /// Client authentication method [default: the preset's, private_key_jwt with --key, client_assertion
    /// with --assertion-file, none with --grant jwt_bearer, without a preset tls_client_auth with --cert,
    /// else client_secret_basic]
    #[arg(long, value_name = "METHOD", value_enum)]
    pub(crate) auth_method: Option<AuthMethod>,

    /// File with the private key that signs the assertion, in PEM or as a JWK, read again when it changes;
    /// with --x5t-cert in PEM, and read once
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Algorithm of the signature: ES256, ES384, PS256, RS256, EdDSA, with client_secret_jwt HS256, HS384,
    /// HS512 [default: that of the key, RS256 for RSA; HS256]
    #[arg(long, value_name = "ALG")]
    pub(crate) alg: Option<String>,

    /// Key id in the header of the assertion
    #[arg(long, value_name = "KID", requires = "key")]
    pub(crate) kid: Option<String>,

    /// PEM file with the certificate of the key, whose thumbprint becomes x5t#S256, read once
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) x5t_cert: Option<PathBuf>,

    /// File with an assertion, such as a projected token of Kubernetes, read at each token request
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) assertion_file: Option<PathBuf>,

    /// Audience of the signed assertion: issuer, token_endpoint or a text [default: token_endpoint]
    #[arg(long, value_name = "TEXT")]
    pub(crate) assertion_aud: Option<String>,

    /// Type in the header of the signed assertion, such as client-authentication+jwt
    #[arg(long, value_name = "TEXT")]
    pub(crate) assertion_typ: Option<String>,

    /// Subject of the assertion of --grant jwt_bearer, such as a user id
    #[arg(long, value_name = "TEXT")]
    pub(crate) assertion_sub: Option<String>,

    /// Puts scope and resources into the assertion of --grant jwt_bearer, and not into the form
    #[arg(long)]
    pub(crate) assertion_scope: bool,

    /// PEM file with the client's certificate, for TLS to the token endpoint and to the API
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    pub(crate) cert: Option<PathBuf>,

    /// PEM file with the key of the certificate
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) cert_key: Option<PathBuf>,

    /// Binds the tokens to a key that is made at the start (RFC 9449), of ES256, ES384 or EdDSA, so that the
    /// token requests and the requests carry proofs [default of ALG: ES256]
    #[arg(long, value_name = "ALG", num_args = 0..=1, require_equals = true, default_missing_value = "ES256", conflicts_with = "redis")]
    pub(crate) dpop: Option<String>,

    /// Grant: client_credentials, jwt_bearer, token_exchange, refresh_token, or another grant_type
    #[arg(long, value_name = "GRANT", default_value = "client_credentials")]
    pub(crate) grant: GrantType,

    /// File with the subject token of token_exchange, or with the refresh token of refresh_token, which is
    /// replaced if the server rotates it
    #[arg(long, value_name = "FILE")]
    pub(crate) subject_token_file: Option<PathBuf>,

    /// Type of the subject token of token_exchange: access_token, id_token, jwt, refresh_token, saml1, saml2
    /// or a URI [default: jwt]
    #[arg(long, value_name = "TYPE")]
    pub(crate) subject_token_type: Option<String>,

    /// Header of the token requests; may be given several times
    #[arg(long = "token-header", value_name = "NAME: VALUE")]
    pub(crate) token_headers: Vec<String>,

    /// Permits http to a token endpoint that is not on loopback
    #[arg(long)]
    pub(crate) allow_http: bool,

    /// Scopes to request, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Option<String>,

    /// Resource to request (RFC 8707); may be given several times
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Vec<String>,

    /// Audience to request
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,

    /// Additional parameter of the token request; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum AuthMethod {
    /// HTTP Basic, with id and secret percent-encoded (RFC 6749 section 2.3.1)
    #[value(name = "client_secret_basic")]
    Basic,
    /// HTTP Basic without percent-encoding, for servers that do not decode
    #[value(name = "client_secret_basic_raw")]
    BasicRaw,
    /// Id and secret in the body
    #[value(name = "client_secret_post")]
    Post,
    /// Assertion signed by the key of --key
    #[value(name = "private_key_jwt")]
    PrivateKeyJwt,
    /// Assertion signed by the client's secret
    #[value(name = "client_secret_jwt")]
    ClientSecretJwt,
    /// Certificate of an authority, of --cert
    #[value(name = "tls_client_auth")]
    TlsClientAuth,
    /// Registered certificate, of --cert
    #[value(name = "self_signed_tls_client_auth")]
    SelfSignedTlsClientAuth,
    /// Assertion of --assertion-file
    #[value(name = "client_assertion")]
    ClientAssertion,
    /// No authentication
    #[value(name = "none")]
    None,
}

/// The grant of `--grant`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GrantType {
    ClientCredentials,
    JwtBearer,
    TokenExchange,
    RefreshToken,
    /// Another `grant_type`, sent as it is.
    Other(String),
}

impl From<&str> for GrantType {
    fn from(text: &str) -> Self {
        match text {
            "client_credentials" => Self::ClientCredentials,
            "jwt_bearer" => Self::JwtBearer,
            "token_exchange" => Self::TokenExchange,
            "refresh_token" => Self::RefreshToken,
            other => Self::Other(other.to_owned()),
        }
    }
}
