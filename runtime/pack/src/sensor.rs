//! `sensors/<name>.yaml`: what is asked again and again whether something has happened.

mod trigger_type;

use std::path::PathBuf;
use std::time::Duration;

use runner_model::{PackRef, SensorRef, code, limits};

use crate::action::split_entry_point;
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign};
use crate::metadata::{self, Head};
use crate::source::Span;
use crate::time::{self, Range};
use crate::yaml::Node;

pub use trigger_type::TriggerType;

/// A function that is called on an interval, and emits events.
#[derive(Debug, Clone)]
pub struct Sensor {
    /// Its full name.
    pub reference: SensorRef,
    /// What it looks for.
    pub description: String,
    /// Whether it is in force where the operator says nothing.
    pub enabled: bool,
    /// The component that holds it: a key of [`crate::Pack::components`].
    pub component: String,
    /// Its name within the component.
    pub function: String,
    /// From the end of one look to the beginning of the next.
    pub interval: Duration,
    /// How long a look may take; none is the operator's limit.
    pub timeout: Option<Duration>,
    /// What it emits.
    pub triggers: Vec<TriggerType>,
    /// The file that describes it.
    pub source: PathBuf,
}

/// What was read of a sensor's file.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) sensor: Option<Sensor>,
    /// What it emits, and where each is declared.
    pub(crate) triggers: Vec<(TriggerType, Span)>,
    /// Whether these are all.
    pub(crate) is_whole: bool,
    /// The component it needs, and where to point if there is none.
    pub(crate) component: Option<(String, Span)>,
}

const INTERVAL: Range = Range { min: limits::SENSOR_INTERVAL_MIN, max: limits::FLOW_TIME_MAX, example: "30" };
const TIMEOUT: Range = Range { min: Duration::from_millis(1), max: limits::ACTION_TIMEOUT_MAX, example: "30" };

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("class_name", "write `function`: what the component calls the sensor"),
        ("artifact_uri", "remove it"),
        ("pack", "remove it: the directory says which pack it is"),
        ("ref", "remove it: the directory and the file's name are the reference"),
        ("uid", "remove it"),
        ("metadata_file", "remove it"),
        ("triggers", "write `trigger_types`"),
        ("every", "write `interval`"),
        ("schedule", "write `interval`"),
        ("runner_type", "remove it: a sensor is a function of a component"),
        ("parameters", "a sensor has none: what it needs stands in the pack's configuration"),
    ],
};

pub(crate) fn read(file: &Document<'_>, node: &Node, pack: &PackRef, reference: SensorRef) -> Read {
    let Some(mut fields) = Fields::open_root(file, node, "the sensor") else { return Read::default() };
    let Head { description, enabled } = metadata::head(file, &mut fields, reference.name());
    let body = body(file, &mut fields, pack, reference.name());
    let interval = interval(file, &mut fields);
    let timeout = time::read(file, &mut fields, "timeout", &TIMEOUT);
    let types = fields.get("trigger_types").map(|node| trigger_type::read(file, node, pack));
    let types = fields.require("trigger_types", types, "[{name: something_happened}]");
    let all_known = fields.finish(&FOREIGN);

    let (triggers, types_whole) = types.unwrap_or_default();
    let component = body.as_ref().map(|body| (body.component.clone(), body.place));
    let sensor = body.map(|body| Sensor {
        reference,
        description,
        enabled,
        component: body.component,
        function: body.function,
        interval,
        timeout,
        triggers: triggers.iter().map(|(kind, _)| kind.clone()).collect(),
        source: file.source.path().to_owned(),
    });
    Read { sensor, triggers, is_whole: types_whole && all_known, component }
}

/// What is called, and where to point if there is no such component.
struct Body {
    component: String,
    function: String,
    place: Span,
}

/// `component` and `function`, or both as an action's `entry_point`.
fn body(file: &Document<'_>, fields: &mut Fields<'_>, pack: &PackRef, name: &str) -> Option<Body> {
    let entry_place = fields.place_of("entry_point");
    let entry_point = fields.text("entry_point");
    let (component_place, function_place) = (fields.place_of("component"), fields.place_of("function"));
    let component = fields.text("component");
    let function = fields.text("function");
    if let Some(entry_point) = entry_point {
        for (key, place) in
            [("component", component.map(|_| component_place)), ("function", function.map(|_| function_place))]
        {
            let Some(place) = place else { continue };
            let message = format!("`entry_point` says which `{key}` it is");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint("remove one of the two"));
        }
        if entry_point.ends_with(".py") {
            let message = "sensors run as WebAssembly: a Python file is none";
            let hint = "build a component, and write `component` and `function`";
            file.add(Mistake::new(code::PACK_BAD_VALUE, entry_place, message).hint(hint));
            return None;
        }
    }
    let place = if entry_point.is_some() { entry_place } else { component_place };
    let entry_point = entry_point
        .map_or_else(|| format!("{}#{}", component.unwrap_or(pack.as_str()), function.unwrap_or(name)), str::to_owned);
    let found = split_entry_point(pack, &entry_point);
    if found.is_none() {
        let message = format!("`{entry_point}` is not a function of a component");
        let hint = "write `component: name` for `components/name.wasm`, and `function: name`";
        let place = if function.is_some() && component.is_none() { function_place } else { place };
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
    }
    found.map(|(component, function)| Body { component, function, place })
}

/// `interval`, or StackStorm's `poll_interval`.
fn interval(file: &Document<'_>, fields: &mut Fields<'_>) -> Duration {
    let (own, other) = (fields.get("interval"), fields.get("poll_interval"));
    if let (Some(_), Some(node)) = (own, other) {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "`poll_interval` and `interval` are the same key");
        file.add(mistake.hint("remove one of the two"));
    }
    let key = if own.is_some() { "interval" } else { "poll_interval" };
    own.or(other).and_then(|node| time::value(file, node, key, &INTERVAL)).unwrap_or(limits::SENSOR_INTERVAL)
}
