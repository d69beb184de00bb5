//! Whose token a grant obtains: a part of the key under which processes share the token.

use crate::{Error, Form};

/// The user's name for the subject of a grant. It is not sent.
#[derive(Clone, Debug)]
pub(super) struct Subject(String);

impl Subject {
    pub(super) fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if text.trim().is_empty() {
            return Err(Error::configuration(
                "subject: expected a text that says whose token this is, got a blank one; with it, \
                 the tokens of different subjects would be shared",
            ));
        }
        Ok(Self(text))
    }

    /// Returns `form` with this subject in its key.
    pub(super) fn named_in(&self, form: Form) -> Form {
        form.key_part(self.0.clone())
    }
}
