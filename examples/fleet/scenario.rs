//! Runs the fleet, and kills and restarts processes and Redis meanwhile.

use std::time::Duration;

use anyhow::ensure;
use local_redis::Redis;
use tokio::time::{Instant, sleep_until};

use crate::{
    Args,
    process::{Counts, Process},
    servers::Servers,
    table::{Summary, Table, counted},
};

const UPDATE_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
enum Event {
    KillProcesses,
    StartProcesses,
    KillRedis,
    StartRedis,
}

/// The events in their order, at equal intervals.
const EVENTS: [Event; 4] = [
    Event::KillProcesses,
    Event::StartProcesses,
    Event::KillRedis,
    Event::StartRedis,
];

pub(crate) struct Scenario<'a> {
    tasks: u16,
    servers: &'a Servers,
    redis: Option<Redis>,
    processes: Vec<Process>,
    /// The last reports of killed processes that have been replaced.
    replaced: Counts,
    table: Table,
}

impl<'a> Scenario<'a> {
    /// Starts the processes.
    pub(crate) fn start(
        args: &Args,
        servers: &'a Servers,
        redis: Option<Redis>,
    ) -> anyhow::Result<Self> {
        let start = |_| Process::start(args.tasks, servers, redis.as_ref());
        let processes: Vec<_> = (0..args.processes).map(start).collect::<Result<_, _>>()?;
        Ok(Self {
            tasks: args.tasks,
            servers,
            table: Table::new(processes.len(), args.duration)?,
            redis,
            processes,
            replaced: Counts::default(),
        })
    }

    pub(crate) async fn run(&mut self, duration: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        let interval = duration / (EVENTS.len() as u32 + 1);
        let mut events = EVENTS.into_iter();
        let mut next_event = start + interval;
        let mut next_update = start;
        while start.elapsed() < duration {
            next_update += UPDATE_INTERVAL;
            sleep_until(next_update).await;
            self.update_table(start.elapsed());
            if Instant::now() >= next_event {
                next_event += interval;
                if let Some(event) = events.next() {
                    self.trigger(event).await?;
                }
            }
        }
        Ok(())
    }

    /// Kills the processes and Redis.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Summary> {
        self.table.clear();
        for process in &mut self.processes {
            ensure!(
                process.is_running()?,
                "a process of the fleet ended before the end of the run"
            );
            process.kill().await?;
        }
        if let Some(redis) = &mut self.redis {
            redis.kill().await?;
        }
        Ok(Summary::new(self.total()))
    }

    /// Sums the counts of all processes, including those that were killed.
    fn total(&self) -> Counts {
        let counts = self.processes.iter().map(Process::counts);
        counts.fold(self.replaced, Counts::plus)
    }

    async fn trigger(&mut self, event: Event) -> anyhow::Result<()> {
        let quarter = (self.processes.len() / 4).max(1);
        let message = match event {
            Event::KillProcesses => {
                for process in &mut self.processes[..quarter] {
                    process.kill().await?;
                }
                format!("{} killed", counted(quarter as u64, "process"))
            }
            Event::StartProcesses => {
                for process in &mut self.processes[..quarter] {
                    self.replaced = self.replaced.plus(process.counts());
                    *process = Process::start(self.tasks, self.servers, self.redis.as_ref())?;
                }
                format!("{} restarted", counted(quarter as u64, "process"))
            }
            Event::KillRedis | Event::StartRedis => match &mut self.redis {
                Some(redis) if redis.is_own() => match event {
                    Event::KillRedis => {
                        redis.kill().await?;
                        "Redis killed: each process requests its own tokens".to_owned()
                    }
                    _ => {
                        redis.start_again().await?;
                        "Redis restarted, empty: the processes share one token again".to_owned()
                    }
                },
                _ => return Ok(()),
            },
        };
        self.table.print_event(&message);
        Ok(())
    }

    fn update_table(&mut self, elapsed: Duration) {
        let mut running = 0;
        for (row, process) in self.processes.iter_mut().enumerate() {
            let is_running = process.is_running().unwrap_or(false);
            running += usize::from(is_running);
            self.table
                .set_row(row, is_running.then(|| process.id()), process.counts());
        }
        let token_requests = self.servers.token_requests();
        self.table
            .set_total(elapsed, running, self.total(), token_requests);
    }
}
