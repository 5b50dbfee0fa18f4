//! Events, rules, schedules and sensors with real stores and a real executor; only what is code is pretended.

#[cfg(test)]
mod it {
    mod kit;

    mod catch_up;
    mod crash;
    mod deliveries;
    mod ends;
    mod overlap;
    mod schedules;
    mod sensors;
    mod swaps;
}
