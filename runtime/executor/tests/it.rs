//! The executor with a real host, real guests and both stores; and, where time matters, with guests that only pretend.

#[cfg(test)]
mod it {
    mod kit;
    mod stage;

    mod actions;
    mod attempts;
    mod children;
    mod recovery;
    mod waiting;
    mod workflows;
}
