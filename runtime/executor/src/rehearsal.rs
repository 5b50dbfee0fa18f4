//! Rehearsals: workflows that are played with mocked steps, in simulated time, beside what is expected of them.
//!
//! The conductor is the real one ([`runner_engine::rehearsal::Play`]); how a step ends is said by a mock, by what waits
//! for it outside ([`scene`]), or, in a simulation, by the action itself ([`live`]). What came of it is compared with what
//! the rehearsal expects ([`expect`]). The meaning of each field is Orquesta's; `runtime/docs/rehearsals.md` says it in full.
//!
//! **Nothing has an effect outside**: nothing is stored, and a request of an action that really runs ends in a simulator.

mod case;
mod coverage;
mod errors;
mod expect;
mod inspection;
mod live;
mod mocks;
mod observed;
mod outside;
mod preview;
mod report;
mod scene;
mod value;

use runner_pack::{Body, Library, Pack, Rehearsal};

pub use live::Simulation;
pub use preview::{Approval, Preview, PreviewError, preview};
pub use report::{Case, Coverage, Difference, Report, Untaken};

use coverage::Taken;

/// What rehearsals are run with.
pub struct Rehearsing<'a> {
    /// What the packs directories hold: of a pack with mistakes, what is sound ([`Library::load_sound`]).
    pub library: &'a Library,
    /// What runs the steps of a rehearsal with `simulate: true`.
    pub simulation: Option<&'a Simulation>,
}

/// Runs rehearsals, one after the other.
pub async fn run(with: &Rehearsing<'_>, rehearsals: &[Rehearsal]) -> Report {
    run_covering(with, rehearsals, &[]).await
}

/// The same; the workflows of these packs count for the coverage even if no rehearsal is about them.
pub async fn run_covering(with: &Rehearsing<'_>, rehearsals: &[Rehearsal], packs: &[&Pack]) -> Report {
    let mut taken = Taken::default();
    for action in packs.iter().flat_map(|pack| pack.actions.values()) {
        if let Body::Workflow(plan) = &action.body {
            taken.add(&action.reference, plan);
        }
    }
    let mut report = Report::default();
    for rehearsal in rehearsals {
        let differences = case::differences(with, rehearsal, &mut taken).await;
        report.rehearsals.push(Case {
            name: rehearsal.name.clone(),
            file: rehearsal.source.clone(),
            line: rehearsal.line,
            workflow: rehearsal.workflow.clone(),
            differences,
        });
    }
    report.coverage = taken.report();
    report
}

#[cfg(test)]
mod tests;
