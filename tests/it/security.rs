//! What packs, files and servers of unknown origin try, and what becomes of it; and what must never be shown. Each test says
//! which goal it is for.

mod audit;
mod bombs;
mod canary;
mod compile;
mod egress;
mod fuzz;
mod grants;
mod guests;
mod install;
mod json;
mod page;
mod poison;
mod secrets;
