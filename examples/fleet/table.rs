//! The fleet as a table that moves, and what it came to.

use std::{io::IsTerminal, time::Duration};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::{Args, place::Place, process::Fares};

/// On stderr; where that is no terminal only the events are told.
pub(crate) struct Table {
    all: MultiProgress,
    rows: Vec<ProgressBar>,
    time: ProgressBar,
    is_drawn: bool,
    elapsed: Duration,
}

impl Table {
    pub(crate) fn new(processes: usize, duration: Duration) -> anyhow::Result<Self> {
        let all = MultiProgress::new();
        let plain = ProgressStyle::with_template("{msg}")?;
        let row = |_| all.add(ProgressBar::new_spinner().with_style(plain.clone()));
        let head = row(0);
        head.set_message("process         ok   failed   token requests   tokens of others");
        let rows = (0..processes).map(row).collect();
        let style = ProgressStyle::with_template("{wide_bar} {msg}")?;
        let seconds = duration.as_secs().max(1);
        let time = all.add(ProgressBar::new(seconds).with_style(style));
        Ok(Self {
            all,
            rows,
            time,
            is_drawn: std::io::stderr().is_terminal(),
            elapsed: Duration::ZERO,
        })
    }

    /// `id`: of the process, if it lives.
    pub(crate) fn show(&self, row: usize, id: Option<u32>, fares: Fares) {
        let process = id.map_or_else(|| "killed".to_owned(), |id| id.to_string());
        self.rows[row].set_message(format!(
            "{process:<9} {:>8} {:>8} {:>16} {:>18}",
            HumanCount(fares.ok).to_string(),
            fares.failed,
            fares.token_requests,
            fares.shared,
        ));
    }

    pub(crate) fn pass(&mut self, elapsed: Duration, token_requests: usize) {
        self.elapsed = elapsed;
        self.time.set_position(elapsed.as_secs());
        self.time
            .set_message(format!("{token_requests} token requests"));
    }

    pub(crate) fn tell(&self, what: &str) {
        let line = format!("{:>5.1} s  {what}", self.elapsed.as_secs_f64());
        match self.is_drawn {
            // it cannot say more than it would have shown
            true => drop(self.all.println(line)),
            false => eprintln!("{line}"),
        }
    }

    pub(crate) fn clear(&self) {
        let _ = self.all.clear();
    }
}

/// What the fleet came to.
pub(crate) struct Summary {
    fares: Fares,
}

impl Summary {
    pub(crate) fn new(fares: Fares) -> Self {
        Self { fares }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.fares.failed
    }

    pub(crate) fn text(&self, place: &Place, args: &Args) -> String {
        let Fares {
            ok, failed, shared, ..
        } = self.fares;
        format!(
            "\nrequests         {}, {failed} failed\n\
             token requests   {}, as the server counts them\n\
             tokens shared    {shared}: taken over from another process\n\n\
             {}",
            HumanCount(ok + failed),
            place.token_requests(),
            match args.no_redis {
                true => "Each process has asked for its own tokens.",
                false => "--no-redis shows what it takes without.",
            }
        )
    }
}
