//! What an operator chooses of a pack's wish: some of its rules, for some connections.
//!
//! A pack asks for a *kind* of connection; what is granted are *names*, unless the operator says that every connection of
//! the kind is meant, also one that comes later.

use crate::ConnectionName;

use super::{HttpRule, KvAccess, Permissions};

/// What is chosen. The default is every rule, for the connections that there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Rules by their place in the wish, from 1; none is all of them.
    pub rules: Vec<usize>,
    /// Connections; none is every one that is configured with a kind that is asked for.
    pub connections: Vec<ConnectionName>,
    /// Whether kinds are granted, and not names.
    pub all: bool,
}

/// A connection as it is configured: its name and its kind.
pub type Configured = (ConnectionName, String);

/// Why nothing can be granted so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// The pack asks for nothing.
    #[error("the pack asks for nothing: there is nothing to grant")]
    NothingAsked,
    /// There is no rule with this number.
    #[error("there is no rule {number}: the pack asks for {count}")]
    NoRule {
        /// The number.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// Kinds and names at the same time.
    #[error("every connection of a kind, or connections by name: not both")]
    Both,
    /// There is no such connection.
    #[error("there is no connection `{name}`")]
    NoConnection {
        /// The name.
        name: ConnectionName,
        /// Those that there are, of the kinds that are asked for.
        known: Vec<ConnectionName>,
    },
    /// The pack does not ask for connections of this kind.
    #[error("`{name}` is a connection of the kind `{kind}`, which the chosen rules do not ask for")]
    NotAsked {
        /// The name.
        name: ConnectionName,
        /// Its kind.
        kind: String,
    },
    /// A rule that names it would allow others, too.
    #[error("`{name}` is the name of a connection and of a kind: granting it grants every connection of the kind")]
    AlsoKind {
        /// The name.
        name: ConnectionName,
    },
    /// No connection of the kinds is configured.
    #[error("no connection of the kind {} is configured", list(kinds))]
    NoneConfigured {
        /// The kinds.
        kinds: Vec<String>,
    },
}

impl ChoiceError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingAsked => None,
            Self::NoRule { .. } => Some("`runner pack permissions` shows them with their numbers".to_owned()),
            Self::Both => Some("leave out one of the two".to_owned()),
            Self::NoConnection { known, .. } if known.is_empty() => {
                Some("no connection of a kind that the pack asks for is configured".to_owned())
            }
            Self::NoConnection { known, .. } => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("there are {}", known.join(", ")))
            }
            Self::NotAsked { .. } => Some("`runner pack permissions` shows what the pack asks for".to_owned()),
            Self::AlsoKind { .. } => {
                Some("grant every connection of the kind (`--all`), or give this one another name".to_owned())
            }
            Self::NoneConfigured { .. } => Some(
                "configure one first, or grant the kind, with every connection that comes later: `--all`".to_owned(),
            ),
        }
    }
}

impl Choice {
    /// The permissions that are granted by this choice of a wish.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn of(&self, wish: &Permissions, configured: &[Configured]) -> Result<Permissions, ChoiceError> {
        if *wish == Permissions::default() {
            return Err(ChoiceError::NothingAsked);
        }
        if self.all && !self.connections.is_empty() {
            return Err(ChoiceError::Both);
        }
        let chosen = self.rules_of(wish)?;
        self.check_names(&chosen, configured)?;
        let http: Vec<_> = chosen.iter().flat_map(|rule| self.granted(rule, configured)).collect();
        if http.is_empty() && !chosen.is_empty() {
            let kinds = chosen.iter().filter_map(|rule| rule.connection.clone()).collect();
            return Err(ChoiceError::NoneConfigured { kinds });
        }
        Ok(Permissions { http, kv: wish.kv })
    }

    fn rules_of<'a>(&self, wish: &'a Permissions) -> Result<Vec<&'a HttpRule>, ChoiceError> {
        if self.rules.is_empty() {
            return Ok(wish.http.iter().collect());
        }
        let count = wish.http.len();
        let rule = |number: &usize| {
            let index = number.checked_sub(1);
            index.and_then(|index| wish.http.get(index)).ok_or(ChoiceError::NoRule { number: *number, count })
        };
        self.rules.iter().map(rule).collect()
    }

    fn check_names(&self, chosen: &[&HttpRule], configured: &[Configured]) -> Result<(), ChoiceError> {
        let is_asked = |kind: &str| chosen.iter().any(|rule| is_about(rule, kind));
        for name in &self.connections {
            let Some((_, kind)) = configured.iter().find(|(known, _)| known == name) else {
                let known = configured.iter().filter(|(_, kind)| is_asked(kind)).map(|(name, _)| name.clone());
                return Err(ChoiceError::NoConnection { name: name.clone(), known: known.collect() });
            };
            if !is_asked(kind) {
                return Err(ChoiceError::NotAsked { name: name.clone(), kind: kind.clone() });
            }
            let of_kind = |(other, kind): &Configured| other != name && kind == name.as_str();
            if configured.iter().any(of_kind) {
                return Err(ChoiceError::AlsoKind { name: name.clone() });
            }
        }
        Ok(())
    }

    /// What is granted of a rule.
    fn granted(&self, rule: &HttpRule, configured: &[Configured]) -> Vec<HttpRule> {
        if rule.connection.is_none() || self.all {
            return vec![rule.clone()];
        }
        let is_chosen = |name: &ConnectionName| self.connections.is_empty() || self.connections.contains(name);
        let names = configured.iter().filter(|(name, kind)| is_about(rule, kind) && is_chosen(name));
        names.map(|(name, _)| HttpRule { connection: Some(name.to_string()), ..rule.clone() }).collect()
    }
}

/// Whether a rule of a wish is about connections of this kind.
fn is_about(rule: &HttpRule, kind: &str) -> bool {
    rule.connection.as_deref().is_some_and(|wanted| wanted == "*" || wanted == kind)
}

/// The arguments of the shortest choice that grants something of everything a wish asks for: none, or `--all` where no
/// connection can be named yet.
pub(super) fn arguments(wish: &Permissions, configured: &[Configured]) -> &'static str {
    let is_there = |rule: &HttpRule| configured.iter().any(|(_, kind)| is_about(rule, kind));
    let missing = wish.http.iter().any(|rule| rule.connection.is_some() && !is_there(rule));
    if missing && wish.http.iter().all(|rule| rule.connection.is_some()) { " --all" } else { "" }
}

impl Permissions {
    /// What a pack may do about which nobody said anything: use its own key-value data, and make no request.
    #[must_use]
    pub const fn silent() -> Self {
        Self { http: Vec::new(), kv: KvAccess::ReadWrite }
    }
}

fn list(kinds: &[String]) -> String {
    let mut kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    kinds.dedup();
    kinds.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    fn configured(all: &[(&str, &str)]) -> Vec<Configured> {
        all.iter().map(|(n, kind)| (name(n), (*kind).to_owned())).collect()
    }

    fn wish() -> Permissions {
        let text = r#"{"http":[{"connection":"ontap","methods":["*"]},{"url":"https://h"}],"kv":"read"}"#;
        serde_json::from_str(text).unwrap()
    }

    fn targets(choice: &Choice, all: &[(&str, &str)]) -> Result<Vec<String>, ChoiceError> {
        let granted = choice.of(&wish(), &configured(all))?;
        assert_eq!(granted.kv, KvAccess::Read);
        Ok(granted.http.into_iter().filter_map(|rule| rule.connection.or(rule.url)).collect())
    }

    #[test]
    fn names_are_granted_and_kinds_only_on_demand() {
        let there = [("a", "ontap"), ("b", "ontap"), ("c", "aiqum")];
        let all = Choice::default();
        assert_eq!(targets(&all, &there).unwrap(), ["a", "b", "https://h"]);
        assert_eq!(
            targets(&Choice { connections: vec![name("b")], ..all.clone() }, &there).unwrap(),
            ["b", "https://h"]
        );
        assert_eq!(targets(&Choice { all: true, ..all.clone() }, &there).unwrap(), ["ontap", "https://h"]);
        assert_eq!(targets(&Choice { rules: vec![2], ..all.clone() }, &there).unwrap(), ["https://h"]);
        assert_eq!(targets(&all, &[]).unwrap(), ["https://h"]);
    }

    #[test]
    fn what_would_grant_something_else_is_refused() {
        let there = [("ontap", "ontap"), ("b", "ontap"), ("c", "aiqum")];
        let of = |names: &[&str], rules: &[usize], all| Choice {
            rules: rules.to_vec(),
            connections: names.iter().map(|n| name(n)).collect(),
            all,
        };
        let refused = |choice: &Choice| targets(choice, &there).unwrap_err();
        assert!(matches!(refused(&of(&["ontap"], &[], false)), ChoiceError::AlsoKind { .. }));
        assert!(matches!(refused(&of(&["c"], &[], false)), ChoiceError::NotAsked { .. }));
        assert!(matches!(refused(&of(&["b"], &[2], false)), ChoiceError::NotAsked { .. }));
        assert!(matches!(refused(&of(&["x"], &[], false)), ChoiceError::NoConnection { .. }));
        assert!(matches!(refused(&of(&["b"], &[], true)), ChoiceError::Both));
        for number in [0, 3] {
            assert!(matches!(refused(&of(&[], &[number], false)), ChoiceError::NoRule { .. }));
        }
        let none = Choice { rules: vec![1], ..Choice::default() }.of(&wish(), &[]);
        assert!(matches!(none, Err(ChoiceError::NoneConfigured { .. })));
        assert_eq!(Choice::default().of(&Permissions::default(), &[]), Err(ChoiceError::NothingAsked));
    }

    #[test]
    fn the_shortest_choice_grants_something() {
        let only: Permissions = serde_json::from_str(r#"{"http":[{"connection":"ontap"}]}"#).unwrap();
        assert_eq!(arguments(&only, &[]), " --all");
        assert_eq!(arguments(&only, &configured(&[("a", "ontap")])), "");
        assert_eq!(arguments(&wish(), &[]), "");
    }
}
