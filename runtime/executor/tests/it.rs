//! The executor with a real host, real guests and both stores.

#[cfg(test)]
mod it {
    mod kit;

    mod actions;
    mod recovery;
    mod workflows;
}
