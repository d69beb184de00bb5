//! Finds code, description and URI of an error response: by RFC 6749 §5.2, and as other servers
//! name them.

use zeroize::Zeroizing;

use super::known_code::{find_known_code, known_code};
use crate::{
    json_members::{Members, Value, is_like},
    visible_text::visible,
};

/// The names of the member with the code, without case, underscores and hyphens.
const CODE_NAMES: [&str; 3] = ["error", "errorcode", "code"];
/// The further names within an object that is the value of `error`.
const NESTED_CODE_NAMES: [&str; 2] = ["type", "status"];
const DESCRIPTION_NAMES: [&str; 6] = [
    "errordescription",
    "description",
    "errorsummary",
    "errormessage",
    "message",
    "detail",
];

/// An error as the server described it. The texts are the server's, unchanged.
#[derive(Default)]
pub(super) struct Described {
    pub(super) code: Option<Code>,
    pub(super) description: Option<Zeroizing<String>>,
    pub(super) uri: Option<Zeroizing<String>>,
}

pub(super) enum Code {
    /// A code of the registry. It holds no text of the server, and so no secret.
    Known(&'static str),
    Other(Zeroizing<String>),
}

impl Code {
    fn new(text: Zeroizing<String>) -> Self {
        match known_code(visible(&text).trim().as_bytes()) {
            Some(known) => Self::Known(known),
            None => Self::Other(text),
        }
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}

impl Described {
    pub(super) fn known_code(&self) -> Option<&'static str> {
        match self.code {
            Some(Code::Known(code)) => Some(code),
            _ => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.code.is_none() && self.description.is_none() && self.uri.is_none()
    }

    /// Finds the error among the members of a response.
    pub(super) fn of(members: &Members<'_>) -> Self {
        let mut described = Self::at_level(members, &[]);
        let nested = ["error", "errors", "fault"].into_iter();
        let nested = nested
            .flat_map(|name| members.all_like(name))
            .find_map(first_object);
        let mut is_broken = members.is_broken();
        if let Some(nested) = nested {
            is_broken |= nested.is_broken();
            let nested = Self::at_level(&nested, &NESTED_CODE_NAMES);
            let is_known = described.known_code().is_some();
            if described.code.is_none() || (!is_known && nested.known_code().is_some()) {
                described.code = nested.code;
            }
            described.description = described.description.or(nested.description);
            described.uri = described.uri.or(nested.uri);
        }
        if is_broken && described.known_code().is_none() {
            let names = CODE_NAMES.iter().chain(&NESTED_CODE_NAMES);
            let is_name = |found: &[u8]| names.clone().any(|name| is_like(found, name));
            let code = find_known_code(members.octets(), is_name).map(Code::Known);
            described.code = code.or(described.code);
        }
        described
    }

    /// A known code wins over all others, and `error` over the other names.
    fn at_level(members: &Members<'_>, further_names: &[&str]) -> Self {
        let names = CODE_NAMES.into_iter().chain(further_names.iter().copied());
        let texts = |name| {
            let texts: Vec<_> = members.all_like(name).filter_map(first_text).collect();
            texts.into_iter().rev()
        };
        let mut codes: Vec<_> = names
            .flat_map(|name| texts(name).map(move |text| (name, Code::new(text))))
            .collect();
        let known = codes.iter().position(|(_, code)| code.is_known());
        let code = match (known, codes.is_empty()) {
            (Some(known), _) => Some(codes.swap_remove(known)),
            (None, false) => Some(codes.remove(0)),
            (None, true) => None,
        };
        let description = DESCRIPTION_NAMES
            .into_iter()
            .find_map(|name| texts(name).next());
        // Apigee: the code is in `ErrorCode`, and the description in `Error`
        let is_elsewhere = code.as_ref().is_some_and(|(name, _)| *name != "error");
        let other = codes.into_iter().find_map(|(name, code)| match code {
            Code::Other(text) if name == "error" && is_elsewhere => Some(text),
            _ => None,
        });
        Self {
            code: code.map(|(_, code)| code),
            description: description.or(other),
            uri: members.get("error_uri").and_then(first_text),
        }
    }

    /// Finds the error in a form (`application/x-www-form-urlencoded`). `None` if it holds none, or a
    /// token.
    pub(super) fn of_form(form: &[u8]) -> Option<Self> {
        let mut described = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            let value = Zeroizing::new(value.into_owned());
            match &*name {
                "error" if !value.trim().is_empty() => described.code = Some(Code::new(value)),
                "error_description" => described.description = Some(value),
                "error_uri" => described.uri = Some(value),
                "access_token" => return None,
                _ => {}
            }
        }
        described.code.is_some().then_some(described)
    }
}

/// Returns a text that is not blank: the value, or the first element of a list.
fn first_text(value: Value<'_>) -> Option<Zeroizing<String>> {
    let first = value.list().and_then(|list| list.first().copied());
    let text = first.unwrap_or(value).text()?;
    (!text.trim().is_empty()).then_some(text)
}

/// Returns an object: the value, or the first element of a list.
fn first_object(value: Value<'_>) -> Option<Members<'_>> {
    let first = value.list().and_then(|list| list.first().copied());
    first.unwrap_or(value).object()
}
