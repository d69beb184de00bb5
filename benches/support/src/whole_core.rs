//! Whether a thread has its core to itself.
//!
//! At times, code that keeps a core busy takes up to 1.7 times as long, and code that mostly waits does not:
//! the ratio of two times changes, although neither code has changed. A fixed piece of arithmetic, which reads
//! no memory, takes longer at the same times; a chain of multiplications, each of which waits for the last,
//! does not. So neither the memory nor the clock frequency is the cause. It is most likely the core's other
//! hardware thread: a virtual machine is shown one of the two, and another machine may work on the other one.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// The arithmetic takes some 20 µs.
const STEPS: u64 = 20_000;
/// As many times the arithmetic runs before its fastest time is known.
const FIRST_TIMES: usize = 50;
/// A core is shared while the arithmetic takes more than this many times its fastest time.
const MOST: f64 = 1.2;

/// The fastest time of the arithmetic in this process, in nanoseconds.
static FASTEST: AtomicU64 = AtomicU64::new(u64::MAX);

/// Returns whether the calling thread has its core to itself at this moment.
pub(crate) fn is_whole() -> bool {
    if FASTEST.load(Relaxed) == u64::MAX {
        (0..FIRST_TIMES).for_each(|_| _ = time());
    }
    let took = time();
    is_near(took, Duration::from_nanos(FASTEST.load(Relaxed)))
}

fn is_near(took: Duration, fastest: Duration) -> bool {
    took <= fastest.mul_f64(MOST)
}

fn time() -> Duration {
    let started = Instant::now();
    black_box(arithmetic(black_box(1)));
    let took = started.elapsed();
    FASTEST.fetch_min(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    took
}

/// As many operations at once as a core can do: six sums, none of which waits for another. They differ, so
/// that the compiler does not compute several of them by one instruction.
#[inline(never)]
fn arithmetic(start: u64) -> u64 {
    let (mut a, mut b, mut c) = (start, start + 1, start + 2);
    let (mut d, mut e, mut f) = (start + 3, start + 4, start + 5);
    for step in 0..STEPS {
        a = a.wrapping_add(step) ^ 3;
        b = b.wrapping_sub(step) ^ 5;
        c = c.rotate_left(3) ^ step;
        d = d.wrapping_add(7) ^ step;
        e = e.wrapping_sub(9) ^ step;
        f = f.rotate_left(5).wrapping_add(step);
    }
    a ^ b ^ c ^ d ^ e ^ f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_whole_while_the_arithmetic_takes_about_its_fastest_time() {
        let [fastest, slower, shared] = [20_000, 23_000, 32_000].map(Duration::from_nanos);
        assert!(is_near(fastest, fastest));
        assert!(is_near(slower, fastest));
        assert!(!is_near(shared, fastest));
    }
}
