//! Prints the outcomes as a table.

use indicatif::HumanCount;

use crate::load::Outcome;

pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut table = row(["client", "requests", "responses", "token requests", "time"]);
    for outcome in outcomes {
        let mut responses: Vec<_> = outcome
            .statuses
            .iter()
            .map(|(status, n)| format!("{} × {status}", HumanCount(*n)))
            .collect();
        for (n, reason) in [
            (outcome.not_sent, "not sent"),
            (outcome.no_response, "no response"),
        ] {
            if n > 0 {
                responses.push(format!("{} × {reason}", HumanCount(n)));
            }
        }
        table += &row([
            outcome.client,
            &HumanCount(outcome.requests).to_string(),
            &responses.join(", "),
            &token_requests(outcome),
            &format!("{} ms", outcome.elapsed.as_millis()),
        ]);
    }
    table
}

fn token_requests(outcome: &Outcome) -> String {
    match outcome.token_failures {
        0 => HumanCount(outcome.token_requests).to_string(),
        failures => format!("{}, {failures} failed", HumanCount(outcome.token_requests)),
    }
}

fn row([client, requests, responses, token_requests, time]: [&str; 5]) -> String {
    format!("{client:<8} {requests:>9}   {responses:<24} {token_requests:>15} {time:>10}\n")
}

/// Returns a count with its noun: "1 token request", "1,000 token requests".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}
