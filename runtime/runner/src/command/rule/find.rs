//! The rules there are, and the one that a name means.

use runner_model::{code, suggest};

use super::{RuleView, here};
use crate::app::App;
use crate::command::asked::{ALL, Asked};
use crate::command::exec::not_loaded;
use crate::error::CliError;
use crate::exit::Exit;

/// All rules, by name.
pub(crate) async fn all(app: &App, asked: &Asked) -> Result<Vec<RuleView>, CliError> {
    match asked {
        Asked::Daemon(daemon) => daemon.list("/api/v1/rules", &[], ALL).await,
        Asked::Here(store) => here::rules(app, store.as_ref()).await,
    }
}

/// The rule with this name.
pub(super) async fn one(app: &App, asked: &Asked, name: &str) -> Result<RuleView, CliError> {
    let mut rules = all(app, asked).await?;
    match rules.iter().position(|rule| rule.reference == name) {
        Some(place) => Ok(rules.swap_remove(place)),
        None => Err(missing(app, asked, name, &rules)),
    }
}

/// There is no such rule, perhaps because its pack has mistakes.
fn missing(app: &App, asked: &Asked, name: &str, rules: &[RuleView]) -> CliError {
    if let (Asked::Here(_), Some((pack, _))) = (asked, name.split_once('.')) {
        let is_meant =
            |broken: &&runner_pack::Broken| broken.reference.as_ref().is_some_and(|own| own.as_str() == pack);
        if let Some(broken) = app.library().0.broken().iter().find(is_meant) {
            return not_loaded(pack, broken.mistakes);
        }
    }
    unknown(name, rules)
}

/// There is no such rule, with the one that may have been meant.
pub(crate) fn unknown(name: &str, rules: &[RuleView]) -> CliError {
    let names = || rules.iter().map(|rule| rule.reference.as_str());
    // A name without its pack is the most frequent slip of all.
    let bare = || names().find(|known| known.split_once('.').is_some_and(|(_, rule)| rule == name));
    let hint = match bare().or_else(|| suggest::nearest(name, names())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `runner rule list`".to_owned(),
    };
    CliError::new(Exit::NotFound, code::EVENT_NO_RULE, format!("there is no rule `{name}`")).hint(hint)
}
