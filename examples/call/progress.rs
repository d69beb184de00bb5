//! A progress bar on stderr. Nothing is drawn if stderr is not a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;

pub(crate) fn bar(args: &Args) -> anyhow::Result<ProgressBar> {
    let (bar, template) = match args.requests() {
        Some(requests) => (
            ProgressBar::new(requests),
            "{wide_bar} {human_pos} of {human_len} requests, {per_sec:0}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {elapsed_precise} {human_pos} requests, {per_sec:0}",
        ),
    };
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar.with_style(ProgressStyle::with_template(template)?))
}
