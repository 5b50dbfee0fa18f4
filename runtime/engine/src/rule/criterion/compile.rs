//! A criterion as written, checked and compiled.

use runner_model::{Code, code};
use serde_json::Value;

use super::{Against, Criterion, Quantity};
use crate::inspect::did_you_mean;
use crate::path::Path;
use crate::rule::{Operator, compare, place, text};
use crate::template::{CompileError, Place, kind_name};

/// Compiles a criterion whose key begins with `root`: `trigger` for an event, `item` for a member of a list.
pub(super) fn criterion(
    root: &str,
    key: &str,
    operator: Operator,
    pattern: Option<&Value>,
    condition: Option<&str>,
) -> Result<Criterion, Vec<CompileError>> {
    let path = path(root, key);
    let against = match operator {
        Operator::Search => members(pattern, condition),
        _ => match condition {
            Some(_) => Err(vec![
                mistake(code::PACK_UNKNOWN_KEY, "only `search` has a `condition`").at("condition").hint("remove it"),
            ]),
            None => single(operator, pattern),
        },
    };
    match (path, against) {
        (Ok(path), Ok(against)) => Ok(Criterion { key: key.to_owned(), path, operator, against }),
        (path, against) => Err(path.err().into_iter().chain(against.err().into_iter().flatten()).collect()),
    }
}

fn path(root: &str, key: &str) -> Result<Path, CompileError> {
    // What follows on `#` only tells two criteria of the same value apart.
    let way = key.split('#').next().unwrap_or_default();
    let rest = way.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let Some(rest) = rest else {
        let error = mistake(code::RULE_CRITERION, format!("the key `{key}` does not begin with `{root}`"));
        return Err(error.hint(format!("write `{root}.{key}`")));
    };
    Path::parse(rest).map_err(|error| CompileError {
        offset: root.len() + error.offset,
        hint: error.hint,
        ..mistake(code::RULE_CRITERION, format!("in the key `{key}`: {}", error.message))
    })
}

fn single(operator: Operator, pattern: Option<&Value>) -> Result<Against, Vec<CompileError>> {
    let Some(pattern) = pattern.filter(|_| operator.needs_pattern()) else {
        if !operator.needs_pattern() {
            return Ok(Against::Nothing);
        }
        let error = mistake(code::PACK_MISSING_KEY, format!("`{operator}` needs a `pattern`"));
        return Err(vec![error.hint("add the line `pattern: …` with what the value is compared with")]);
    };
    let is_regex = matches!(operator, Operator::Regex | Operator::IRegex | Operator::MatchRegex);
    if let Some(text) = pattern.as_str().filter(|text| text.contains("{{") && text.contains("}}") && !is_regex) {
        let error = mistake(code::EXPR_SYNTAX, format!("`{text}` is written in Jinja, which stands for itself here"));
        return Err(vec![error.at("pattern").hint("write expressions in rhai: `<% event(\"body.name\") %>`")]);
    }
    let template = place::template(pattern).map_err(in_pattern)?;
    let Some(literal) = template.as_literal() else { return Ok(Against::Pattern(template)) };
    if let Some((message, hint)) = unfit(operator, literal) {
        let error = mistake(code::RULE_CRITERION, message).at("pattern");
        return Err(vec![error.hint(hint)]);
    }
    let text = literal.as_str().filter(|_| is_regex || operator == Operator::MatchWildcard);
    let Some(text) = text else { return Ok(Against::Pattern(template)) };
    let regex =
        text::compile(operator, text).map_err(|message| vec![mistake(code::RULE_CRITERION, message).at("pattern")])?;
    Ok(Against::Text { regex, pattern: literal.clone() })
}

/// Why nothing can ever be compared with this pattern, and what to write instead. Null can: nothing holds against it.
fn unfit(operator: Operator, pattern: &Value) -> Option<(String, String)> {
    use Operator as O;
    if pattern.is_null() {
        return None;
    }
    let kind = kind_name(pattern);
    match operator {
        O::Equals | O::NEquals | O::Contains | O::NContains | O::Exists | O::NExists | O::Search => None,
        O::LessThan | O::GreaterThan => (pattern.is_object())
            .then(|| (format!("`{operator}` cannot compare with {kind}"), "write a number or a text".to_owned())),
        O::TimediffLt | O::TimediffGt => compare::seconds(pattern)
            .is_none()
            .then(|| (format!("{kind} is no number of seconds"), "write seconds, such as `pattern: 3600`".to_owned())),
        O::Inside | O::NInside => (!matches!(pattern, Value::Array(_) | Value::String(_) | Value::Object(_)))
            .then(|| (format!("nothing can be in {kind}"), format!("write a list: `pattern: [{pattern}]`"))),
        _ => (!pattern.is_string()).then(|| {
            let message = format!("`{operator}` needs a text as its pattern, not {kind}");
            (message, format!("put it in quotes: `pattern: \"{pattern}\"`"))
        }),
    }
}

/// The criteria of `search`.
fn members(pattern: Option<&Value>, condition: Option<&str>) -> Result<Against, Vec<CompileError>> {
    let mut errors = Vec::new();
    let quantity = condition.and_then(Quantity::parse);
    if quantity.is_none() {
        errors.push(no_quantity(condition));
    }
    let mut criteria = Vec::new();
    match pattern {
        Some(Value::Object(written)) if !written.is_empty() => {
            for (key, one) in written {
                match member(key, one) {
                    Ok(criterion) => criteria.push(criterion),
                    Err(found) => errors
                        .extend(found.into_iter().map(|error| error.within(key)).map(|error| error.within("pattern"))),
                }
            }
        }
        other => {
            let message = match other {
                None => "`search` needs a `pattern`".to_owned(),
                Some(Value::Object(_)) => "the `pattern` of `search` is empty".to_owned(),
                Some(other) => format!("the `pattern` of `search` is a map of criteria, not {}", kind_name(other)),
            };
            let error = mistake(code::RULE_CRITERION, message).at("pattern");
            errors.push(error.hint("write criteria of each member: `item.name: {type: equals, pattern: vol1}`"));
        }
    }
    match (quantity, pattern) {
        (Some(quantity), Some(pattern)) if errors.is_empty() => {
            Ok(Against::Members { quantity, criteria, pattern: pattern.clone() })
        }
        _ => Err(errors),
    }
}

fn no_quantity(condition: Option<&str>) -> CompileError {
    let hint = "`any`: some member fits all patterns; `all`: every member fits all; `any2any` and `all2any`: one pattern \
                is enough";
    match condition {
        None => mistake(code::PACK_MISSING_KEY, "`search` needs a `condition`"),
        Some(word) => mistake(code::RULE_CRITERION, format!("`{word}` is no condition of `search`")).at("condition"),
    }
    .hint(hint)
}

/// A criterion of a member of a list.
fn member(key: &str, written: &Value) -> Result<Criterion, Vec<CompileError>> {
    let Value::Object(fields) = written else {
        let error = mistake(code::PACK_WRONG_TYPE, format!("a criterion is a map, not {}", kind_name(written)));
        return Err(vec![error.hint("write `{type: equals, pattern: …}`")]);
    };
    const KEYS: [&str; 3] = ["type", "pattern", "condition"];
    let unknown = fields.keys().filter(|key| !KEYS.contains(&key.as_str())).map(|key| CompileError {
        hint: did_you_mean(key, KEYS.into_iter()),
        ..mistake(code::PACK_UNKNOWN_KEY, format!("a criterion has no `{key}`")).at(key)
    });
    let mut errors: Vec<_> = unknown.collect();
    let condition = match fields.get("condition") {
        None => None,
        Some(Value::String(word)) => Some(word.as_str()),
        Some(other) => {
            errors.push(
                mistake(code::PACK_WRONG_TYPE, format!("a `condition` is a text, not {}", kind_name(other)))
                    .at("condition"),
            );
            None
        }
    };
    match operator(fields.get("type")) {
        Err(error) => errors.push(error),
        Ok(operator) => match criterion("item", key, operator, fields.get("pattern"), condition) {
            Ok(criterion) if errors.is_empty() => return Ok(criterion),
            Ok(_) => {}
            Err(found) => errors.extend(found),
        },
    }
    Err(errors)
}

fn operator(written: Option<&Value>) -> Result<Operator, CompileError> {
    let hint = "write an operator such as `type: equals`";
    match written {
        None => Err(mistake(code::PACK_MISSING_KEY, "the criterion has no `type`").hint(hint)),
        Some(Value::String(word)) => Operator::parse(word).ok_or_else(|| {
            let names = Operator::ALL.iter().flat_map(|operator| operator.names()).copied();
            let error = mistake(code::RULE_CRITERION, format!("there is no operator `{word}`")).at("type");
            error.hint(did_you_mean(word, names).unwrap_or_else(|| hint.to_owned()))
        }),
        Some(other) => {
            let message = format!("an operator is a text, not {}", kind_name(other));
            Err(mistake(code::PACK_WRONG_TYPE, message).at("type").hint(hint))
        }
    }
}

fn in_pattern(errors: Vec<CompileError>) -> Vec<CompileError> {
    errors.into_iter().map(|error| error.within("pattern")).collect()
}

fn mistake(code: Code, message: impl Into<String>) -> CompileError {
    CompileError { code, place: Vec::new(), offset: 0, length: 0, message: message.into(), hint: None }
}

impl CompileError {
    fn at(mut self, key: &str) -> Self {
        self.place = vec![Place::Key(key.to_owned())];
        self
    }

    fn within(mut self, key: &str) -> Self {
        self.place.insert(0, Place::Key(key.to_owned()));
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
