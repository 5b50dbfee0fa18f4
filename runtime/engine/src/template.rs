//! Values with expressions in them, compiled.
//!
//! A string that is nothing but one `<% … %>` keeps the type of its value; otherwise values are put into the text. Maps
//! and lists are templates of their members. What has no expression is a literal and is never looked at again.

use std::sync::Arc;

use serde_json::{Map, Value};

use runner_model::{Code, code};

use crate::expression::{EvaluationError, Expression, Frame, scan};

/// A value with compiled expressions in it.
#[derive(Debug, Clone)]
pub struct Template(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Literal(Arc<Value>),
    Expression(Box<Expression>),
    Text(Vec<Part>),
    List(Vec<Template>),
    Map(Vec<(String, Template)>),
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Expression(Expression),
}

/// A step on the way into a value: to a member of a map or of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The member with this key.
    Key(String),
    /// The member at this index.
    Index(usize),
}

/// An expression that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What kind of mistake.
    pub code: Code,
    /// Where in the value: the way from its root to the string.
    pub place: Vec<Place>,
    /// Where in that string, in bytes.
    pub offset: usize,
    /// How much of the string is meant, in bytes; 0 if only the position is known.
    pub length: usize,
    /// A lowercase sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Template {
    /// A template without expressions.
    #[must_use]
    pub fn literal(value: Value) -> Self {
        Self(Kind::Literal(Arc::new(value)))
    }

    /// Compiles every expression in a value. All mistakes are returned, in the order of the value.
    pub fn compile(value: &Value) -> Result<Self, Vec<CompileError>> {
        let mut errors = Vec::new();
        let template = compile(value, &mut Vec::new(), &mut errors);
        if errors.is_empty() { Ok(template) } else { Err(errors) }
    }

    /// The value, with every expression evaluated.
    pub fn render(&self, frame: &Frame) -> Result<Value, EvaluationError> {
        match &self.0 {
            Kind::Literal(value) => Ok(Value::clone(value)),
            Kind::Expression(expression) => expression.evaluate(frame),
            Kind::Text(parts) => {
                parts.iter().map(|part| part.render(frame)).collect::<Result<_, _>>().map(Value::String)
            }
            Kind::List(items) => items.iter().map(|item| item.render(frame)).collect(),
            Kind::Map(members) => {
                let mut map = Map::new();
                for (key, member) in members {
                    map.insert(key.clone(), member.render(frame)?);
                }
                Ok(Value::Object(map))
            }
        }
    }

    /// The value, if there is no expression in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.0 {
            Kind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The members of a map, expressions or not; none if it is not a map as written.
    #[must_use]
    pub fn members(&self) -> Option<Vec<(&str, Option<&Value>)>> {
        match &self.0 {
            Kind::Map(members) => {
                Some(members.iter().map(|(key, member)| (key.as_str(), member.as_literal())).collect())
            }
            Kind::Literal(value) => {
                value.as_object().map(|map| map.iter().map(|(key, member)| (key.as_str(), Some(member))).collect())
            }
            _ => None,
        }
    }

    /// Calls `visit` with every expression and its place.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&[Place], &'a Expression)) {
        self.walk(&mut Vec::new(), visit);
    }

    fn walk<'a>(&'a self, place: &mut Vec<Place>, visit: &mut dyn FnMut(&[Place], &'a Expression)) {
        match &self.0 {
            Kind::Literal(_) => {}
            Kind::Expression(expression) => visit(place, expression),
            Kind::Text(parts) => {
                for part in parts {
                    if let Part::Expression(expression) = part {
                        visit(place, expression);
                    }
                }
            }
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    place.push(Place::Index(index));
                    item.walk(place, visit);
                    place.pop();
                }
            }
            Kind::Map(members) => {
                for (key, member) in members {
                    place.push(Place::Key(key.clone()));
                    member.walk(place, visit);
                    place.pop();
                }
            }
        }
    }
}

impl Part {
    fn render(&self, frame: &Frame) -> Result<String, EvaluationError> {
        match self {
            Self::Literal(text) => Ok(text.clone()),
            Self::Expression(expression) => Ok(match expression.evaluate(frame)? {
                Value::String(text) => text,
                other => other.to_string(),
            }),
        }
    }
}

fn compile(value: &Value, place: &mut Vec<Place>, errors: &mut Vec<CompileError>) -> Template {
    let kind = match value {
        Value::String(text) => compile_text(text, place, errors),
        Value::Array(items) => {
            let mut compiled = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                place.push(Place::Index(index));
                compiled.push(compile(item, place, errors));
                place.pop();
            }
            Kind::List(compiled)
        }
        Value::Object(map) => {
            let mut compiled = Vec::with_capacity(map.len());
            for (key, member) in map {
                place.push(Place::Key(key.clone()));
                compiled.push((key.clone(), compile(member, place, errors)));
                place.pop();
            }
            Kind::Map(compiled)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Kind::Literal(Arc::new(value.clone())),
    };
    let literal = match &kind {
        Kind::List(items) => items.iter().all(|item| item.as_literal().is_some()),
        Kind::Map(members) => members.iter().all(|(_, member)| member.as_literal().is_some()),
        _ => false,
    };
    Template(if literal { Kind::Literal(Arc::new(value.clone())) } else { kind })
}

fn compile_text(text: &str, place: &[Place], errors: &mut Vec<CompileError>) -> Kind {
    let pieces = match scan::pieces(text) {
        Ok(pieces) => pieces,
        Err(unclosed) => {
            errors.push(CompileError {
                code: code::EXPR_UNCLOSED,
                place: place.to_vec(),
                offset: unclosed,
                length: 2,
                message: "this expression has no closing `%>`".to_owned(),
                hint: Some(
                    "close it with `%>`; if the file has one, YAML cut the value short at ` #` or at a comma: put the \
                     whole value in quotes"
                        .to_owned(),
                ),
            });
            return Kind::Literal(Arc::new(Value::Null));
        }
    };
    let only = pieces.len() == 1;
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            scan::Piece::Text(literal) => parts.push(Part::Literal(literal.to_owned())),
            scan::Piece::Expression { source, offset } => match Expression::compile(source) {
                Ok(expression) if only => return Kind::Expression(Box::new(expression)),
                Ok(expression) => parts.push(Part::Expression(expression)),
                Err(mistake) => errors.push(CompileError {
                    code: mistake.code,
                    place: place.to_vec(),
                    offset: offset + mistake.offset,
                    length: mistake.length,
                    message: mistake.message,
                    hint: mistake.hint,
                }),
            },
        }
    }
    match parts.as_slice() {
        [] => Kind::Literal(Arc::new(Value::String(String::new()))),
        [Part::Literal(_)] => Kind::Literal(Arc::new(Value::String(text.to_owned()))),
        _ => Kind::Text(parts),
    }
}

/// A template that must give true or false.
#[derive(Debug, Clone)]
pub struct Condition(Template);

impl Condition {
    /// Compiles the text of a condition: `<% … %>`, or the bare word `true` or `false`.
    pub fn compile(value: &Value) -> Result<Self, Vec<CompileError>> {
        let template = Template::compile(value)?;
        match (&template.0, value) {
            (Kind::Expression(_), _) | (Kind::Literal(_), Value::Bool(_)) => Ok(Self(template)),
            _ => Err(vec![CompileError {
                code: code::EXPR_NOT_BOOLEAN,
                place: Vec::new(),
                offset: 0,
                length: 0,
                message: "a condition is one expression that gives true or false".to_owned(),
                hint: Some("write it as `<% … %>`, with nothing around it".to_owned()),
            }]),
        }
    }

    #[cfg(test)]
    pub(crate) const fn of_template(template: Template) -> Self {
        Self(template)
    }

    /// Whether it holds.
    pub fn holds(&self, frame: &Frame) -> Result<bool, EvaluationError> {
        match self.0.render(frame)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(EvaluationError::failed(
                code::EXPR_NOT_BOOLEAN,
                self.source(),
                format!("the condition gave {}, not true or false", kind_name(&other)),
                Some("compare the value with something, such as `… == \"up\"` or `… > 0`".to_owned()),
            )),
        }
    }

    /// The template itself.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.0
    }

    /// It as a file writes it.
    #[must_use]
    pub fn written(&self) -> String {
        match &self.0.0 {
            Kind::Expression(expression) => format!("<% {} %>", expression.source().trim()),
            Kind::Literal(value) => value.to_string(),
            _ => String::new(),
        }
    }

    fn source(&self) -> String {
        match &self.0.0 {
            Kind::Expression(expression) => expression.source().to_owned(),
            _ => String::new(),
        }
    }
}

/// What a JSON value is, for a sentence: "a string", "a map".
#[must_use]
pub const fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
