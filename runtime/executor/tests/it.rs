//! The executor with a real host, real guests and both stores; and, where time matters, with guests that only pretend.

#[cfg(test)]
mod it {
    mod kit;
    mod stage;

    mod actions;
    mod admission;
    mod attempts;
    mod children;
    mod drain;
    mod measures;
    mod policies;
    mod recovery;
    mod swap;
    mod waiting;
    mod workflows;
}
