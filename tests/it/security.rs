//! What packs, files and servers of unknown origin try, and what becomes of it. Each test says which goal it is for.

mod bombs;
mod compile;
mod egress;
mod guests;
mod poison;
