//! Shows the fleet while it runs, and its totals at the end.

use std::{io::IsTerminal, time::Duration};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::{Args, process::Counts, servers::Servers};

/// The interval between two lines where stderr is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(4);

/// A table on stderr. On a terminal it has a row for each process and is redrawn in place. Elsewhere
/// it has a line of totals every few seconds.
pub(crate) struct Table {
    bars: MultiProgress,
    /// Held because indicatif removes a bar that is dropped.
    _header: ProgressBar,
    rows: Vec<ProgressBar>,
    time: ProgressBar,
    is_terminal: bool,
    elapsed: Duration,
    next_line: Duration,
}

impl Table {
    pub(crate) fn new(processes: usize, duration: Duration) -> anyhow::Result<Self> {
        let is_terminal = std::io::stderr().is_terminal();
        let bars = MultiProgress::new();
        let plain = ProgressStyle::with_template("{msg}")?;
        let row = |_| bars.add(ProgressBar::new_spinner().with_style(plain.clone()));
        let header = row(0);
        let columns = ["requests", "failed", "token requests", "tokens from Redis"];
        header.set_message(format!("process   {}", line(columns)));
        if !is_terminal {
            eprintln!("time      processes {}", line(columns));
        }
        let rows = (0..processes).map(row).collect();
        let style = ProgressStyle::with_template("{wide_bar} {msg}")?;
        let seconds = duration.as_secs().max(1);
        let time = bars.add(ProgressBar::new(seconds).with_style(style));
        Ok(Self {
            bars,
            _header: header,
            rows,
            time,
            is_terminal,
            elapsed: Duration::ZERO,
            next_line: LINE_INTERVAL,
        })
    }

    /// Sets the row of one process. `id` is `None` if the process is not running.
    pub(crate) fn set_row(&self, row: usize, id: Option<u32>, counts: Counts) {
        let process = id.map_or_else(|| "killed".to_owned(), |id| id.to_string());
        self.rows[row].set_message(format!("{process:<9} {}", line(cells(counts))));
    }

    /// Sets the totals. `token_requests` is counted by the authorization server.
    pub(crate) fn set_total(
        &mut self,
        elapsed: Duration,
        running: usize,
        counts: Counts,
        token_requests: u64,
    ) {
        self.elapsed = elapsed;
        self.time.set_position(elapsed.as_secs());
        self.time
            .set_message(counted(token_requests, "token request"));
        if !self.is_terminal && elapsed >= self.next_line {
            self.next_line += LINE_INTERVAL;
            let counts = Counts {
                token_requests,
                ..counts
            };
            let line = line(cells(counts));
            eprintln!("{:<9} {running:>9} {line}", time(elapsed));
        }
    }

    pub(crate) fn print_event(&self, event: &str) {
        let line = format!("{:<9} {event}", time(self.elapsed));
        match self.is_terminal {
            // an error here means that the terminal is closed
            true => drop(self.bars.println(line)),
            false => eprintln!("{line}"),
        }
    }

    /// Removes the table from the terminal.
    pub(crate) fn clear(&self) {
        let _ = self.bars.clear();
    }
}

fn line([requests, failed, token_requests, from_redis]: [impl AsRef<str>; 4]) -> String {
    format!(
        "{:>9} {:>8} {:>16} {:>19}",
        requests.as_ref(),
        failed.as_ref(),
        token_requests.as_ref(),
        from_redis.as_ref(),
    )
}

fn cells(counts: Counts) -> [String; 4] {
    [
        counts.requests(),
        counts.failed,
        counts.token_requests,
        counts.tokens_from_redis,
    ]
    .map(|count| HumanCount(count).to_string())
}

fn time(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

/// The totals of a run.
pub(crate) struct Summary {
    counts: Counts,
}

impl Summary {
    pub(crate) fn new(counts: Counts) -> Self {
        Self { counts }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.counts.failed
    }

    pub(crate) fn text(&self, servers: &Servers, args: &Args) -> String {
        let mut text = format!(
            "\nThe processes sent {}, of which {} failed.\n\
             The authorization server received {}.\n",
            counted(self.counts.requests(), "request"),
            HumanCount(self.counts.failed),
            counted(servers.token_requests(), "token request"),
        );
        text += &match args.no_redis {
            true => "Without --no-redis the processes share one token.".to_owned(),
            false => format!(
                "The processes loaded {} that another process had saved to Redis.\n\
                 Compare with --no-redis, where each process requests its own tokens.",
                counted(self.counts.tokens_from_redis, "token"),
            ),
        };
        text
    }
}

/// Returns a count with its noun: "1 token request", "1,000 token requests", "2 processes".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", HumanCount(count))
}
