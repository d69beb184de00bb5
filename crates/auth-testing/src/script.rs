//! The steps that a test sets for the coming requests.

use std::{collections::VecDeque, sync::Mutex};

use crate::sync::lock;

/// Steps for the next requests, each for a number of them, and a step for all requests after those.
#[derive(Debug)]
pub(crate) struct Script<T> {
    steps: Mutex<Steps<T>>,
}

#[derive(Debug)]
struct Steps<T> {
    next: VecDeque<(usize, T)>,
    always: Option<T>,
}

impl<T> Default for Script<T> {
    fn default() -> Self {
        let steps = Steps {
            next: VecDeque::new(),
            always: None,
        };
        Self {
            steps: Mutex::new(steps),
        }
    }
}

impl<T: Clone> Script<T> {
    pub(crate) fn next(&self, times: usize, step: T) {
        if times > 0 {
            lock(&self.steps).next.push_back((times, step));
        }
    }

    pub(crate) fn always(&self, step: T) {
        lock(&self.steps).always = Some(step);
    }

    pub(crate) fn clear(&self) {
        let mut steps = lock(&self.steps);
        steps.next.clear();
        steps.always = None;
    }

    /// Returns the step for the next request. `None` if the server does its work.
    pub(crate) fn take(&self) -> Option<T> {
        let mut steps = lock(&self.steps);
        let Some((remaining, step)) = steps.next.front_mut() else {
            return steps.always.clone();
        };
        let step = step.clone();
        *remaining -= 1;
        if *remaining == 0 {
            steps.next.pop_front();
        }
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_steps_come_first_and_in_order() {
        let script = Script::default();
        script.always('z');
        script.next(2, 'a');
        script.next(0, 'b');
        script.next(1, 'c');
        let taken: String = (0..5).filter_map(|_| script.take()).collect();
        assert_eq!(taken, "aaczz");
        script.next(usize::MAX, 'd');
        assert_eq!(script.take(), Some('d'));
        script.clear();
        assert_eq!(script.take(), None);
    }
}
