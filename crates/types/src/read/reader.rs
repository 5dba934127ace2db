//! The reader: where it is in the document, and what it found wrong so far.

use indexmap::IndexMap;
use serde_json::Value;

use super::object::ReadFields;
use super::path::{PathText, Step};
use super::spelling::closest;
use crate::Object;
use crate::problem::{PlanProblem, PlanWarning};

/// How deep values may be nested; deeper ones come only from hand-made values, JSON text ends at 128.
const MAX_DEPTH: usize = 140;

/// A type that can be read from a JSON value.
pub(crate) trait Read: Sized {
    /// Reads `value`, which is not null; where that fails, notes why and gives nothing.
    fn read(value: Value, at: &mut Reader) -> Option<Self>;
}

/// Reads a value on its own, as for `Deserialize`: all that is wrong is one text.
pub(crate) fn read_value<T: Read>(value: Value) -> Result<T, String> {
    let mut at = Reader::default();
    let read = T::read(value, &mut at);
    match read {
        Some(read) if at.problems.is_empty() => Ok(read),
        _ => Err(at
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")),
    }
}

/// Where the reader is, and what it found.
#[derive(Default)]
pub(crate) struct Reader {
    path: Vec<Step>,
    objects: Vec<OpenObject>,
    problems: Vec<PlanProblem>,
    unknown: IndexMap<String, UnknownField>,
}

/// An object that is being read.
struct OpenObject {
    noun: &'static str,
    id: Option<String>,
    fields: fn(&mut Vec<&'static str>),
}

/// A field that no type knows, with its first place.
struct UnknownField {
    path: String,
    message: String,
    more: usize,
}

impl Reader {
    /// Takes the field that has one of `keys` and reads it; missing, null or wrong gives the default.
    pub(crate) fn field<T: Read + Default>(
        &mut self,
        object: &mut Object,
        keys: &[&'static str],
    ) -> T {
        let mut read = None;
        for key in keys {
            match object.shift_remove(*key) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    let this = self.within(Step::Field(key), |at| T::read(value, at));
                    read = read.or(this);
                }
            }
        }
        read.unwrap_or_default()
    }

    /// Takes a field that must be there and reads it.
    pub(crate) fn required<T: Read + Default>(
        &mut self,
        object: &mut Object,
        key: &'static str,
    ) -> T {
        if object.get(key).is_none_or(Value::is_null) {
            self.problem(format!("missing field `{key}`"));
        }
        self.field(object, &[key])
    }

    /// Does `work` one step further down.
    pub(crate) fn within<R>(&mut self, step: Step, work: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(step);
        let result = work(self);
        self.path.pop();
        result
    }

    /// Reads an object of known fields.
    pub(crate) fn object<T: ReadFields>(&mut self, value: Value, noun: &'static str) -> Option<T> {
        if self.path.len() > MAX_DEPTH {
            self.problem("nested too deeply");
            return None;
        }
        let Value::Object(mut object) = value else {
            self.expected(&format!("{} {noun} (an object)", article(noun)), &value);
            return None;
        };
        self.objects.push(OpenObject {
            noun,
            id: id_of(&object),
            fields: T::field_names,
        });
        let read = T::take_fields(&mut object, self);
        self.objects.pop();
        Some(read)
    }

    /// Notes a mistake at this place.
    pub(crate) fn problem(&mut self, message: impl Into<String>) -> &mut PlanProblem {
        let problem = PlanProblem::new(self.path(), message);
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Notes that something else was found than what is accepted here.
    pub(crate) fn expected(&mut self, accepted: &str, found: &Value) -> &mut PlanProblem {
        self.problem(format!("expected {accepted}, found {}", shown(found)))
    }

    /// Notes fields that the object being read does not know, one warning a name.
    pub(crate) fn unknown_fields<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        for name in names {
            if let Some(seen) = self.unknown.get_mut(name) {
                seen.more += 1;
                continue;
            }
            let message = self.unknown_field_message(name);
            let path = self.path();
            self.unknown.insert(
                name.clone(),
                UnknownField {
                    path,
                    message,
                    more: 0,
                },
            );
        }
    }

    fn unknown_field_message(&self, name: &str) -> String {
        let Some(object) = self.objects.last() else {
            return format!("unknown field `{name}`");
        };
        let mut known = Vec::new();
        (object.fields)(&mut known);
        let whom = match &object.id {
            Some(id) => format!("{} `{id}`", object.noun),
            None => object.noun.to_owned(),
        };
        match closest(name, known.iter().copied()) {
            Some(near) => format!("unknown field `{name}` in {whom}; did you mean `{near}`?"),
            None => format!("unknown field `{name}` in {whom}"),
        }
    }

    /// What was found, once reading is over: problems, then warnings.
    pub(crate) fn finish(self) -> (Vec<PlanProblem>, Vec<PlanWarning>) {
        let unknown = self.unknown.into_values().map(|field| {
            let message = match field.more {
                0 => field.message,
                more => format!("{} (and {more} more)", field.message),
            };
            PlanWarning::new(field.path, message)
        });
        (self.problems, unknown.collect())
    }

    fn path(&self) -> String {
        PathText(&self.path).to_string()
    }
}

/// What the user calls an object: the first of its names that it has.
fn id_of(object: &Object) -> Option<String> {
    [
        "task_id",
        "handler_id",
        "batch_id",
        "group_id",
        "play_id",
        "name",
    ]
    .iter()
    .find_map(|key| object.get(*key).and_then(Value::as_str))
    .map(str::to_owned)
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    }
}

/// A value as a message shows it: short ones as they are, others by their kind.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!(
                "\"{}…\"",
                text.chars()
                    .take(LONGEST)
                    .collect::<String>()
                    .escape_debug()
            )
        }
        other => other.to_string(),
    }
}
