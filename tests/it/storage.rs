//! Storage work against an array that lives on when the process that asks it dies: the simulator, served by another.

mod faults;
mod plans;
mod polls;
mod served;
