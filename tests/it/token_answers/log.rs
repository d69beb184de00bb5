//! The log events of the current thread, as text.

use std::{cell::RefCell, io, sync::Once};

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The events since [`start`].
pub(super) struct Log(());

/// Forgets the events so far. Installs the subscriber of this process before the first event.
pub(super) fn start() -> Log {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(|| ThreadLog)
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LOG.with_borrow_mut(Vec::clear);
    Log(())
}

impl Log {
    /// Returns the events.
    pub(super) fn take(self) -> String {
        LOG.with_borrow_mut(|log| String::from_utf8(std::mem::take(log)).unwrap())
    }
}
