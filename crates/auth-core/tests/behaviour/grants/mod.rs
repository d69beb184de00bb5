//! The grants beside client credentials.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Assertion, AssertionContext, AssertionSource, ClientAuthentication, Error, TokenEndpoint,
    TokenRequest, async_trait,
};

use crate::recording_transport::Recording;

mod echoes;
mod jwt_bearer;
mod refresh_token;
mod token_exchange;

/// A JWT that is the same at each request.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";

/// Makes the same assertion each time.
#[derive(Clone)]
struct Fixed(&'static str);

impl std::fmt::Debug for Fixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fixed")
    }
}

#[async_trait]
impl AssertionSource for Fixed {
    async fn assertion(&self, _: &AssertionContext) -> Result<Assertion, Error> {
        Assertion::new(self.0)
    }
}

/// Makes `NAME-1`, `NAME-2`, …, and has a version.
#[derive(Clone, Debug)]
struct Numbered {
    name: &'static str,
    made: Arc<AtomicUsize>,
    version: Arc<AtomicUsize>,
}

impl Numbered {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            made: Arc::default(),
            version: Arc::default(),
        }
    }

    /// Exchanges the key.
    fn change(&self) {
        self.version.fetch_add(1, SeqCst);
    }

    fn current(&self) -> u64 {
        self.version.load(SeqCst) as u64
    }
}

#[async_trait]
impl AssertionSource for Numbered {
    async fn assertion(&self, _: &AssertionContext) -> Result<Assertion, Error> {
        let number = self.made.fetch_add(1, SeqCst) + 1;
        let assertion = Assertion::new(format!("{}-{number}", self.name))?;
        Ok(assertion.with_version(self.current()))
    }

    async fn version(&self) -> Option<u64> {
        Some(self.current())
    }
}

/// Returns the token endpoint of a client that does not authenticate.
fn endpoint(url: &str, transport: &Recording) -> TokenEndpoint {
    let builder = TokenEndpoint::builder(url, ClientAuthentication::none());
    builder.build(transport.clone()).unwrap()
}

fn scope(scope: &str) -> TokenRequest {
    TokenRequest::builder().scope(scope).build().unwrap()
}
