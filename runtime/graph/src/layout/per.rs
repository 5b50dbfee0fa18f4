//! A value for each of something that is counted from 0.

use std::ops::{Index, IndexMut};

/// A value for each number; the blank one for those that were never set. Looking something up cannot fail.
#[derive(Debug, Clone)]
pub(super) struct Per<T> {
    values: Vec<T>,
    blank: T,
}

impl<T: Clone> Per<T> {
    pub(super) const fn new(blank: T) -> Self {
        Self { values: Vec::new(), blank }
    }
}

impl<T: Clone + Default> Default for Per<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Index<usize> for Per<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        self.values.get(at).unwrap_or(&self.blank)
    }
}

impl<T: Clone> IndexMut<usize> for Per<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        if at >= self.values.len() {
            self.values.resize(at + 1, self.blank.clone());
        }
        match self.values.get_mut(at) {
            Some(value) => value,
            // The list has just been made long enough.
            None => &mut self.blank,
        }
    }
}
