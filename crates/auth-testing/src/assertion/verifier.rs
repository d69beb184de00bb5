//! Verifies an assertion: its signature, and what a server demands of its header and its claims.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, decode_header};
use serde_json::Value;

use super::{audience::AcceptedAudience, claims::Claims, key::VerificationKey, used_ids::UsedIds};
use crate::received::Received;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What an [`AuthorizationServer`](crate::AuthorizationServer) demands of assertions
/// ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)): those of a client that
/// authenticates by them, or those of a grant.
///
/// | part | demand, unless a setting changes it |
/// |---|---|
/// | signature | by one of the keys, with an algorithm that fits the key |
/// | `iss`, `sub` | of a client: both are its id. Of a grant: the [`issuer`](Self::issuer); any `sub` |
/// | `aud` | a text, or a list with the text: the server's issuer or token endpoint |
/// | `exp` | not past, and at most [300 s](Self::max_lifetime) from now |
/// | `iat`, `nbf` | where they are present: at most [10 s](Self::clock_tolerance) in the future |
/// | `jti` | present, and not used before |
///
/// The server denies an assertion that does not meet them with a description that says which part was
/// expected, and what came. The time is that of the server's
/// [clock](crate::AuthorizationServerBuilder::clock). Clones share the `jti` that were used.
///
/// ```
/// use std::time::Duration;
/// use auth_testing::{AcceptedAudience, AssertionVerifier, AuthorizationServer, VerificationKey};
///
/// # async fn example(public_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let assertions = AssertionVerifier::new(VerificationKey::from_pem(public_key)?)
///     .audience(AcceptedAudience::Issuer)
///     .max_lifetime(Duration::from_secs(60));
/// let server = AuthorizationServer::builder()
///     .client_with_assertion("my-client", assertions)
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AssertionVerifier {
    keys: Vec<VerificationKey>,
    assertion_type: String,
    issuer: Option<String>,
    subject: Option<String>,
    audience: AcceptedAudience,
    max_lifetime: Duration,
    max_age: Option<Duration>,
    clock_tolerance: Duration,
    single_audience: bool,
    list_claims: Vec<&'static str>,
    typ: Option<String>,
    algorithms: Option<Vec<String>>,
    required_headers: Vec<Vec<String>>,
    required_claims: Vec<String>,
    known_claims: Option<Vec<String>>,
    scope_claim: bool,
    expiry_code: Option<&'static str>,
    /// `None`: an assertion may be used again.
    used: Option<UsedIds>,
}

impl AssertionVerifier {
    /// Starts with a key.
    pub fn new(key: VerificationKey) -> Self {
        Self {
            keys: vec![key],
            assertion_type: JWT_BEARER.to_owned(),
            issuer: None,
            subject: None,
            audience: AcceptedAudience::default(),
            max_lifetime: Duration::from_secs(300),
            max_age: None,
            clock_tolerance: Duration::from_secs(10),
            single_audience: false,
            list_claims: Vec::new(),
            typ: None,
            algorithms: None,
            required_headers: Vec::new(),
            required_claims: Vec::new(),
            known_claims: None,
            scope_claim: false,
            expiry_code: None,
            used: Some(UsedIds::default()),
        }
    }

    /// Adds a key, as a client has it that rotates its keys.
    pub fn key(mut self, key: VerificationKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the `iss`: the issuer of a grant's assertions, or another issuer than the client, whose
    /// tokens authenticate it (workload identity federation). Default: the client id.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the `sub`. Default: the client id, and for a grant any text.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the `aud`. Default: [`AcceptedAudience::IssuerOrTokenEndpoint`].
    pub fn audience(mut self, audience: AcceptedAudience) -> Self {
        self.audience = audience;
        self
    }

    /// Sets how far `exp` may be from now, and from `iat`. Default: 300 s.
    pub fn max_lifetime(mut self, max: Duration) -> Self {
        self.max_lifetime = max;
        self
    }

    /// Sets how far `iat` may be in the past. Default: as far as the lifetime permits.
    pub fn max_age(mut self, max: Duration) -> Self {
        self.max_age = Some(max);
        self
    }

    /// Sets whether `aud` has to be a text. Default: `false`, it may be a list.
    pub fn single_audience(mut self, single: bool) -> Self {
        self.single_audience = single;
        self
    }

    /// Sets by how much the client's clock may be ahead. Default: 10 s.
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.clock_tolerance = tolerance;
        self
    }

    /// Demands this header `typ`. Default: any, or none.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// Permits only these algorithms, by their names in [RFC
    /// 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.1). Default: all that fit a key.
    pub fn algorithms<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Demands one of these headers: `kid`, `x5c` or `x5t#S256`. Can be called several times. Default: none is
    /// demanded.
    pub fn require_header<T: Into<String>>(mut self, one_of: impl IntoIterator<Item = T>) -> Self {
        let one_of = one_of.into_iter().map(Into::into);
        self.required_headers.push(one_of.collect());
        self
    }

    /// Demands these claims, beside `iss`, `aud` and `exp`. Default: none.
    pub fn require_claims<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.required_claims
            .extend(names.into_iter().map(Into::into));
        self
    }

    /// Denies each assertion with another claim than these and `iss`, `aud`, `exp`, `iat` and `jti`. Default: other
    /// claims are ignored.
    pub fn only_claims<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.known_claims = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets whether the claim `scope` names the scopes that a grant requests, and not the parameter of the form,
    /// which is then ignored. Default: `false`.
    pub fn scope_claim(mut self, in_assertion: bool) -> Self {
        self.scope_claim = in_assertion;
        self
    }

    /// Sets whether an assertion may be used several times, and with or without `jti`: a projected token of Kubernetes
    /// authenticates a client until it is replaced. Default: `false`.
    pub fn reusable(mut self, reusable: bool) -> Self {
        self.used = (!reusable).then(UsedIds::default);
        self
    }

    /// Sets the `client_assertion_type`. Default:
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub fn assertion_type(mut self, assertion_type: impl Into<String>) -> Self {
        self.assertion_type = assertion_type.into();
        self
    }

    /// Demands lists as the values of these claims.
    pub(crate) fn list_claims(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.list_claims.extend(names);
        self
    }

    /// Begins the description of an expired assertion with a code.
    pub(crate) fn expiry_code(mut self, code: &'static str) -> Self {
        self.expiry_code = Some(code);
        self
    }

    pub(crate) fn is_of_issuer(&self, issuer: &str, client: Option<&str>) -> bool {
        self.issuer.as_deref().or(client) == Some(issuer)
    }

    pub(crate) fn is_of_subject(&self, subject: &str, client: Option<&str>) -> bool {
        let expected = self.subject.as_deref().or(client);
        expected.is_none_or(|expected| expected == subject)
    }

    /// Returns whether the keys are shared secrets.
    pub(crate) fn verifies_by_secret(&self) -> bool {
        self.keys.iter().all(VerificationKey::is_secret)
    }

    pub(crate) fn expected_type(&self) -> &str {
        &self.assertion_type
    }

    pub(crate) fn reads_scope_claim(&self) -> bool {
        self.scope_claim
    }

    /// Verifies an assertion, and returns its claims. `client`: the client that it authenticates.
    ///
    /// # Errors
    /// The text says which part was expected, and what came.
    pub(crate) fn verify(
        &self,
        jwt: &str,
        client: Option<&str>,
        received: &Received<'_>,
    ) -> Result<Claims, String> {
        let claims = Claims::read(jwt)?;
        let header = decode_header(jwt).map_err(|_| {
            "header: expected alg RS256 to RS512, PS256 to PS512, ES256, ES384, EdDSA or HS256 to HS512, \
             got another header"
        })?;
        self.check_header(&header)?;
        self.check_signature(jwt, &header)?;
        self.check_parties(&claims, client)?;
        self.check_audience(&claims, received)?;
        let expires_at = self.check_times(&claims, received.now)?;
        self.check_claims(&claims)?;
        // last, so that an assertion that is denied for another reason is not used up
        self.check_id(&claims, expires_at, received.now)?;
        Ok(claims)
    }

    fn check_header(&self, header: &Header) -> Result<(), String> {
        if let Some(expected) = &self.typ
            && header.typ.as_ref() != Some(expected)
        {
            let got = header.typ.as_deref().unwrap_or("none");
            return Err(format!("header typ: expected {expected}, got {got}"));
        }
        let algorithm = name_of(header.alg);
        if let Some(permitted) = &self.algorithms
            && !permitted.contains(&algorithm)
        {
            let permitted = permitted.join(", ");
            return Err(format!(
                "header alg: expected one of {permitted}, got {algorithm}"
            ));
        }
        let has = |name: &String| match name.as_str() {
            "kid" => header.kid.is_some(),
            "x5c" => header.x5c.is_some(),
            "x5t#S256" => header.x5t_s256.is_some(),
            _ => false,
        };
        match self
            .required_headers
            .iter()
            .find(|names| !names.iter().any(has))
        {
            Some(names) => Err(format!("header: expected {}, got none", names.join(" or "))),
            None => Ok(()),
        }
    }

    fn check_signature(&self, jwt: &str, header: &Header) -> Result<(), String> {
        let (message, signature) = jwt.rsplit_once('.').unwrap_or_default();
        let id = header.kid.as_deref();
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.fits(header.alg, id))
            .peekable();
        let named = match id {
            Some(id) => format!("{} and kid {id}", name_of(header.alg)),
            None => name_of(header.alg),
        };
        if fitting.peek().is_none() {
            return Err(format!(
                "signature: expected a registered key, got one of {named}"
            ));
        }
        if fitting.any(|key| key.verifies(header.alg, message, signature)) {
            Ok(())
        } else {
            Err(format!(
                "signature: expected one that the registered key verifies, got another one by {named}"
            ))
        }
    }

    fn check_parties(&self, claims: &Claims, client: Option<&str>) -> Result<(), String> {
        for (name, expected) in [
            ("iss", self.issuer.as_deref().or(client)),
            ("sub", self.subject.as_deref().or(client)),
        ] {
            match (expected, claims.text(name)) {
                (Some(expected), got) if got != Some(expected) => {
                    let got = claims.shown(name);
                    return Err(format!("{name}: expected {expected}, got {got}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Claims, received: &Received<'_>) -> Result<(), String> {
        let accepted = self.audience.texts(received);
        let is_accepted =
            |value: &Value| value.as_str().is_some_and(|text| accepted.contains(&text));
        let fits = match claims.get("aud") {
            Some(Value::Array(values)) if !self.single_audience => values.iter().any(is_accepted),
            Some(value) => is_accepted(value),
            None => false,
        };
        if fits {
            return Ok(());
        }
        let (accepted, got) = (accepted.join(" or "), claims.shown("aud"));
        Err(format!("aud: expected {accepted}, got {got}"))
    }

    /// Returns `exp`.
    fn check_times(&self, claims: &Claims, now: Duration) -> Result<Duration, String> {
        let (now, tolerance) = (now.as_secs_f64(), self.clock_tolerance.as_secs_f64());
        let max = self.max_lifetime.as_secs_f64();
        let Some(exp) = claims.seconds("exp")? else {
            return Err("exp: expected the end of the assertion, got nothing".into());
        };
        if exp <= now {
            let code = self
                .expiry_code
                .map(|code| format!("{code}: "))
                .unwrap_or_default();
            let past = now - exp;
            return Err(format!(
                "{code}exp: expected a time in the future, got one {past:.0} s ago"
            ));
        }
        let iat = claims.seconds("iat")?;
        // a clock that is ahead moves exp as well
        let lifetime = match iat {
            Some(iat) => (exp - iat).max(exp - now - tolerance),
            None => exp - now,
        };
        if lifetime > max {
            return Err(format!(
                "exp: expected at most {max:.0} s from now, and from iat, got {lifetime:.0} s"
            ));
        }
        for (name, time) in [("iat", iat), ("nbf", claims.seconds("nbf")?)] {
            if let Some(ahead) = time
                .map(|time| time - now)
                .filter(|ahead| *ahead > tolerance)
            {
                return Err(format!(
                    "{name}: expected at most {tolerance:.0} s in the future, got {ahead:.0} s"
                ));
            }
        }
        if let (Some(max), Some(iat)) = (self.max_age, iat)
            && now - iat > max.as_secs_f64()
        {
            let (max, age) = (max.as_secs(), now - iat);
            return Err(format!("iat: expected at most {max} s ago, got {age:.0} s"));
        }
        Duration::try_from_secs_f64(exp).map_err(|_| format!("exp: expected a time, got {exp}"))
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), String> {
        const REGISTERED: [&str; 5] = ["iss", "aud", "exp", "iat", "jti"];
        if let Some(missing) = self
            .required_claims
            .iter()
            .find(|name| claims.get(name).is_none())
        {
            return Err(format!("{missing}: expected this claim, got none"));
        }
        let is_no_list = |name: &&&str| claims.get(name).is_some_and(|value| !value.is_array());
        if let Some(name) = self.list_claims.iter().find(is_no_list) {
            return Err(format!(
                "{name}: expected a list, got {}",
                claims.shown(name)
            ));
        }
        let Some(known) = &self.known_claims else {
            return Ok(());
        };
        let is_known =
            |name: &&str| REGISTERED.contains(name) || known.iter().any(|known| known == name);
        match claims.names().find(|name| !is_known(name)) {
            Some(unknown) => Err(format!("{unknown}: expected no such claim")),
            None => Ok(()),
        }
    }

    fn check_id(&self, claims: &Claims, expires_at: Duration, now: Duration) -> Result<(), String> {
        let Some(used) = &self.used else {
            return Ok(());
        };
        let Some(id) = claims.text("jti") else {
            return Err(format!("jti: expected a text, got {}", claims.shown("jti")));
        };
        // the same id of two issuers is two ids
        let id = format!("{} {id}", claims.text("iss").unwrap_or_default());
        match used.record(&id, expires_at, now) {
            true => Ok(()),
            false => Err(
                "jti: expected one that was not used before, got one for the second time".into(),
            ),
        }
    }
}

fn name_of(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}
