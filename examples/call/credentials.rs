//! The client credentials of the command line.

use anyhow::Context;
use auth_core::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, ClientSecret,
    provider::Provider,
};

use crate::args::{Args, AuthMethod};

pub(crate) fn builder(args: &Args) -> anyhow::Result<ClientCredentialsBuilder> {
    let secret = match &args.client_secret_file {
        Some(path) => ClientSecret::from_file(path)?,
        None => ClientSecret::from_env(&args.client_secret_env)?,
    };
    let mut builder = match (&args.provider, &args.token_url) {
        (Some(name), _) => {
            let provider: Provider = name.parse()?;
            let builder = provider.client_credentials(&args.client_id, secret.clone());
            match args.auth_method {
                Some(method) => builder.authentication(authentication(method, secret)),
                None => builder,
            }
        }
        (None, url) => {
            let url = url
                .as_deref()
                .context("expected --provider or --token-url")?;
            let method = args.auth_method.unwrap_or(AuthMethod::Basic);
            ClientCredentials::builder(url, &args.client_id, authentication(method, secret))
        }
    };
    if let Some(scope) = &args.scope {
        builder = builder.scope(scope);
    }
    if let Some(audience) = &args.audience {
        builder = builder.audience(audience);
    }
    for resource in &args.resource {
        builder = builder.resource(resource);
    }
    for parameter in &args.parameters {
        let (name, value) = parameter
            .split_once('=')
            .context("--param: expected NAME=VALUE, got an argument without '='")?;
        builder = builder.parameter(name, value);
    }
    Ok(builder)
}

fn authentication(method: AuthMethod, secret: ClientSecret) -> ClientAuthentication {
    match method {
        AuthMethod::Basic => ClientAuthentication::client_secret_basic(secret),
        AuthMethod::BasicRaw => ClientAuthentication::client_secret_basic_raw(secret),
        AuthMethod::Post => ClientAuthentication::client_secret_post(secret),
    }
}
