//! The error codes of the registry, and the search for one in broken JSON.

use zeroize::Zeroizing;

/// The error codes of token endpoints in the registry of OAuth extensions
/// (RFC 6749 §5.2, 6750, 7009, 8628, 8707, 9396, 9449, 9470; OpenID Connect).
const KNOWN_CODES: [&str; 25] = [
    "access_denied",
    "account_selection_required",
    "authorization_pending",
    "consent_required",
    "expired_token",
    "insufficient_scope",
    "insufficient_user_authentication",
    "interaction_required",
    "invalid_authorization_details",
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "login_required",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
    "use_dpop_nonce",
];

/// The octets within which a code follows its name. The bound keeps the search's time linear.
const MAX_DISTANCE: usize = 256;

/// Returns the code of the registry that `text` is, in any case.
pub(super) fn known_code(text: &[u8]) -> Option<&'static str> {
    let is_same = |known: &&str| known.as_bytes().eq_ignore_ascii_case(text);
    KNOWN_CODES.into_iter().find(is_same)
}

/// Finds the first code of the registry that follows one of `names`, in a text that is no JSON.
///
/// The characters of a name and of a code are ASCII. Without its NULs, UTF-16 and UTF-32 are therefore
/// read like UTF-8. A page is not searched: it may show anything.
pub(super) fn find_known_code(
    text: &[u8],
    is_name: impl Fn(&[u8]) -> bool,
) -> Option<&'static str> {
    // allocated once: growing would leave unwiped copies behind
    let mut octets = Zeroizing::new(Vec::<u8>::with_capacity(text.len()));
    octets.extend(text.iter().filter(|octet| **octet != 0));
    if octets.iter().find(|octet| octet.is_ascii_graphic()) == Some(&b'<') {
        return None;
    }
    let mut at = 0;
    while at < octets.len() {
        let word = word(&octets[at..]);
        let end = at + word.len();
        if is_name(word) && begins_name(&octets[..at]) {
            let rest = &octets[end..];
            if let Some(code) = code_after_name(&rest[..rest.len().min(MAX_DISTANCE)]) {
                return Some(code);
            }
        }
        at = end.max(at + 1);
    }
    None
}

/// Returns whether a name may follow: it is quoted, by whatever quotes, or begins a member.
fn begins_name(before: &[u8]) -> bool {
    match before.last() {
        Some(b'"' | b'\'' | b'`' | 0x80..) => !before.ends_with(b"\\\""),
        _ => matches!(
            before.trim_ascii_end().last(),
            Some(b'{' | b',' | b';' | b'/')
        ),
    }
}

fn code_after_name(rest: &[u8]) -> Option<&'static str> {
    let rest = skip(rest, b"");
    let (b':' | b'=', rest) = rest.split_first()? else {
        return None;
    };
    let rest = skip(rest, b":=>[");
    let code = word(rest);
    let rest = &rest[code.len()..];
    // a code and further words are a description
    let is_whole = word(rest.trim_ascii_start()).is_empty();
    known_code(code).filter(|_| is_whole)
}

/// Skips blanks, quotes, comments and the octets of `also`. An octet that is not ASCII counts as a quote or a blank.
fn skip<'a>(mut rest: &'a [u8], also: &[u8]) -> &'a [u8] {
    loop {
        let end = match rest {
            [b'/', b'*', ..] => after(rest, b"*/"),
            [b'/', b'/', ..] | [b'#', ..] => after(rest, b"\n"),
            [..=b' ' | b'"' | b'\'' | b'`' | 0x80.., ..] => 1,
            [octet, ..] if also.contains(octet) => 1,
            _ => return rest,
        };
        rest = &rest[end..];
    }
}

/// Returns where the text after `end` begins.
fn after(text: &[u8], end: &[u8]) -> usize {
    let found = text.windows(end.len()).position(|window| window == end);
    found.map_or(text.len(), |at| at + end.len())
}

/// Returns the word at the start.
fn word(text: &[u8]) -> &[u8] {
    let is_part = |octet: &&u8| octet.is_ascii_alphanumeric() || b"_-.".contains(octet);
    &text[..text.iter().take_while(is_part).count()]
}
