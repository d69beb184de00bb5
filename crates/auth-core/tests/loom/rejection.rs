//! A token that the API rejects.

use auth_core::{
    Authorizer,
    adapter::{Attempt, Decision, Verdict},
    block_on,
};
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use loom::thread;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, secret},
};

/// Rejects a request that was sent with `attempt`. Returns the header of its replay.
fn rejected(attempt: Attempt) -> String {
    let response = Response::builder().status(401).body(()).unwrap();
    let Verdict::Renew(renewal) = attempt.classify(&response, true) else {
        panic!("expected a replacement");
    };
    let attempt = block_on(renewal).attempt().expect("another token");
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

#[test]
fn two_rejections_of_one_token_cause_one_request_and_share_its_token() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token]);
        let authorizer = Authorizer::builder(setting.tokens.clone()).danger_any_origin(true);
        let authorizer = authorizer.build().unwrap();
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        let [mine, others] = [(); 2].map(|()| {
            let request = Request::get("https://api.example/").body(()).unwrap();
            match authorizer.authorize(&request) {
                Decision::Authorize(attempt) => attempt,
                other => panic!("{other:?}"),
            }
        });
        let other = thread::spawn(move || rejected(others));
        assert_eq!(rejected(mine), "Bearer t2");
        assert_eq!(other.join().unwrap(), "Bearer t2");
        assert_eq!(setting.requests(), 2);
    });
}
