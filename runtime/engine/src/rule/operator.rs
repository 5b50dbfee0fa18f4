//! The operators of criteria, by StackStorm's names.

/// How a value of an event is compared with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The whole text fits a pattern of a shell: `*`, `?`, `[a-z]`, `[!a-z]`.
    MatchWildcard,
    /// A regular expression fits the beginning of the text; a dot is any character. Deprecated in favour of `regex`.
    MatchRegex,
    /// A regular expression fits somewhere in the text.
    Regex,
    /// As `regex`, whatever the case.
    IRegex,
    /// The values are equal.
    Equals,
    /// The values differ.
    NEquals,
    /// The texts are equal, whatever the case.
    IEquals,
    /// The text has the pattern in it; the list has it as a member, the map as a key.
    Contains,
    /// As `contains`, for texts, whatever the case.
    IContains,
    /// `contains` does not hold.
    NContains,
    /// `icontains` does not hold.
    INContains,
    /// The text begins with the pattern.
    StartsWith,
    /// As `startswith`, whatever the case.
    IStartsWith,
    /// The text ends with the pattern.
    EndsWith,
    /// As `endswith`, whatever the case.
    IEndsWith,
    /// The value is less than the pattern: both numbers, both texts, or both lists.
    LessThan,
    /// The value is greater than the pattern.
    GreaterThan,
    /// Fewer seconds than the pattern have passed since the moment that the value names.
    TimediffLt,
    /// More seconds than the pattern have passed since the moment that the value names.
    TimediffGt,
    /// There is such a value, and it is not null.
    Exists,
    /// There is no such value, or it is null.
    NExists,
    /// The pattern has the value in it: as a part of the text, a member of the list, a key of the map.
    Inside,
    /// `inside` does not hold.
    NInside,
    /// Members of the list fit the patterns, as `condition` says.
    Search,
}

/// Each operator with its names, its own first.
const NAMES: [(Operator, &[&str]); 24] = [
    (Operator::MatchWildcard, &["matchwildcard"]),
    (Operator::MatchRegex, &["matchregex"]),
    (Operator::Regex, &["regex"]),
    (Operator::IRegex, &["iregex"]),
    (Operator::Equals, &["equals", "eq"]),
    (Operator::NEquals, &["nequals", "neq"]),
    (Operator::IEquals, &["iequals", "ieq"]),
    (Operator::Contains, &["contains"]),
    (Operator::IContains, &["icontains"]),
    (Operator::NContains, &["ncontains"]),
    (Operator::INContains, &["incontains"]),
    (Operator::StartsWith, &["startswith"]),
    (Operator::IStartsWith, &["istartswith"]),
    (Operator::EndsWith, &["endswith"]),
    (Operator::IEndsWith, &["iendswith"]),
    (Operator::LessThan, &["lessthan", "lt"]),
    (Operator::GreaterThan, &["greaterthan", "gt"]),
    (Operator::TimediffLt, &["timediff_lt", "td_lt"]),
    (Operator::TimediffGt, &["timediff_gt", "td_gt"]),
    (Operator::Exists, &["exists"]),
    (Operator::NExists, &["nexists"]),
    (Operator::Inside, &["inside", "in"]),
    (Operator::NInside, &["ninside", "nin"]),
    (Operator::Search, &["search"]),
];

impl Operator {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::MatchWildcard,
        Self::MatchRegex,
        Self::Regex,
        Self::IRegex,
        Self::Equals,
        Self::NEquals,
        Self::IEquals,
        Self::Contains,
        Self::IContains,
        Self::NContains,
        Self::INContains,
        Self::StartsWith,
        Self::IStartsWith,
        Self::EndsWith,
        Self::IEndsWith,
        Self::LessThan,
        Self::GreaterThan,
        Self::TimediffLt,
        Self::TimediffGt,
        Self::Exists,
        Self::NExists,
        Self::Inside,
        Self::NInside,
        Self::Search,
    ];

    /// The operator with this name or alias, whatever the case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_meant = |names: &&[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
        NAMES.iter().find(|(_, names)| is_meant(names)).map(|(operator, _)| *operator)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// Its name and its aliases.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        NAMES.iter().find(|(operator, _)| *operator == self).map_or(&[], |(_, names)| *names)
    }

    /// Whether it compares with something; `exists` and `nexists` do not.
    #[must_use]
    pub const fn needs_pattern(self) -> bool {
        !matches!(self, Self::Exists | Self::NExists)
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
