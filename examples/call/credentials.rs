//! The token source of the command line.

use std::sync::Arc;

use anyhow::{Context, ensure};
use auth_core::{
    AssertionFile, ClientCredentials, ClientCredentialsBuilder, ClientSecret, Dpop, Error, Form,
    HttpTransport, JwtBearer, RefreshToken, TokenEndpoint, TokenEndpointBuilder, TokenExchange,
    TokenRequest, TokenResponse, TokenSource, TokenType, async_trait, provider::Provider,
    shared_store::SharedKey,
};
use auth_rustls::ClientCertificate;

use crate::{
    args::{ClientArgs, GrantType},
    authentication::{authentication, dpop_key, grant_assertion, method, preset_secret},
    refresh_token_file::RefreshTokenFile,
};

/// A token source that lacks its transport.
pub(crate) enum Credentials {
    Preset(Box<ClientCredentialsBuilder>),
    Endpoint {
        endpoint: Box<TokenEndpointBuilder>,
        request: TokenRequest,
        args: Box<ClientArgs>,
    },
}

impl Credentials {
    pub(crate) fn new(
        args: &ClientArgs,
        certificate: Option<ClientCertificate>,
    ) -> anyhow::Result<Self> {
        match &args.provider {
            Some(name) => preset(args, name),
            None => endpoint(args, certificate),
        }
    }

    pub(crate) fn source(
        self,
        transport: impl HttpTransport,
    ) -> anyhow::Result<Arc<dyn TokenSource>> {
        let (endpoint, request, args) = match self {
            Self::Preset(builder) => return Ok(Arc::new(builder.build(transport)?)),
            Self::Endpoint {
                endpoint,
                request,
                args,
            } => (endpoint.build(transport)?, request, args),
        };
        Ok(match args.grant {
            GrantType::ClientCredentials => Arc::new(ClientCredentials::new(endpoint, request)?),
            GrantType::JwtBearer => {
                let assertion: Arc<dyn auth_core::AssertionSource> = grant_assertion(&args)?.into();
                let grant = JwtBearer::new(endpoint, assertion)?.with_defaults(request)?;
                Arc::new(grant.parameters_in_assertion(args.assertion_scope))
            }
            GrantType::TokenExchange => {
                let subject = AssertionFile::any_text(subject_token_file(&args)?)?;
                let token_type = token_type(args.subject_token_type.as_deref().unwrap_or("jwt"))?;
                let grant = TokenExchange::new(endpoint, subject, token_type)?;
                Arc::new(grant.with_defaults(request)?)
            }
            GrantType::RefreshToken => {
                let store = RefreshTokenFile(subject_token_file(&args)?);
                Arc::new(RefreshToken::new(endpoint, store)?.with_defaults(request)?)
            }
            GrantType::Other(grant_type) => Arc::new(OtherGrant {
                endpoint,
                form: Form::new(grant_type),
                request,
            }),
        })
    }
}

/// A grant that is only another `grant_type`.
#[derive(Debug)]
struct OtherGrant {
    endpoint: TokenEndpoint,
    form: Form,
    request: TokenRequest,
}

#[async_trait]
impl TokenSource for OtherGrant {
    /// The tool requests one token per client: the request of the cache is empty.
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        self.endpoint.request(&self.form, &self.request).await
    }

    fn shared_key(&self, _: &TokenRequest) -> Option<SharedKey> {
        Some(self.endpoint.shared_key(&self.form, &self.request))
    }

    fn dpop(&self) -> Option<Dpop> {
        self.endpoint.dpop()
    }

    async fn credentials_changed(&self) -> bool {
        self.endpoint.credentials_changed(&[]).await
    }
}

fn preset(args: &ClientArgs, name: &str) -> anyhow::Result<Credentials> {
    ensure!(
        args.grant == GrantType::ClientCredentials,
        "--grant: expected --token-url or --issuer beside it, got --provider"
    );
    let provider: Provider = name.parse()?;
    let id = args.client_id.as_deref();
    let id = id.with_context(|| format!("--provider {name}: expected --client-id"))?;
    let mut builder = match method(args) {
        Some(method) => {
            // the preset's secret is not used
            let builder = provider.client_credentials(id, ClientSecret::from("unused"));
            builder.authentication(authentication(args, method)?)
        }
        None => provider.client_credentials(id, preset_secret(args)?),
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
    for (name, value) in parameters(args)? {
        builder = builder.parameter(name, value);
    }
    for (name, value) in token_headers(args)? {
        builder = builder.header(name, value);
    }
    if let Some(key) = dpop_key(args)? {
        builder = builder.dpop(key);
    }
    Ok(Credentials::Preset(Box::new(builder)))
}

fn endpoint(
    args: &ClientArgs,
    certificate: Option<ClientCertificate>,
) -> anyhow::Result<Credentials> {
    let method = method(args).context("--auth-method: expected one")?;
    let authentication = authentication(args, method)?;
    let mut endpoint = match (&args.token_url, &args.issuer) {
        (Some(url), None) => TokenEndpoint::builder(url, authentication),
        (Some(url), Some(issuer)) => TokenEndpoint::builder(url, authentication).issuer(issuer),
        (None, issuer) => {
            let issuer = issuer.as_deref();
            let issuer = issuer.context("expected --provider, --token-url or --issuer")?;
            TokenEndpoint::discover(issuer, authentication)
        }
    };
    endpoint = endpoint.danger_allow_http(args.allow_http);
    if let Some(id) = &args.client_id {
        endpoint = endpoint.client_id(id);
    }
    if let Some(certificate) = certificate {
        endpoint = endpoint.certificate_thumbprint(move || certificate.thumbprint());
    }
    for (name, value) in token_headers(args)? {
        endpoint = endpoint.header(name, value);
    }
    if let Some(key) = dpop_key(args)? {
        endpoint = endpoint.dpop(key);
    }
    Ok(Credentials::Endpoint {
        endpoint: Box::new(endpoint),
        request: request(args)?,
        args: Box::new(args.clone()),
    })
}

fn request(args: &ClientArgs) -> anyhow::Result<TokenRequest> {
    let mut request = TokenRequest::builder();
    if let Some(scope) = &args.scope {
        request = request.scope(scope);
    }
    if let Some(audience) = &args.audience {
        request = request.audience(audience);
    }
    for resource in &args.resource {
        request = request.resource(resource);
    }
    for (name, value) in parameters(args)? {
        request = request.parameter(name, value);
    }
    Ok(request.build()?)
}

fn parameters(args: &ClientArgs) -> anyhow::Result<Vec<(&str, &str)>> {
    let mut parameters = Vec::new();
    for parameter in &args.parameters {
        let (name, value) = parameter
            .split_once('=')
            .context("--param: expected NAME=VALUE, got an argument without '='")?;
        parameters.push((name, value));
    }
    Ok(parameters)
}

fn token_headers(args: &ClientArgs) -> anyhow::Result<Vec<(&str, &str)>> {
    let mut headers = Vec::new();
    for header in &args.token_headers {
        let (name, value) = header
            .split_once(':')
            .context("--token-header: expected NAME: VALUE, got an argument without ':'")?;
        headers.push((name.trim(), value.trim()));
    }
    Ok(headers)
}

fn subject_token_file(args: &ClientArgs) -> anyhow::Result<std::path::PathBuf> {
    let file = args.subject_token_file.clone();
    file.context("--grant token_exchange and refresh_token: expected --subject-token-file")
}

fn token_type(text: &str) -> anyhow::Result<TokenType> {
    Ok(match text {
        "access_token" => TokenType::ACCESS_TOKEN,
        "refresh_token" => TokenType::REFRESH_TOKEN,
        "id_token" => TokenType::ID_TOKEN,
        "jwt" => TokenType::JWT,
        "saml1" => TokenType::SAML1,
        "saml2" => TokenType::SAML2,
        uri => TokenType::new(uri).context("--subject-token-type")?,
    })
}

#[cfg(test)]
mod tests;
