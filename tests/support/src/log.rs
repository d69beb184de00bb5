//! The log events of a test.

use std::{
    fmt::{Debug, Write as _},
    io,
    sync::{Arc, Mutex, OnceLock},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps a second subscriber alive. With a single one in the process, tracing asks the subscriber of the
/// thread that emits an event first: a test without one would switch the event off for all threads.
fn never_the_only_one() {
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE);
        Dispatch::new(subscriber.with_writer(io::sink).finish())
    });
}

/// Collects the log events of the thread, as text.
#[derive(Clone, Debug, Default)]
pub struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    /// Starts to collect events of all levels. Dropping the guard ends it.
    pub fn start() -> (Self, DefaultGuard) {
        Self::start_at(Level::TRACE)
    }

    /// Starts to collect events of this level and of more severe ones.
    pub fn start_at(max_level: Level) -> (Self, DefaultGuard) {
        never_the_only_one();
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(max_level)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Returns the events so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Asserts that an event contains `what`.
    #[track_caller]
    pub fn assert_contains(&self, what: &str) {
        let text = self.text();
        assert!(
            text.contains(what),
            "expected {what:?} in the log, got:\n{text}"
        );
    }

    /// Asserts that there was no event.
    #[track_caller]
    pub fn assert_empty(&self) {
        let text = self.text();
        assert!(text.is_empty(), "expected nothing in the log, got:\n{text}");
    }
}

impl io::Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CapturedLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A subscriber that records the warnings of one crate: of each, its name and its fields.
#[derive(Clone, Debug)]
pub struct Warnings {
    target: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Warnings {
    /// Records the warnings whose target begins with this.
    pub fn of(target: &'static str) -> Self {
        Self {
            target,
            lines: Arc::default(),
        }
    }

    /// Returns the warnings so far, and forgets them.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with(self.target)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} ", event.metadata().name());
        event.record(&mut Line(&mut line));
        self.lines.lock().unwrap().push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
