//! The warnings in the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// Collects the warnings of this thread until it is dropped. The runtimes of the tests have one thread.
pub(super) struct CapturedLog {
    text: Text,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    pub(super) fn start() -> Self {
        let text = Text::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(Level::WARN)
            .with_writer(text.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    #[track_caller]
    pub(super) fn assert_contains(&self, what: &str) {
        let text = self.text.0.lock().unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(
            text.contains(what),
            "expected {what:?} in the log, got:\n{text}"
        );
    }

    #[track_caller]
    pub(super) fn assert_empty(&self) {
        let text = self.text.0.lock().unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(text.is_empty(), "expected nothing in the log, got:\n{text}");
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Text {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
