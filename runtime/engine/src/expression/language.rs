//! The one rhai engine of the process: which of the language there is, its limits, and what its errors mean.

use std::sync::OnceLock;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage, LogicPackage,
    MoreStringPackage, Package,
};
use rhai::{Engine, EvalAltResult, OptimizationLevel, ParseError, ParseErrorType, Position};
use runner_model::{Code, code, limits};

use super::{Mistake, frame, functions};

pub(super) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        // `new_raw` has neither `print`, `debug`, `sleep`, `timestamp` nor a module resolver.
        let mut engine = Engine::new_raw();
        ArithmeticPackage::new().register_into_engine(&mut engine);
        LogicPackage::new().register_into_engine(&mut engine);
        BasicStringPackage::new().register_into_engine(&mut engine);
        MoreStringPackage::new().register_into_engine(&mut engine);
        BasicArrayPackage::new().register_into_engine(&mut engine);
        BasicMapPackage::new().register_into_engine(&mut engine);
        BasicMathPackage::new().register_into_engine(&mut engine);
        functions::register(&mut engine);
        // So that the comparisons registered above win over the built-in ones.
        engine.set_fast_operators(false);
        for symbol in
            ["eval", "import", "export", "sleep", "print", "debug", "global", "this", "type_of", "Fn", "call", "curry"]
        {
            engine.disable_symbol(symbol);
        }
        limit(&mut engine);
        engine
    })
}

fn limit(engine: &mut Engine) {
    engine
        // The optimiser computes constants with the built-in comparisons, whatever is registered.
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_max_operations(limits::EXPRESSION_OPERATIONS_MAX)
        .set_max_expr_depths(limits::EXPRESSION_DEPTH_MAX, limits::EXPRESSION_DEPTH_MAX)
        .set_max_call_levels(limits::EXPRESSION_CALLS_MAX)
        .set_max_string_size(limits::EXPRESSION_STRING_BYTES_MAX)
        .set_max_array_size(limits::EXPRESSION_ELEMENTS_MAX)
        .set_max_map_size(limits::EXPRESSION_ELEMENTS_MAX)
        // Closures of `map` and `filter` are functions, their parameters variables. Modules are not built in (`no_module`).
        .set_max_functions(limits::EXPRESSION_CALLS_MAX)
        .set_max_variables(limits::EXPRESSION_VARIABLES_MAX)
        // The limits above bound the work to some seconds at worst (every operation on the largest text); this bounds
        // it to one, whatever the machine. It is the only place where a decision depends on how fast a machine is.
        .on_progress(|_| frame::spent_too_long().then_some(rhai::Dynamic::UNIT));
}

/// Where a position of rhai's (line and column, in characters) is, in bytes.
fn offset(source: &str, position: Position) -> usize {
    let Some(line) = position.line() else { return source.trim_end().len() };
    let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let column = position.position().unwrap_or(1) - 1;
    let rest = source.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

pub(super) fn mistake(source: &str, error: &ParseError) -> Mistake {
    let at = offset(source, error.position());
    let hint = match error.err_type() {
        ParseErrorType::VariableUndefined(name) => {
            Some(format!("context variables are read with `ctx(\"{name}\")`; a text stands in quotes: `\"{name}\"`"))
        }
        ParseErrorType::MissingToken(token, _) => Some(format!("a `{token}` is missing")),
        _ => foreign_word(source.get(at..).unwrap_or_default()),
    };
    let hint = if source.contains("$.") || source.contains("{{") {
        Some("expressions are written in rhai, not YAQL or Jinja: `ctx(\"name\")`, `result().field`".to_owned())
    } else {
        hint
    };
    let code = match error.err_type() {
        ParseErrorType::ExprTooDeep | ParseErrorType::LiteralTooLarge(..) => code::EXPR_LIMIT,
        _ => code::EXPR_SYNTAX,
    };
    let text = lowercase_first(&error.err_type().to_string());
    Mistake { code, offset: at, length: 0, message: text, hint }
}

/// What somebody meant who wrote a word of another language.
fn foreign_word(rest: &str) -> Option<String> {
    let word: String = match rest.chars().next() {
        Some(first) if first.is_alphabetic() => rest.chars().take_while(|c| c.is_alphanumeric()).collect(),
        _ => rest.chars().take_while(char::is_ascii_punctuation).collect(),
    };
    let meaning = match word.as_str() {
        "and" => "`and` is written `&&`",
        "or" => "`or` is written `||`",
        "not" => "`not` is written `!`",
        "null" | "None" | "none" | "nil" => "null is written `()`",
        "is" => "equality is written `==`",
        "=" | "===" => "equality is written `==`",
        "!==" | "<>" => "inequality is written `!=`",
        _ => return None,
    };
    Some(meaning.to_owned())
}

fn lowercase_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// What an error of evaluation means: its code, a lowercase sentence, and a hint.
pub(super) fn explain(error: &EvalAltResult) -> (Code, String, Option<String>) {
    use EvalAltResult as E;
    match error {
        E::ErrorTooManyOperations(_) => {
            (code::EXPR_LIMIT, "too many operations".to_owned(), Some("move the work into an action".to_owned()))
        }
        E::ErrorTerminated(..) => (
            code::EXPR_LIMIT,
            format!("took longer than {} ms", limits::EXPRESSION_TIME_MAX.as_millis()),
            Some("move the work into an action".to_owned()),
        ),
        E::ErrorStackOverflow(_) | E::ErrorTooManyVariables(_) => {
            (code::EXPR_LIMIT, "too many nested calls".to_owned(), None)
        }
        E::ErrorDataTooLarge(what, _) => (code::EXPR_LIMIT, format!("{} is too large", lowercase_first(what)), None),
        E::ErrorPropertyNotFound(name, _) => (
            code::EXPR_RUNTIME,
            format!("there is no `{name}` in the map"),
            Some(format!("if it may be missing, write `get(…, \"{name}\", ())`, or ask `\"{name}\" in …` first")),
        ),
        E::ErrorFunctionNotFound(signature, _) => (code::EXPR_RUNTIME, not_found(signature), unit_hint(signature)),
        E::ErrorInFunctionCall(_, _, inner, _) => explain(inner),
        E::ErrorRuntime(value, _) => (code::EXPR_RUNTIME, value.to_string(), None),
        E::ErrorDotExpr(what, _) => (code::EXPR_RUNTIME, lowercase_first(what), unit_hint(what)),
        E::ErrorIndexingType(what, _) => {
            (code::EXPR_RUNTIME, format!("{} cannot be indexed like this", plain_types(what)), None)
        }
        E::ErrorMismatchDataType(wanted, found, _) => {
            (code::EXPR_RUNTIME, format!("{} is needed here, not {}", plain_types(wanted), plain_types(found)), None)
        }
        other => {
            let mut inner = other.to_string();
            // The position is the expression's own line, which the message does not need.
            if let Some(at) = inner.rfind(" (line ") {
                inner.truncate(at);
            }
            (code::EXPR_RUNTIME, lowercase_first(&inner), None)
        }
    }
}

/// `+ (map, i64)` as a sentence.
fn not_found(signature: &str) -> String {
    match signature.split_once(" (") {
        Some((name, types)) => {
            let types = plain_types(types.trim_end_matches(')'));
            if types.is_empty() {
                format!("`{name}` needs values")
            } else {
                format!("`{name}` cannot be applied to ({types})")
            }
        }
        None => format!("there is no function `{signature}`"),
    }
}

fn unit_hint(signature: &str) -> Option<String> {
    signature.contains("()").then(|| "one of the values is null: give a default with `?? …`".to_owned())
}

/// What a value is, for a sentence.
pub(super) fn kind(value: &rhai::Dynamic) -> String {
    plain_types(value.type_name())
}

/// Rhai's type names in the words of JSON.
fn plain_types(types: &str) -> String {
    types
        .replace("&str | ImmutableString | String", "string")
        .replace("ImmutableString", "string")
        .replace("string | string", "string")
        .replace("i64", "integer")
        .replace("f64", "number")
        .replace("array", "list")
        .replace("()", "null")
}
