//! The spans of one execution, made of its journal: one for itself, one for each step, item and attempt. **Only names,
//! numbers, codes and times go into them**, no parameter, result or message: a trace is kept by others.
//!
//! Every id follows from what it is the id of, so that a trace that is made twice is the same one. The span of an attempt
//! is the one that its guest was told of, and so the one that a sub-workflow's execution names as its parent.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status as SpanStatus, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use runner_executor::{TraceParent, UnitId, unit_key};
use runner_model::{
    AttemptNumber, Entry, ExecutionId, ExecutionView, Fact, ItemView, Origin, Requested, Status, StepId, StepView,
    Timestamp,
};

use super::times::{Times, Tried, Unit};

/// The spans of an execution that has ended; none if it has not, or if whoever asked for it wants no trace of it.
pub(super) fn spans(id: ExecutionId, entries: &[Entry]) -> Vec<SpanData> {
    let Some(view) = ExecutionView::fold(id, entries) else { return Vec::new() };
    let (Some(Fact::Requested(requested)), Some(end)) =
        (entries.first().map(|first| &first.fact), view.record.finished_at)
    else {
        return Vec::new();
    };
    let around = requested.trace_parent.as_deref().and_then(|text| text.parse::<TraceParent>().ok());
    let place = Place { execution: id, around, end };
    if !place.is_wanted() {
        return Vec::new();
    }
    let times = Times::of(entries);
    let mut spans = vec![place.execution(&view, requested)];
    for step in &view.steps {
        let own = place.step(step, &times);
        let within = own.span_context.span_id();
        spans.push(own);
        place.attempts((step.step, None), within, &times, &mut spans);
        for item in step.items.iter().flatten() {
            place.item(step.step, item, within, &times, &mut spans);
        }
    }
    spans
}

/// The execution that all of it is about.
struct Place {
    execution: ExecutionId,
    around: Option<TraceParent>,
    /// When it ended: what has no end of its own ended then.
    end: Timestamp,
}

/// What makes a span, apart from where it is.
struct Drawn {
    name: String,
    status: Status,
    code: Option<String>,
    from: Timestamp,
    to: Timestamp,
    attributes: Vec<KeyValue>,
}

impl Place {
    /// Whether whoever asked keeps the trace: what is not sampled there would be a trace without a beginning here.
    fn is_wanted(&self) -> bool {
        self.around.is_none_or(|around| parts(around).2.is_sampled())
    }

    fn execution(&self, view: &ExecutionView, requested: &Requested) -> SpanData {
        let record = &view.record;
        let mut attributes = vec![
            KeyValue::new("runner.execution_id", record.id.to_string()),
            KeyValue::new("runner.action", record.action.to_string()),
            KeyValue::new("runner.status", record.status.as_str()),
            KeyValue::new("runner.pack.version", requested.pack_version.clone()),
        ];
        if let Origin::Rule { rule, event, .. } = &record.origin {
            attributes.push(KeyValue::new("runner.rule", rule.to_string()));
            attributes.push(KeyValue::new("runner.event_id", event.to_string()));
        }
        let drawn = Drawn {
            name: record.action.to_string(),
            status: record.status,
            code: view.errors.first().map(|error| error.code.clone()),
            from: record.created_at,
            to: self.end,
            attributes,
        };
        let parent = self.around.map_or(SpanId::INVALID, |around| parts(around).1);
        SpanData { parent_span_is_remote: parent != SpanId::INVALID, ..self.span(self.own(), parent, drawn) }
    }

    fn step(&self, step: &StepView, times: &Times) -> SpanData {
        let unit = (step.step, None);
        let mut attributes = vec![
            KeyValue::new("runner.task", step.task.to_string()),
            KeyValue::new("runner.step", i64::from(step.step.0)),
            KeyValue::new("runner.route", i64::from(step.route.0)),
            KeyValue::new("runner.status", step.status.as_str()),
        ];
        attributes.extend(step.action.iter().map(|action| KeyValue::new("runner.action", action.to_string())));
        let drawn = Drawn {
            name: step.task.to_string(),
            status: step.status,
            code: step.failure.as_ref().map(|failure| failure.code.clone()),
            from: step.scheduled_at,
            to: times.end(unit).unwrap_or(self.end),
            attributes,
        };
        self.span(self.of_unit(unit), self.own(), drawn)
    }

    /// An item with its attempts; nothing if its turn never came.
    fn item(&self, step: StepId, item: &ItemView, parent: SpanId, times: &Times, spans: &mut Vec<SpanData>) {
        let unit = (step, Some(item.item));
        let Some(from) = times.begin(unit) else { return };
        let attributes = vec![
            KeyValue::new("runner.item", i64::from(item.item.0)),
            KeyValue::new("runner.status", item.status.as_str()),
        ];
        let drawn = Drawn {
            name: "item".to_owned(),
            status: item.status,
            code: item.failure.as_ref().map(|failure| failure.code.clone()),
            from,
            to: times.end(unit).unwrap_or(self.end),
            attributes,
        };
        let own = self.of_unit(unit);
        spans.push(self.span(own, parent, drawn));
        self.attempts(unit, own, times, spans);
    }

    fn attempts(&self, unit: Unit, parent: SpanId, times: &Times, spans: &mut Vec<SpanData>) {
        for (attempt, tried) in times.attempts(unit) {
            let id = self.id(&key(self.execution, unit), attempt);
            spans.push(self.span(id, parent, self.attempt(attempt, tried)));
        }
    }

    fn attempt(&self, attempt: AttemptNumber, tried: &Tried) -> Drawn {
        let attributes = vec![
            KeyValue::new("runner.attempt", i64::from(attempt.0)),
            KeyValue::new("runner.outcome", tried.status.as_str()),
        ];
        Drawn {
            name: "attempt".to_owned(),
            status: tried.status,
            code: tried.code.clone(),
            from: tried.from,
            to: tried.to.unwrap_or(self.end),
            attributes,
        }
    }

    fn span(&self, id: SpanId, parent: SpanId, drawn: Drawn) -> SpanData {
        let Drawn { name, status, code, from, to, mut attributes } = drawn;
        let failed = matches!(status, Status::Failed | Status::Timeout | Status::Abandoned);
        let code = code.filter(|_| failed);
        attributes.extend(code.iter().map(|code| KeyValue::new("error.type", code.clone())));
        let (trace, _, _) = parts(self.around.unwrap_or_else(|| self.made(OWN, AttemptNumber(0))));
        SpanData {
            span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: moment(from),
            end_time: moment(to.max(from)),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if failed { SpanStatus::error(code.unwrap_or_default()) } else { SpanStatus::Unset },
            instrumentation_scope: InstrumentationScope::builder("runner")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }

    /// The span of the execution itself.
    fn own(&self) -> SpanId {
        self.id(OWN, AttemptNumber(0))
    }

    /// The span of a step or an item: attempts are counted from 1, so that this is none of theirs.
    fn of_unit(&self, unit: Unit) -> SpanId {
        self.id(&key(self.execution, unit), AttemptNumber(0))
    }

    fn id(&self, key: &str, attempt: AttemptNumber) -> SpanId {
        parts(self.made(key, attempt)).1
    }

    fn made(&self, key: &str, attempt: AttemptNumber) -> TraceParent {
        TraceParent::of_attempt(self.around, self.execution, key, attempt)
    }
}

/// What no key of an attempt is.
const OWN: &str = "execution";

/// What the spans of a unit's attempts are named by.
fn key(execution: ExecutionId, (step, item): Unit) -> String {
    unit_key(execution, UnitId { step, item })
}

/// Trace, span and flags, out of the text that says them.
fn parts(of: TraceParent) -> (TraceId, SpanId, TraceFlags) {
    let text = of.to_string();
    let mut parts = text.split('-').skip(1);
    let mut part = || parts.next().unwrap_or_default();
    let trace = TraceId::from_hex(part()).unwrap_or(TraceId::INVALID);
    let span = SpanId::from_hex(part()).unwrap_or(SpanId::INVALID);
    (trace, span, TraceFlags::new(u8::from_str_radix(part(), 16).unwrap_or_default()))
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or_default())
}
