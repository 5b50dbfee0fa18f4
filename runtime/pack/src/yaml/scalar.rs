//! What a plain scalar means: YAML 1.2's core schema, less what JSON cannot hold.

use serde_json::Number;

use super::{Kind, Style};

/// Why a plain scalar has no exact value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadNumber {
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

const TOO_LARGE: BadNumber = BadNumber {
    message: "this number is too large to be kept exactly",
    hint: "put it in quotes if it is an identifier rather than a quantity",
};
const NOT_JSON: BadNumber = BadNumber {
    message: "JSON has no infinity and no not-a-number",
    hint: "write an ordinary number, or put the word in quotes",
};

/// The value of a plain scalar. `014`, `1_000`, `yes`, `off` and dates are texts.
pub(super) fn resolve(text: &str) -> Result<Kind, BadNumber> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" => return Ok(Kind::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Kind::Bool(false)),
        _ => {}
    }
    let number = match number(text) {
        Some(number) => number?,
        None => return Ok(Kind::Text(text.to_owned(), Style::Plain)),
    };
    Ok(Kind::Number(number))
}

/// The number that comes nearest to one that is refused, so that nothing else seems wrong with it.
pub(super) fn stand_in(text: &str) -> Kind {
    let nearest = text.parse::<f64>().ok().filter(|number| number.is_finite()).unwrap_or(f64::MAX);
    Number::from_f64(nearest).map_or(Kind::Null, Kind::Number)
}

/// The number that the text is, if it is written as one.
fn number(text: &str) -> Option<Result<Number, BadNumber>> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Err(NOT_JSON));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if leading_zero(unsigned) {
        return None;
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return Some(whole.map_err(|_| TOO_LARGE));
    }
    is_float(unsigned).then(|| text.parse().ok().and_then(Number::from_f64).ok_or(TOO_LARGE))
}

fn radix(digits: &str, radix: u32) -> Option<Result<Number, BadNumber>> {
    let legal = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    legal.then(|| u64::from_str_radix(digits, radix).map(Number::from).map_err(|_| TOO_LARGE))
}

/// `014`: 14 to YAML 1.2, 12 to YAML 1.1, and often an identifier. It stays a text.
pub(crate) fn leading_zero(unsigned: &str) -> bool {
    matches!(unsigned.as_bytes(), [b'0', second, ..] if second.is_ascii_digit())
}

/// `[0-9]*` with a point or an exponent: `1.5`, `.5`, `2.`, `1e3`.
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Node;
    use super::*;
    use crate::source::Span;

    fn value(text: &str) -> Value {
        Node { span: Span::default(), kind: resolve(text).unwrap() }.to_value()
    }

    #[test]
    fn plain_scalars_have_the_types_of_the_core_schema() {
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(value(text), Value::Null, "{text}");
        }
        assert_eq!(value("true"), json!(true));
        assert_eq!(value("False"), json!(false));
        assert_eq!(value("-17"), json!(-17));
        assert_eq!(value("+17"), json!(17));
        assert_eq!(value("18446744073709551615"), json!(u64::MAX));
        assert_eq!(value("0x1F"), json!(31));
        assert_eq!(value("0o17"), json!(15));
        assert_eq!(value("1.5e3"), json!(1500.0));
        assert_eq!(value(".5"), json!(0.5));
    }

    #[test]
    fn what_other_yaml_versions_read_otherwise_stays_text() {
        for text in [
            "NO",
            "yes",
            "on",
            "off",
            "y",
            "014",
            "-014",
            "0o9",
            "0x",
            "1_000",
            "12:30:45",
            "2026-11-21",
            ".",
            "1.2.3",
            "e3",
            "1e",
            "-",
            "+",
            "--1",
            "infinity",
            "nan",
            "1.0.0-rc.1",
        ] {
            assert_eq!(value(text), json!(text), "{text}");
        }
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_refused() {
        for text in ["18446744073709551616", "-9223372036854775809", "1e999", "0xFFFFFFFFFFFFFFFFF"] {
            assert_eq!(resolve(text).unwrap_err(), TOO_LARGE, "{text}");
        }
        for text in [".inf", "-.Inf", ".nan"] {
            assert_eq!(resolve(text).unwrap_err(), NOT_JSON, "{text}");
        }
    }
}
