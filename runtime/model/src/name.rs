//! Names that users write: checked once, where they enter.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was written.
    #[error("{what} is empty")]
    Empty {
        /// What the name is for.
        what: &'static str,
    },
    /// A character that the name may not hold.
    #[error("{what} `{text}` has the character `{character}`: use {allowed}")]
    Character {
        /// What the name is for.
        what: &'static str,
        /// The text as written.
        text: String,
        /// The first character that is not allowed.
        character: char,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Longer than [`limits::NAME_CHARS_MAX`].
    #[error("{what} is {length} characters long, at most {max} are allowed")]
    Long {
        /// What the name is for.
        what: &'static str,
        /// Its length, in characters.
        length: usize,
        /// The limit, in characters.
        max: usize,
    },
    /// A reference without its dot.
    #[error("`{text}` is not the full name of {what}: write `pack.name`")]
    NotAReference {
        /// What it is to name.
        what: &'static str,
        /// The text as written.
        text: String,
    },
}

fn check(what: &'static str, text: &str, allowed: &'static str, legal: fn(char) -> bool) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    let length = text.chars().count();
    if length > limits::NAME_CHARS_MAX {
        return Err(NameError::Long { what, length, max: limits::NAME_CHARS_MAX });
    }
    match text.chars().find(|c| !legal(*c)) {
        Some(character) => Err(NameError::Character { what, text: text.to_owned(), character, allowed }),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $allowed:literal, $legal:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks a text and takes it as a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check($what, text, $allowed, $legal)?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(de::Error::custom)
            }
        }
    )*};
}

names! {
    /// The reference of a pack, which is also the name of its directory: `[a-z0-9_]+`.
    PackRef: "a pack's ref", "lowercase letters, digits and `_`",
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    /// The name of a task in a workflow: `\w+`, as in Orquesta.
    TaskName: "a task's name", "letters, digits and `_`", |c| c.is_ascii_alphanumeric() || c == '_';
    /// The name of a connection in the operator's configuration.
    ConnectionName: "a connection's name", "letters, digits, `_` and `-`",
        |c| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    /// The name of a secret that the store keeps sealed.
    SecretName: "a secret's name", "letters, digits, `_` and `-`",
        |c| c.is_ascii_alphanumeric() || c == '_' || c == '-';
}

impl TaskName {
    /// The name of the step that a workflow's own `on_cancel` makes.
    #[must_use]
    pub fn on_cancel() -> Self {
        Self("on_cancel".into())
    }
}

macro_rules! references {
    ($($(#[$doc:meta])* $name:ident: $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            text: Arc<str>,
            dot: usize,
        }

        impl $name {
            /// The reference of what is called `name` in `pack`.
            pub fn new(pack: &PackRef, name: &str) -> Result<Self, NameError> {
                format!("{pack}.{name}").parse()
            }

            /// The whole reference.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// The pack's part.
            #[must_use]
            pub fn pack(&self) -> &str {
                self.text.get(..self.dot).unwrap_or_default()
            }

            /// The own name.
            #[must_use]
            pub fn name(&self) -> &str {
                self.text.get(self.dot + 1..).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let Some((pack, name)) = text.split_once('.') else {
                    return Err(NameError::NotAReference { what: $what, text: text.to_owned() });
                };
                PackRef::new(pack)?;
                check($what, name, "letters, digits, `_`, `-` and `.`", |c| {
                    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
                })?;
                Ok(Self { text: text.into(), dot: pack.len() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.text
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

// The own name may hold letters, digits, `_`, `-` and `.`.
references! {
    /// The full name of an action: `pack.name`.
    ActionRef: "an action";
    /// The full name of a trigger type: `core.webhook`, or one that a sensor emits.
    TriggerRef: "a trigger";
    /// The full name of a rule.
    RuleRef: "a rule";
    /// The full name of a sensor.
    SensorRef: "a sensor";
    /// The full name of a policy.
    PolicyRef: "a policy";
}

impl ActionRef {
    /// The action that does nothing: what a task calls that names none.
    #[must_use]
    pub fn noop() -> Self {
        Self { text: "core.noop".into(), dot: "core".len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_reference_has_a_pack_and_a_name() {
        let action: ActionRef = "aiqum.create_svm".parse().unwrap();
        assert_eq!((action.pack(), action.name()), ("aiqum", "create_svm"));
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        assert_eq!(
            "create_svm".parse::<ActionRef>().unwrap_err().to_string(),
            "`create_svm` is not the full name of an action: write `pack.name`"
        );
        assert_eq!(
            PackRef::new("My-pack").unwrap_err().to_string(),
            "a pack's ref `My-pack` has the character `M`: use lowercase letters, digits and `_`"
        );
        assert_eq!(TaskName::new("").unwrap_err(), NameError::Empty { what: "a task's name" });
        assert!(matches!(TaskName::new(&"x".repeat(500)).unwrap_err(), NameError::Long { length: 500, .. }));
    }
}
