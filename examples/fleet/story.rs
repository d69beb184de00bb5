//! What happens to the fleet, and when.

use std::time::Duration;

use anyhow::ensure;
use local_redis::Redis;
use tokio::time::{Instant, sleep_until};

use crate::{
    Args,
    place::Place,
    process::{Fares, Process},
    table::{Summary, Table},
};

const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// In this order, evenly over the time.
#[derive(Clone, Copy, Debug)]
enum Event {
    KillProcesses,
    StartProcesses,
    KillRedis,
    StartRedis,
}

const EVENTS: [Event; 4] = [
    Event::KillProcesses,
    Event::StartProcesses,
    Event::KillRedis,
    Event::StartRedis,
];

pub(crate) struct Story<'a> {
    tasks: u16,
    place: &'a Place,
    redis: Option<Redis>,
    processes: Vec<Process>,
    /// What those that were killed had told.
    before: Fares,
    table: Table,
}

impl<'a> Story<'a> {
    pub(crate) fn begin(
        args: &Args,
        place: &'a Place,
        redis: Option<Redis>,
    ) -> anyhow::Result<Self> {
        let start = |_| Process::start(args.tasks, place, redis.as_ref());
        let processes: Vec<_> = (0..args.processes).map(start).collect::<Result<_, _>>()?;
        Ok(Self {
            tasks: args.tasks,
            place,
            table: Table::new(processes.len(), args.duration)?,
            redis,
            processes,
            before: Fares::default(),
        })
    }

    pub(crate) async fn tell(&mut self, duration: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        let part = duration / (EVENTS.len() as u32 + 1);
        let mut events = EVENTS.into_iter();
        let mut next_event = start + part;
        let mut next_look = start;
        while start.elapsed() < duration {
            next_look += LOOKS_EVERY;
            sleep_until(next_look).await;
            if Instant::now() >= next_event {
                next_event += part;
                if let Some(event) = events.next() {
                    self.happens(event).await?;
                }
            }
            self.look(start.elapsed());
        }
        Ok(())
    }

    pub(crate) async fn end(mut self) -> anyhow::Result<Summary> {
        self.table.clear();
        let mut all = self.before;
        for process in &mut self.processes {
            ensure!(
                process.lives()?,
                "a process of the fleet has ended by itself"
            );
            process.kill().await?;
            all = all.and(process.fares());
        }
        if let Some(redis) = &mut self.redis {
            redis.kill().await?;
        }
        Ok(Summary::new(all))
    }

    /// A quarter of the fleet is killed.
    fn victims(&self) -> usize {
        (self.processes.len() / 4).max(1)
    }

    async fn happens(&mut self, event: Event) -> anyhow::Result<()> {
        let victims = self.victims();
        let what = match event {
            Event::KillProcesses => {
                for process in &mut self.processes[..victims] {
                    process.kill().await?;
                }
                format!("{} killed", processes(victims))
            }
            Event::StartProcesses => {
                for process in &mut self.processes[..victims] {
                    self.before = self.before.and(process.fares());
                    *process = Process::start(self.tasks, self.place, self.redis.as_ref())?;
                }
                format!("{} started instead", processes(victims))
            }
            Event::KillRedis | Event::StartRedis => match &mut self.redis {
                Some(redis) if redis.is_own() => match event {
                    Event::KillRedis => {
                        redis.kill().await?;
                        "Redis killed".to_owned()
                    }
                    _ => {
                        redis.start_again().await?;
                        "Redis started again, empty".to_owned()
                    }
                },
                _ => return Ok(()),
            },
        };
        self.table.tell(&what);
        Ok(())
    }

    fn look(&mut self, elapsed: Duration) {
        for (row, process) in self.processes.iter_mut().enumerate() {
            let lives = process.lives().unwrap_or(false);
            self.table
                .show(row, lives.then(|| process.id()), process.fares());
        }
        self.table.pass(elapsed, self.place.token_requests());
    }
}

fn processes(count: usize) -> String {
    match count {
        1 => "1 process".to_owned(),
        _ => format!("{count} processes"),
    }
}
