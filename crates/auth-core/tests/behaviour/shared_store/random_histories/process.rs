//! One process, and its callers.

use std::{collections::HashSet, time::Duration};

use auth_core::{
    Authorizer, Error, RefreshPolicy, TokenCache,
    adapter::{Attempt, Decision, Verdict},
};
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response, StatusCode, header::AUTHORIZATION};
use tokio::{
    task::{JoinHandle, unconstrained},
    time::Instant,
};

use super::{
    machine::Machine,
    rules,
    server::{Server, Source},
    store::StoreClient,
};

const API: &str = "https://api.example.com/";

pub(super) struct Process {
    pub(super) machine: Machine,
    pub(super) tokens: TokenCache,
    pub(super) is_busy: bool,
    authorizer: Authorizer,
    source: Source,
    waiting: Vec<JoinHandle<Received>>,
    /// The token in use, and until when it is certainly usable.
    current: Option<(String, Option<Instant>)>,
    /// The maximum time until a working server has provided the process with a token.
    pub(super) recovery: Duration,
    /// The tokens that were rejected and replaced.
    replaced: HashSet<String>,
    /// The number of requests that found no usable token.
    pub(super) waits: usize,
}

/// The result of a waiter.
struct Received {
    token: Result<Option<String>, Error>,
    at: Instant,
    instead_of: Option<String>,
}

impl Process {
    pub(super) fn start(
        source: Source,
        client: StoreClient,
        policy: RefreshPolicy,
        is_busy: bool,
    ) -> Self {
        let builder = TokenCache::builder(source.clone())
            .clock(client.machine.clone())
            .refresh_policy(policy);
        let machine = client.machine.clone();
        let builder = builder.shared_store(client);
        // a process with few callers keeps its token warm
        let builder = if is_busy {
            builder
        } else {
            builder.keep_warm()
        };
        let tokens = builder.build();
        let authorizer = Authorizer::builder(tokens.clone()).origin_of(API);
        Self {
            machine,
            authorizer: authorizer.build().unwrap(),
            tokens,
            is_busy,
            source,
            waiting: Vec::new(),
            current: None,
            replaced: HashSet::new(),
            recovery: Duration::ZERO,
            waits: 0,
        }
    }

    fn server(&self) -> &Server {
        &self.source.server
    }

    /// The clock was set, or the process was frozen: the end of the current token is uncertain.
    pub(super) fn disturbed(&mut self) {
        if let Some((_, until)) = &mut self.current {
            *until = None;
        }
    }

    /// Returns whether the process has a token that the API accepts.
    pub(super) fn is_served(&self) -> bool {
        let is_good = |token: &str| self.server().issued(token).is_some_and(|t| !t.is_revoked);
        let current = self.current.as_ref();
        self.tokens.status().has_usable_token() && current.is_some_and(|(token, _)| is_good(token))
    }

    /// Sends a request to the API.
    pub(super) fn send(&mut self) {
        self.look();
        let usable = self.tokens.status().usable_for;
        let request = Request::get(API).body(()).unwrap();
        match self.authorizer.authorize(&request) {
            Decision::Authorize(attempt) => {
                let usable = usable.expect("a token is handed out without a usable token");
                let token = token(&attempt);
                self.handed_out(&token, Instant::now());
                self.current = Some((token.clone(), Some(Instant::now() + usable)));
                self.classify(attempt, token);
            }
            Decision::Wait(attempt) => {
                assert_eq!(usable, None, "a read waits although a token is usable");
                self.waits += 1;
                if let Some((token, Some(until))) = &self.current {
                    let late = Instant::now() + rules::AGE_TOLERANCE;
                    assert!(late >= *until, "{token} was usable for longer");
                }
                if self.waiting.len() < 2 {
                    self.wait(None, async { Ok(Some(token(&attempt.await?))) });
                }
            }
            Decision::PassThrough(_) => panic!("the origin is allowed"),
        }
    }

    fn classify(&mut self, attempt: Attempt, token_sent: String) {
        let issued = self.server().issued(&token_sent).unwrap();
        let mut response = Response::new(());
        if issued.is_revoked {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            self.disturbed();
        }
        if let Verdict::Renew(renewal) = attempt.classify(&response, true) {
            let another = async { Ok(renewal.await.attempt().map(|attempt| token(&attempt))) };
            self.wait(Some(token_sent), another);
        }
    }

    fn wait(
        &mut self,
        instead_of: Option<String>,
        token: impl Future<Output = Result<Option<String>, Error>> + Send + 'static,
    ) {
        let machine = self.machine.clone();
        let waiting = async move {
            Received {
                token: machine.run(token).await,
                at: Instant::now(),
                instead_of,
            }
        };
        self.waiting.push(tokio::spawn(waiting));
    }

    /// Checks the results of the waiters.
    pub(super) fn look(&mut self) {
        let (over, waiting): (Vec<_>, _) =
            self.waiting.drain(..).partition(JoinHandle::is_finished);
        self.waiting = waiting;
        let outcome =
            |task: JoinHandle<Received>| unconstrained(task).now_or_never().unwrap().unwrap();
        let mut over: Vec<_> = over.into_iter().map(outcome).collect();
        over.sort_by_key(|handed_out| handed_out.at);
        for handed_out in over {
            match handed_out.token {
                Ok(Some(token)) => {
                    assert_ne!(
                        handed_out.instead_of.as_ref(),
                        Some(&token),
                        "was just rejected"
                    );
                    self.handed_out(&token, handed_out.at);
                }
                Ok(None) => {}
                Err(error) => {
                    rules::assert_waiter_may_receive(&error);
                    let calm = self.machine.disturbed().is_none();
                    let well = self.source.request_checker.server_worked_for(self.recovery);
                    assert!(!(calm && well), "{error}, although the server works");
                }
            }
        }
    }

    /// Checks a token that was handed out.
    fn handed_out(&mut self, token: &str, at: Instant) {
        let issued = self.server().issued(token).expect("issued by the server");
        assert!(
            at < issued.ends,
            "{token} has ended {:?} ago",
            at - issued.ends
        );
        let was_replaced = self.replaced.contains(token);
        assert!(!was_replaced, "{token} was rejected, and replaced");
        if let Some((before, _)) = self.current.take_if(|(before, _)| before != token) {
            let replaced = self.server().issued(&before).unwrap();
            let is_younger = issued.sent + rules::AGE_TOLERANCE >= replaced.sent;
            let is_disturbed = self.machine.disturbed().is_some();
            assert!(is_younger || is_disturbed, "{token} is older than {before}");
            if replaced.is_revoked {
                self.replaced.insert(before);
            }
        }
        let process = self.source.process;
        self.source.request_checker.has(process, token, issued);
        self.current.get_or_insert((token.to_owned(), None));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.waiting.iter().for_each(JoinHandle::abort);
    }
}

fn token(attempt: &Attempt) -> String {
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    let header = headers[AUTHORIZATION].to_str().unwrap();
    header.strip_prefix("Bearer ").unwrap().to_owned()
}
