//! `/executions`: what was run, what runs, and what is asked of it.

mod control;
mod create;
mod list;
mod parts;
mod rerun;
mod turns;
mod wait;

use http::StatusCode;
use runner_model::code;
use utoipa_axum::routes;

use super::problem::ApiProblem;
use super::route::{Access, Routes};
pub(super) use control::ask;
pub(super) use create::{Asked, answer};
pub(super) use parts::{Wait, shown, task_of};
pub(super) use turns::Turn;
pub(super) use wait::WaitQuery;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list::list))
        .add(Access::Operator, routes!(create::create))
        .add(Access::Viewer, routes!(parts::get))
        .add(Access::Operator, routes!(control::put, control::delete))
        .add(Access::Viewer, routes!(parts::journal))
        .add(Access::Viewer, routes!(parts::children))
        .add(Access::Viewer, routes!(parts::explain))
        .add(Access::Viewer, routes!(parts::result))
        .add(Access::Viewer, routes!(parts::waits))
        .add(Access::Viewer, routes!(parts::graph))
        .add(Access::Operator, routes!(control::pause))
        .add(Access::Operator, routes!(control::resume))
        .add(Access::Operator, routes!(control::cancel))
        .add(Access::Operator, routes!(control::respond))
        .add(Access::Operator, routes!(rerun::rerun))
}

/// The beginning of an id fits several executions.
pub(super) fn ambiguous(text: &str) -> ApiProblem {
    let shown: String = text.chars().take(36).collect();
    ApiProblem::new(StatusCode::CONFLICT, code::STORE_PREFIX, format!("`{shown}` begins the ids of several executions"))
        .hint("give more of the id")
}
