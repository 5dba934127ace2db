//! Builds values from the events of the YAML parser.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Value};

use super::YamlError;
use super::tag::{core_name, enter, scalar_value};
use crate::error::Warning;

const DEEPEST: usize = 100;
const MOST_NODES: usize = 2_000_000;
const BRACES_HINT: &str = "a value that starts with `{{` needs quotes: `\"{{ name }}\"`";

/// Reads the one document of a text.
pub(super) fn document(
    text: &str,
    origin: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Value, YamlError> {
    let mut builder = Builder::new(text);
    let value = builder.document().map_err(|fault| fault.at(text, origin))?;
    warnings.extend(
        builder
            .notes
            .into_iter()
            .map(|note| Warning::new(origin, note)),
    );
    Ok(value)
}

/// The line where the value at a path starts.
pub(super) fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let mut builder = Builder::new(text);
    builder.lines = Some(HashMap::new());
    builder.document().ok()?;
    builder.lines?.get(path).copied()
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// Finished anchors, each with its number of nodes.
    anchors: HashMap<usize, (Value, usize)>,
    nodes: usize,
    notes: Vec<String>,
    /// Where each value starts, kept only when asked for.
    lines: Option<HashMap<Vec<String>, usize>>,
    path: Vec<String>,
}

/// How deep a value is, and whether it stands inside of `!unsafe`.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) depth: usize,
    pub(super) is_unsafe: bool,
}

pub(super) struct Fault {
    pub(super) at: Marker,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

pub(super) type Built<T> = Result<T, Fault>;
type Node<'t> = (Event<'t>, Span);

impl Fault {
    pub(super) fn new(at: Marker, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
        }
    }

    fn at(self, text: &str, origin: &str) -> YamlError {
        let line_text = text
            .lines()
            .nth(self.at.line().saturating_sub(1))
            .unwrap_or_default();
        let hint = self.hint.or_else(|| {
            if line_text.trim_start_matches(' ').starts_with('\t') {
                Some("YAML is indented by spaces, not by tabs")
            } else if line_text.contains(": {{") || line_text.contains("- {{") {
                Some(BRACES_HINT)
            } else {
                None
            }
        });
        YamlError {
            file: origin.to_owned(),
            line: self.at.line(),
            column: self.at.col() + 1,
            message: self.message,
            hint,
        }
    }
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self::new(*error.marker(), error.info())
    }
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let mut options = granit_parser::options! {};
        options.set_emit_comments(false);
        Self {
            events: Parser::new_from_str_with_options(text, options),
            anchors: HashMap::new(),
            nodes: 0,
            notes: Vec::new(),
            lines: None,
            path: Vec::new(),
        }
    }

    fn next(&mut self) -> Built<Node<'t>> {
        match self.events.next_event() {
            Some(event) => Ok(event?),
            None => Ok((Event::StreamEnd, Span::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn document(&mut self) -> Built<Value> {
        let mut value = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(value.unwrap_or(Value::Null)),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if value.is_some() => {
                    return Err(Fault::new(
                        span.start,
                        "expected one document, found the start of a second one",
                    ));
                }
                Event::DocumentStart(..) => value = Some(Value::Null),
                _ => {
                    value = Some(self.value(
                        (event, span),
                        Place {
                            depth: 0,
                            is_unsafe: false,
                        },
                    )?)
                }
            }
        }
    }

    fn value(&mut self, (event, span): Node<'t>, place: Place) -> Built<Value> {
        if let Some(lines) = &mut self.lines {
            lines.entry(self.path.clone()).or_insert(span.start.line());
        }
        if place.depth > DEEPEST {
            return Err(Fault::new(
                span.start,
                format!("nested deeper than {DEEPEST} levels"),
            ));
        }
        let before = self.nodes;
        self.count(1, span.start)?;
        let anchor = event.anchor_id().unwrap_or(0);
        let value = match event {
            Event::Alias(id) => return self.alias(id, span.start),
            Event::Scalar(text, style, _, tag) => {
                scalar_value(text, style, tag.as_deref(), place, span.start)?
            }
            Event::SequenceStart(_, _, tag) => {
                let place = enter(tag.as_deref(), "seq", place, span.start)?;
                Value::Array(self.sequence(place)?)
            }
            Event::MappingStart(_, _, tag) => {
                let is_set = tag.as_deref().and_then(core_name).as_deref() == Some("set");
                let place = enter(
                    tag.as_deref(),
                    if is_set { "set" } else { "map" },
                    place,
                    span.start,
                )?;
                let map = self.mapping(place)?;
                if is_set {
                    Value::Array(map.into_iter().map(|(key, _)| Value::String(key)).collect())
                } else {
                    Value::Object(map)
                }
            }
            _ => return Err(Fault::new(span.start, "expected a value")),
        };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (value.clone(), self.nodes - before));
        }
        Ok(value)
    }

    fn count(&mut self, nodes: usize, at: Marker) -> Built<()> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            return Err(Fault::new(
                at,
                format!("the document has more than {MOST_NODES} nodes, aliases counted"),
            ));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, at: Marker) -> Built<Value> {
        let Some(size) = self.anchors.get(&id).map(|(_, size)| *size) else {
            return Err(Fault::new(
                at,
                "an alias stands inside of the value that it names",
            ));
        };
        self.count(size, at)?;
        Ok(self
            .anchors
            .get(&id)
            .map(|(value, _)| value.clone())
            .unwrap_or_default())
    }

    fn sequence(&mut self, place: Place) -> Built<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            let node = self.next()?;
            if node.0 == Event::SequenceEnd {
                return Ok(items);
            }
            let item = self.at_key(
                || items.len().to_string(),
                |builder| builder.value(node, place),
            )?;
            items.push(item);
        }
    }

    fn at_key<T>(
        &mut self,
        key: impl FnOnce() -> String,
        work: impl FnOnce(&mut Self) -> Built<T>,
    ) -> Built<T> {
        if self.lines.is_none() {
            return work(self);
        }
        self.path.push(key());
        let done = work(self);
        self.path.pop();
        done
    }

    fn mapping(&mut self, place: Place) -> Built<Map<String, Value>> {
        let mut merged = Map::new();
        let mut own = Map::new();
        loop {
            let node = self.next()?;
            let at = node.1.start;
            if node.0 == Event::MappingEnd {
                break;
            }
            if matches!(&node.0, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<") {
                let node = self.next()?;
                merge(&mut merged, self.value(node, place)?, at)?;
                continue;
            }
            let key = self.key(node)?;
            let node = self.next()?;
            let value = self.at_key(|| key.clone(), |builder| builder.value(node, place))?;
            if own.contains_key(&key) {
                self.notes.push(format!(
                    "line {}: the key `{key}` is given twice, and the last one counts",
                    at.line()
                ));
            }
            own.insert(key, value);
        }
        if merged.is_empty() {
            return Ok(own);
        }
        merged.extend(own);
        Ok(merged)
    }

    fn key(&mut self, node: Node<'t>) -> Built<String> {
        let at = node.1.start;
        let is_mapping = matches!(node.0, Event::MappingStart(..));
        let value = match node.0 {
            Event::Scalar(..) | Event::Alias(_) => self.value(
                node,
                Place {
                    depth: 0,
                    is_unsafe: false,
                },
            )?,
            _ => Value::Array(Vec::new()),
        };
        match value {
            Value::String(text) => Ok(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            Value::Array(_) | Value::Object(_) => {
                let hint = is_mapping.then_some(BRACES_HINT);
                Err(Fault {
                    hint,
                    ..Fault::new(at, "a key must be a plain value, not a list or a mapping")
                })
            }
        }
    }
}

/// Takes over what `<<` names: of several mappings the first wins.
fn merge(merged: &mut Map<String, Value>, value: Value, at: Marker) -> Built<()> {
    match value {
        Value::Object(map) => merged.extend(map),
        Value::Array(maps) => {
            for map in maps.into_iter().rev() {
                let Value::Object(map) = map else {
                    return Err(Fault::new(at, MERGE));
                };
                merged.extend(map);
            }
        }
        _ => return Err(Fault::new(at, MERGE)),
    }
    Ok(())
}

const MERGE: &str = "`<<` takes a mapping or a list of mappings";
