//! The client's authentication of the command line: secrets, keys, certificates.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};
use auth_core::{AssertionFile, AssertionSource, ClientAuthentication, ClientSecret};
use auth_jose::{
    Algorithm, AssertionBuilder, Audience, ClientSecretJwt, DpopKey, JwtAssertion, KeyFile,
    KeySource, PrivateKeyJwt, SigningKey,
};
use auth_rustls::{ClientCertificate, rustls};
use clap::ValueEnum;

use crate::{
    args::{AuthMethod, ClientArgs, GrantType},
    text::shown_path,
};

/// Returns the certificate of `--cert`.
pub(crate) fn certificate(args: &ClientArgs) -> anyhow::Result<Option<ClientCertificate>> {
    let (Some(certificate), Some(key)) = (&args.cert, &args.cert_key) else {
        return Ok(None);
    };
    let _ = rustls::crypto::ring::default_provider().install_default(); // fails if there is one
    Ok(Some(ClientCertificate::from_files(certificate, key)?))
}

/// Returns the key of `--dpop`.
pub(crate) fn dpop_key(args: &ClientArgs) -> anyhow::Result<Option<DpopKey>> {
    let Some(algorithm) = &args.dpop else {
        return Ok(None);
    };
    let algorithm: Algorithm = algorithm.parse().context("--dpop")?;
    let key = SigningKey::generate(algorithm).context("--dpop")?;
    Ok(Some(DpopKey::new(key)?))
}

/// Returns the method of `--auth-method`, or else the one that the other options mean. `None` is that of
/// a preset.
pub(crate) fn method(args: &ClientArgs) -> Option<AuthMethod> {
    let signs_grant = args.grant == GrantType::JwtBearer;
    let meant = match () {
        () if signs_grant => Some(AuthMethod::None),
        () if args.key.is_some() => Some(AuthMethod::PrivateKeyJwt),
        () if args.assertion_file.is_some() => Some(AuthMethod::ClientAssertion),
        () if args.provider.is_some() => None,
        () if args.cert.is_some() => Some(AuthMethod::TlsClientAuth),
        () => Some(AuthMethod::Basic),
    };
    args.auth_method.or(meant)
}

/// Returns the client's authentication by `method`.
pub(crate) fn authentication(
    args: &ClientArgs,
    method: AuthMethod,
) -> anyhow::Result<ClientAuthentication> {
    check(args, method)?;
    Ok(match method {
        AuthMethod::Basic => ClientAuthentication::client_secret_basic(secret(args)?),
        AuthMethod::BasicRaw => ClientAuthentication::client_secret_basic_raw(secret(args)?),
        AuthMethod::Post => ClientAuthentication::client_secret_post(secret(args)?),
        AuthMethod::PrivateKeyJwt => {
            let builder = PrivateKeyJwt::builder(key(args, method)?);
            ClientAuthentication::client_assertion(described(args, builder).build()?)
        }
        AuthMethod::ClientSecretJwt => {
            let algorithm = algorithm(args)?.unwrap_or(Algorithm::Hs256);
            let builder = ClientSecretJwt::builder(secret(args)?, algorithm);
            ClientAuthentication::client_assertion(described(args, builder).build()?)
        }
        AuthMethod::TlsClientAuth => ClientAuthentication::tls_client_auth(),
        AuthMethod::SelfSignedTlsClientAuth => ClientAuthentication::self_signed_tls_client_auth(),
        AuthMethod::ClientAssertion => {
            let file = args.assertion_file.as_deref();
            let file = file.context("client_assertion: expected --assertion-file")?;
            ClientAuthentication::client_assertion(AssertionFile::new(file)?)
        }
        AuthMethod::None => ClientAuthentication::none(),
    })
}

/// Returns the secret for the method of a preset.
pub(crate) fn preset_secret(args: &ClientArgs) -> anyhow::Result<ClientSecret> {
    check(args, AuthMethod::Basic)?;
    secret(args)
}

/// Returns the source of the assertion of `--grant jwt_bearer`.
pub(crate) fn grant_assertion(args: &ClientArgs) -> anyhow::Result<Box<dyn AssertionSource>> {
    if let Some(file) = &args.assertion_file {
        return Ok(Box::new(AssertionFile::new(file)?));
    }
    let key = args.key.as_deref();
    let key = key.context("--grant jwt_bearer: expected --key or --assertion-file")?;
    let mut builder = described(args, JwtAssertion::builder(key_of(args, key)?));
    if let Some(subject) = &args.assertion_sub {
        builder = builder.subject(subject);
    }
    if args.assertion_scope {
        builder = builder.scope_claim().resource_claim();
    }
    Ok(Box::new(builder.build()?))
}

const SECRET_METHODS: &str = "--auth-method client_secret_basic or another one with a secret";

/// Checks that each option is used, and that none is missing.
fn check(args: &ClientArgs, method: AuthMethod) -> anyhow::Result<()> {
    let signs_grant = args.grant == GrantType::JwtBearer;
    let signs_client = matches!(
        method,
        AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt
    );
    // the assertion of --assertion-file is signed already
    let signs_grant_here = signs_grant && args.assertion_file.is_none();
    let signs = signs_grant_here || signs_client;
    let has_secret = matches!(
        method,
        AuthMethod::Basic | AuthMethod::BasicRaw | AuthMethod::Post | AuthMethod::ClientSecretJwt
    );
    let has_certificate = args.cert.is_some();
    for (is_given, is_used, option, needs) in [
        (
            args.key.is_some(),
            signs_grant || method == AuthMethod::PrivateKeyJwt,
            "--key",
            "--auth-method private_key_jwt or --grant jwt_bearer",
        ),
        (
            args.assertion_file.is_some(),
            signs_grant || method == AuthMethod::ClientAssertion,
            "--assertion-file",
            "--auth-method client_assertion or --grant jwt_bearer",
        ),
        (
            args.alg.is_some(),
            signs,
            "--alg",
            "an assertion that is signed",
        ),
        (
            args.assertion_aud.is_some(),
            signs,
            "--assertion-aud",
            "an assertion that is signed",
        ),
        (
            args.assertion_typ.is_some(),
            signs,
            "--assertion-typ",
            "an assertion that is signed",
        ),
        (
            args.assertion_sub.is_some(),
            signs_grant_here,
            "--assertion-sub",
            "--grant jwt_bearer and --key",
        ),
        (
            args.assertion_scope,
            signs_grant_here,
            "--assertion-scope",
            "--grant jwt_bearer and --key",
        ),
        (
            args.client_secret_file.is_some(),
            has_secret,
            "--client-secret-file",
            SECRET_METHODS,
        ),
        (
            args.client_secret_env.is_some(),
            has_secret,
            "--client-secret-env",
            SECRET_METHODS,
        ),
        (
            args.subject_token_type.is_some(),
            args.grant == GrantType::TokenExchange,
            "--subject-token-type",
            "--grant token_exchange",
        ),
        (
            args.subject_token_file.is_some(),
            matches!(
                args.grant,
                GrantType::TokenExchange | GrantType::RefreshToken
            ),
            "--subject-token-file",
            "--grant token_exchange or refresh_token",
        ),
    ] {
        ensure!(!is_given || is_used, "{option}: expected {needs} beside it");
    }
    if matches!(
        method,
        AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth
    ) {
        ensure!(
            has_certificate,
            "{}: expected --cert and --cert-key",
            name(method)
        );
    }
    Ok(())
}

fn secret(args: &ClientArgs) -> anyhow::Result<ClientSecret> {
    Ok(match &args.client_secret_file {
        Some(path) => ClientSecret::from_file(path)?,
        None => {
            let name = args.client_secret_env.as_deref();
            ClientSecret::from_env(name.unwrap_or("AUTH_CLIENT_SECRET"))?
        }
    })
}

fn key(args: &ClientArgs, method: AuthMethod) -> anyhow::Result<KeySource> {
    match &args.key {
        Some(path) => key_of(args, path),
        None => bail!(
            "{}: expected --key with the private key that signs",
            name(method)
        ),
    }
}

/// Returns the key of a file, which is read again when it changes, unless its certificate is in another
/// file.
fn key_of(args: &ClientArgs, path: &Path) -> anyhow::Result<KeySource> {
    let algorithm = algorithm(args)?;
    let Some(certificate) = &args.x5t_cert else {
        let mut key = KeyFile::new(path)?;
        if let Some(algorithm) = algorithm {
            key = key.with_algorithm(algorithm)?;
        }
        return Ok(match &args.kid {
            Some(kid) => key.with_key_id(kid)?.into(),
            None => key.into(),
        });
    };
    let read = |option: &str, path: &Path| {
        let text = fs::read_to_string(path);
        text.with_context(|| format!("{option} {}: expected a PEM file", shown_path(path)))
    };
    let mut key = SigningKey::from_pem(&read("--key", path)?)?;
    if let Some(algorithm) = algorithm {
        key = key.with_algorithm(algorithm)?;
    }
    if let Some(kid) = &args.kid {
        key = key.with_key_id(kid)?;
    }
    Ok(key
        .with_certificate_pem(&read("--x5t-cert", certificate)?)?
        .into())
}

/// Returns the name of a method, as `--auth-method` takes it.
fn name(method: AuthMethod) -> String {
    let value = method.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn algorithm(args: &ClientArgs) -> anyhow::Result<Option<Algorithm>> {
    let algorithm = args.alg.as_deref().map(str::parse).transpose();
    algorithm.context("--alg")
}

/// Sets the claims and the header that the options describe.
fn described<T>(args: &ClientArgs, builder: AssertionBuilder<T>) -> AssertionBuilder<T> {
    let audience = match args.assertion_aud.as_deref() {
        None | Some("token_endpoint") => Audience::TokenEndpoint,
        Some("issuer") => Audience::Issuer,
        Some(text) => Audience::Text(text.to_owned()),
    };
    let builder = builder.audience(audience);
    match &args.assertion_typ {
        Some(typ) => builder.typ(typ),
        None => builder,
    }
}
