//! Values for parameters: checked, completed by defaults.

use runner_engine::kind_name;
use runner_model::{Code, code, limits};
use serde_json::{Map, Value};

use super::{Parameter, ParameterError, ParameterKind, Parameters};
use crate::suggest;

impl Parameters {
    /// Checks what was given and adds the defaults. All mistakes are returned.
    ///
    /// A parameter that is neither given nor has a default is left out. `null` fits every parameter that is not required.
    /// An immutable parameter may be given only with the value it has anyway, so that what an execution ran with can be
    /// given to the next one.
    pub fn bind(&self, given: Map<String, Value>) -> Result<Map<String, Value>, Vec<ParameterError>> {
        let mut errors: Vec<_> = too_large(&given).into_iter().collect();
        let mut bound = Map::new();
        for (name, value) in given {
            match self.get(&name) {
                None => errors.push(self.unknown(&name)),
                Some(parameter) => {
                    errors.extend(parameter.check_given(&value).err());
                    bound.insert(name, value);
                }
            }
        }
        for parameter in self {
            if bound.contains_key(&parameter.name) {
                continue;
            }
            if let Some(default) = parameter.default.as_ref().filter(|value| !(parameter.required && value.is_null())) {
                bound.insert(parameter.name.clone(), default.clone());
            } else if parameter.required {
                errors.push(parameter.missing());
            }
        }
        if errors.is_empty() { Ok(bound) } else { Err(errors) }
    }

    /// The error about a parameter that does not exist.
    pub(crate) fn unknown(&self, name: &str) -> ParameterError {
        let what = if self.is_empty() { "there are no parameters" } else { "parameters are" };
        ParameterError {
            code: code::PARAM_UNKNOWN,
            parameter: name.to_owned(),
            message: format!("there is no parameter `{name}`"),
            hint: suggest::hint(name, self.names(), what).or_else(|| Some("the action has no parameters".to_owned())),
        }
    }
}

fn too_large(given: &Map<String, Value>) -> Option<ParameterError> {
    let bytes = serde_json::to_vec(given).map_or(usize::MAX, |json| json.len());
    (bytes > limits::PARAMETERS_BYTES_MAX).then(|| ParameterError {
        code: code::PARAM_TOO_LARGE,
        parameter: String::new(),
        message: format!(
            "the parameters are {bytes} bytes of JSON, at most {} are allowed",
            limits::PARAMETERS_BYTES_MAX
        ),
        hint: Some("pass a reference to large data, such as a URL, rather than the data".to_owned()),
    })
}

impl Parameter {
    fn error(&self, code: Code, message: String, hint: Option<String>) -> ParameterError {
        ParameterError { code, parameter: self.name.clone(), message, hint }
    }

    /// The error about this parameter not being given.
    pub(crate) fn missing(&self) -> ParameterError {
        let hint = match (self.kind, self.enum_values.first().and_then(Value::as_str)) {
            (_, Some(value)) => format!("pass it, for example `{}={value}`", self.name),
            (ParameterKind::Any, None) => format!("pass `{}=…`", self.name),
            (kind, None) => format!("pass `{}=…` ({kind})", self.name),
        };
        self.error(code::PARAM_MISSING, format!("the required parameter `{}` is missing", self.name), Some(hint))
    }

    /// Whether a caller may pass this value.
    pub(crate) fn check_given(&self, value: &Value) -> Result<(), ParameterError> {
        if self.immutable && self.default.as_ref() != Some(value) {
            let message = format!("the parameter `{}` is immutable and cannot be passed", self.name);
            return Err(self.error(code::PARAM_IMMUTABLE, message, Some("leave it out".to_owned())));
        }
        self.check(value)
    }

    /// Whether the value fits the schema.
    pub(crate) fn check(&self, value: &Value) -> Result<(), ParameterError> {
        if value.is_null() {
            return if self.required { Err(self.missing()) } else { Ok(()) };
        }
        let Some(error) = self.validator.iter_errors(value).next() else { return Ok(()) };
        let inner = error.instance_path().to_string();
        let at = if inner.is_empty() { String::new() } else { format!(" at `{inner}`") };
        // A secret's value must not get into a message, and a long one makes it unreadable.
        let reason = if self.secret {
            error.masked().to_string()
        } else {
            error.masked_with(shown(error.instance())).to_string()
        };
        Err(self.error(code::PARAM_INVALID, format!("`{}`{at}: {reason}", self.name), self.type_hint(value)))
    }

    /// What to do about a value of the wrong type.
    fn type_hint(&self, value: &Value) -> Option<String> {
        let right = match self.kind {
            ParameterKind::String => value.is_string(),
            ParameterKind::Integer | ParameterKind::Number => value.is_number(),
            ParameterKind::Boolean => value.is_boolean(),
            ParameterKind::Array => value.is_array(),
            ParameterKind::Object => value.is_object(),
            ParameterKind::Any => true,
        };
        (!right).then(|| format!("the parameter's type is `{}`, this is {}", self.kind, kind_name(value)))
    }
}

/// A value, for a message.
pub(crate) fn shown(value: &Value) -> String {
    /// Enough to recognise it.
    const SHOWN_CHARS_MAX: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    text.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}
