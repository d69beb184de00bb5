//! The environment's proxies, and the hosts that no proxy is used for.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{Client, ClientBuilder, Proxy, Url};

use crate::redirects::redirect_policy;

/// Returns a builder of a reqwest client that never uses a proxy of the environment for loopback.
///
/// reqwest's own builder sends each request to a loopback host through the proxy that `HTTP_PROXY`,
/// `HTTPS_PROXY` or `ALL_PROXY` names, in upper or lower case, unless `NO_PROXY` lists the host: the
/// proxy then receives the client's secret and the access token of a server on this machine. This
/// builder uses the same proxies, also those of the operating system if reqwest's feature
/// `system-proxy` is enabled, for all other hosts. Loopback hosts are `localhost`, the names that end
/// with `.localhost` ([RFC 6761 §6.3](https://www.rfc-editor.org/rfc/rfc6761#section-6.3)),
/// `127.0.0.0/8`, `::1`, `::ffff:127.0.0.0/104`, `0.0.0.0` and `::`. Another name for an address of
/// this machine is not recognized; list it in `NO_PROXY`.
///
/// [`no_proxy`](ClientBuilder::no_proxy) switches all proxies off, as usual. A
/// [`proxy`](ClientBuilder::proxy) that is added to the builder is used where the environment names
/// none, also for loopback.
///
/// The client follows redirects by [`redirect_policy`](crate::redirect_policy), so that no hop sends the
/// token to another origin.
///
/// Use it for both clients: for the client that sends requests to the API, and for the token requests.
///
/// ```
/// use auth_reqwest::{ReqwestTransport, auth_core::Error, client_builder};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = ReqwestTransport::new(client_builder())?;
/// let client = client_builder().build()?;
/// # Ok(())
/// # }
/// ```
pub fn client_builder() -> ClientBuilder {
    let builder = Client::builder().redirect(redirect_policy());
    builder.proxy(environment())
}

/// The proxies of the environment, for all hosts but loopback.
fn environment() -> Proxy {
    except_loopback(Matcher::from_system())
}

fn except_loopback(proxies: Matcher) -> Proxy {
    Proxy::custom(move |url| match is_loopback(url) {
        true => None,
        false => proxies
            .intercept(&url.as_str().parse().ok()?)
            .and_then(|proxy| proxy_url(&proxy)),
    })
}

/// Returns the URL of a proxy with its user information, which `Intercept` holds separately.
fn proxy_url(proxy: &Intercept) -> Option<Url> {
    let mut url: Url = proxy.uri().to_string().parse().ok()?;
    let basic = proxy.basic_auth().and_then(|value| {
        let encoded = value.to_str().ok()?.strip_prefix("Basic ")?;
        String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
    });
    let user = match (&basic, proxy.raw_auth()) {
        (Some(basic), _) => basic.split_once(':'),
        (None, raw) => raw,
    };
    if let Some((name, password)) = user {
        url.set_username(name).ok()?;
        url.set_password(Some(password)).ok()?;
    }
    Some(url)
}

/// Returns whether the host of `url` is this machine, without resolving it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            // a connection to the unspecified address reaches this machine
            address.is_loopback() || address.is_unspecified()
        }
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(host);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("localhost.", true),
            ("api.localhost", true),
            ("a.b.LocalHost.", true),
            ("127.0.0.1", true),
            ("127.255.255.254", true),
            ("127.1", true),
            ("0x7f.1", true),
            ("2130706433", true),
            ("0.0.0.0", true),
            ("[::1]", true),
            ("[0:0:0:0:0:0:0:1]", true),
            ("[::]", true),
            ("[::ffff:127.0.0.1]", true),
            ("[::ffff:7f12:3456]", true),
            ("user@localhost", true),
            ("localhost.example.com", false),
            ("notlocalhost", false),
            ("localhost@api.example.com", false),
            ("127.0.0.1.example.com", false),
            ("128.0.0.1", false),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
            ("[::2]", false),
            ("[fe80::1]", false),
        ] {
            for url in [format!("http://{host}:8080/a"), format!("https://{host}")] {
                assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
            }
        }
    }

    #[test]
    fn the_url_of_a_proxy_has_its_user_information() {
        for proxy in [
            "http://proxy.example:3128/",
            "http://user:p%40ss%3A%2F@proxy.example:3128/",
            "http://user:@proxy.example:3128/",
            "https://proxy.example/",
            "socks5h://user:pass@proxy.example:1080",
        ] {
            let proxies = Matcher::builder().all(proxy).build();
            let intercept = proxies.intercept(&"http://api.example".parse().unwrap());
            let url = proxy_url(&intercept.unwrap()).unwrap();
            let again = Matcher::builder().all(url.to_string()).build();
            let again = again
                .intercept(&"http://api.example".parse().unwrap())
                .unwrap();
            let first = proxies
                .intercept(&"http://api.example".parse().unwrap())
                .unwrap();
            assert_eq!(again.uri(), first.uri());
            assert_eq!(again.basic_auth(), first.basic_auth());
            assert_eq!(again.raw_auth(), first.raw_auth());
        }
    }
}
