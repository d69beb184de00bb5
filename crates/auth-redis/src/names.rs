//! Under which names a token, its lease and its news are found.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The names that belong to one cache key, under one seal key.
///
/// The braces are a hash tag: a Cluster keeps what has the same one on the same node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Names {
    pub(crate) token: String,
    pub(crate) lease: String,
    pub(crate) channel: String,
}

impl Names {
    pub(crate) fn new(prefix: &str, digest: &[u8; 32]) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(digest);
        let name = |part| format!("{prefix}:{{{digest}}}:{part}");
        Self {
            token: name("token"),
            lease: name("lease"),
            channel: name("changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hash_tag_holds_them_together() {
        let names = Names::new("auth", &[0; 32]);
        let tag = "{AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}";
        assert_eq!(names.token, format!("auth:{tag}:token"));
        assert_eq!(names.lease, format!("auth:{tag}:lease"));
        assert_eq!(names.channel, format!("auth:{tag}:changed"));
    }
}
