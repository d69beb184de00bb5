//! The outcomes side by side.

use indicatif::HumanCount;

use crate::load::Outcome;

pub(crate) fn of(outcomes: &[Outcome]) -> String {
    let mut table = row(["stack", "requests", "statuses", "token requests", "time"]);
    for outcome in outcomes {
        let answered = outcome.statuses.iter();
        let mut statuses: Vec<_> = answered
            .map(|(status, n)| format!("{} × {status}", HumanCount(*n)))
            .collect();
        for (n, what) in [
            (outcome.unsent, "not sent"),
            (outcome.unanswered, "no answer"),
        ] {
            if n > 0 {
                statuses.push(format!("{} × {what}", HumanCount(n)));
            }
        }
        table += &row([
            outcome.stack,
            &HumanCount(outcome.requests).to_string(),
            &statuses.join(", "),
            &token_requests(outcome),
            &format!("{} ms", outcome.elapsed.as_millis()),
        ]);
    }
    table
}

fn token_requests(outcome: &Outcome) -> String {
    match outcome.token_errors {
        0 => HumanCount(outcome.token_requests).to_string(),
        errors => format!("{}, {errors} failed", HumanCount(outcome.token_requests)),
    }
}

fn row([stack, requests, statuses, token_requests, time]: [&str; 5]) -> String {
    format!("{stack:<8} {requests:>9}   {statuses:<24} {token_requests:>15} {time:>10}\n")
}
