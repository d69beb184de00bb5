//! What can go wrong with a server.

use std::future::pending;

use http::Response;

use crate::{Answer, loopback::Body};

/// What a server does instead of its work.
///
/// An [`Answer`] is one, by `From`:
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use auth_testing::{Answer, AuthorizationServer, Fault};
/// use http::StatusCode;
///
/// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
/// server.fail_next(2, Answer::status(StatusCode::BAD_GATEWAY));
/// server.fail_next(1, Fault::Disconnect);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// This response, whatever was asked.
    Answer(Answer),
    /// The connection is closed without any answer, and with it whatever else was on it.
    Disconnect,
    /// No answer, while the connection stays open.
    Hang,
}

impl Fault {
    /// The response, or none if the connection is to be closed.
    pub(crate) async fn play(self) -> Option<Response<Body>> {
        match self {
            Self::Answer(answer) => Some(answer.into_response()),
            Self::Disconnect => None,
            Self::Hang => pending().await,
        }
    }
}

impl From<Answer> for Fault {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}
