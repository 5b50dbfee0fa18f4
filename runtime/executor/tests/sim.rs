//! The executor in a simulated world: one thread, simulated time, a store and guests that fail by a seed.

#[cfg(test)]
mod sim {
    mod chance;
    mod check;
    mod client;
    mod door;
    mod guests;
    mod node;
    mod packs;
    mod relaxed;
    mod run;
    mod seeds;
    mod store;
    mod workflow;
    mod world;
}
