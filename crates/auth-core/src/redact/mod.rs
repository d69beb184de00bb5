//! Keeps secrets and invisible characters out of errors and logs.

mod echo;
mod view;

pub(crate) use self::echo::Echoes;
use crate::{Error, SecretString, visible_text::is_invisible};

/// The maximum length of a kept text of a server, in characters.
const MAX_TEXT: usize = 256;

/// The characters of a text that are searched for echoes.
const MAX_SEARCHED: usize = 4 * MAX_TEXT;

/// The last characters that are searched of a longer text, and not kept: an echo that is cut off
/// there may not be found.
const MARGIN: usize = 128;

/// Makes a server's text fit for a log: removes control characters and invisible ones, strikes out
/// the echoes of secrets in each spelling, and cuts the text at 256 characters.
pub(crate) fn clean(text: &str, echoes: &Echoes) -> String {
    let mut visible = text.chars().filter(|c| !is_invisible(*c));
    let mut searched: Vec<_> = visible.by_ref().take(MAX_SEARCHED + MARGIN).collect();
    let is_cut = visible.next().is_some();
    let is_echo = echoes.in_text(&searched);
    if is_cut {
        searched.truncate(MAX_SEARCHED);
    }
    struck_out(&searched, &is_echo).take(MAX_TEXT).collect()
}

/// Removes the echoes of `secrets` from an error of a transport and from its causes. A cause without
/// an echo keeps its type.
pub(crate) fn clean_error(error: Error, secrets: &[SecretString]) -> Error {
    let echoes = Echoes::of(secrets);
    error.printable(&|text| {
        let text: Vec<_> = text.chars().collect();
        let (searched, rest) = text.split_at(text.len().min(MAX_ERROR));
        let is_echo = echoes.in_text(searched);
        let is_clean = rest.is_empty() && !is_echo.contains(&true);
        let kept = if rest.is_empty() {
            searched
        } else {
            &searched[..MAX_ERROR - MARGIN]
        };
        (!is_clean).then(|| {
            struck_out(kept, &is_echo)
                .filter(|c| !is_invisible(*c))
                .collect()
        })
    })
}

/// The maximum length of a text of a transport's error, in characters.
const MAX_ERROR: usize = 4096;

/// Returns `text` with one mark for each run of characters that belong to an echo.
fn struck_out(text: &[char], is_echo: &[bool]) -> impl Iterator<Item = char> {
    let mut was_echo = false;
    text.iter().zip(is_echo).flat_map(move |(c, is_echo)| {
        let begins = *is_echo && !was_echo;
        was_echo = *is_echo;
        let mark = if begins { "[redacted]" } else { "" };
        mark.chars().chain((!is_echo).then_some(*c))
    })
}

/// Returns the part of `url` that may be logged: neither query nor fragment, and nothing before an
/// `@`.
pub(crate) fn without_secrets(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (head, tail) = url.split_at(end);
    match head.rsplit_once('@') {
        Some((_credentials, rest)) => rest,
        // the `#` or `?` may be part of a password that ends at the `@`
        None if tail.contains('@') => head.split_inclusive("://").next().unwrap_or_default(),
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_server_is_cleaned_cut_and_redacted() {
        assert_eq!(clean("a\r\nb\u{1b}[31mc", &Echoes::default()), "ab[31mc");
        assert_eq!(
            clean(&"é".repeat(300), &Echoes::default()).chars().count(),
            256
        );
        let secrets = Echoes::of(&["s3cr3t".into(), "s3c%20".into()]);
        for echo in ["s3cr3t", "s3c\0r3t", "s3c%20"] {
            let text = clean(&format!("secret {echo} is wrong"), &secrets);
            assert_eq!(text, "secret [redacted] is wrong");
        }
    }

    #[test]
    fn a_url_in_a_log_shows_no_credentials_and_no_query() {
        for (url, shown) in [
            (
                "https://as.example/token?key=s3cr3t#s3cr3t",
                "https://as.example/token",
            ),
            ("https://id:s3cr3t@as.example/token", "as.example/token"),
            ("https://id:s3cr3t#x@as.example/", "https://"),
            ("https://id:s3cr3t?x@as.example/", "https://"),
            ("https://as.example/?to=a@b&key=s3cr3t", "https://"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
