//! The arguments of a filter, a test or a function: by place or by name, as Python takes them.

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::convert::check;
use crate::error::invalid;
use crate::filters::operators::defined;
use crate::python::{py_str, type_name};

/// What a filter is given beside the value.
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Value>,
    named: Option<Kwargs>,
}

impl Arguments {
    pub(crate) fn new(values: &[Value]) -> Result<Self, Error> {
        let (positional, named): (&[Value], Kwargs) = from_args(values)?;
        for value in positional {
            defined(&check(value.clone())?)?;
        }
        let given = named.args().next().is_some();
        let named = given.then_some(named);
        Ok(Self {
            positional: positional.to_vec(),
            named,
        })
    }

    /// The argument at a place or of a name; null counts as given.
    pub(crate) fn get(&self, place: usize, name: &str) -> Option<Value> {
        if let Some(value) = self.positional.get(place) {
            return Some(value.clone());
        }
        self.keyword(name)
    }

    /// The argument of a name.
    pub(crate) fn keyword(&self, name: &str) -> Option<Value> {
        self.named
            .as_ref()
            .and_then(|named| named.get::<Value>(name).ok())
    }

    /// The names of all keyword arguments.
    pub(crate) fn keywords(&self) -> Vec<String> {
        self.named
            .iter()
            .flat_map(|named| named.args().map(str::to_owned))
            .collect()
    }

    pub(crate) fn required(&self, place: usize, name: &str) -> Result<Value, Error> {
        self.get(place, name).ok_or_else(|| {
            Error::new(
                ErrorKind::MissingArgument,
                format!("the argument `{name}` is missing"),
            )
        })
    }

    pub(crate) fn text(&self, place: usize, name: &str) -> Option<String> {
        self.get(place, name)
            .filter(|value| !value.is_none())
            .map(|value| py_str(&value))
    }

    pub(crate) fn text_or(&self, place: usize, name: &str, default: &str) -> String {
        self.text(place, name).unwrap_or_else(|| default.to_owned())
    }

    pub(crate) fn flag(&self, place: usize, name: &str, default: bool) -> bool {
        self.get(place, name)
            .map_or(default, |value| value.is_true())
    }

    pub(crate) fn whole(&self, place: usize, name: &str) -> Result<Option<i64>, Error> {
        match self.get(place, name) {
            None => Ok(None),
            Some(value) if value.is_none() => Ok(None),
            Some(value) if value.kind() == ValueKind::Bool => Ok(Some(i64::from(value.is_true()))),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| {
                invalid(format!(
                    "the argument `{name}` must be a whole number, not {}",
                    type_name(&value)
                ))
            }),
        }
    }
}

/// A filter or test that sees only its value and arguments.
pub(crate) type Plain = fn(&Value, &Arguments) -> Result<Value, Error>;
/// A filter that calls other filters or looks variables up.
pub(crate) type Stateful = fn(&mut State<'_, '_>, &Value, &Arguments) -> Result<Value, Error>;

/// Adds filters; an undefined value is an error before the filter sees it.
pub(crate) fn add_all(environment: &mut Environment<'static>, filters: &[(&'static str, Plain)]) {
    for (name, filter) in filters {
        let filter = *filter;
        environment.add_filter(*name, move |value: Value, rest: Rest<ValueOrKwargs>| {
            defined(&value)?;
            filter(&value, &Arguments::new(&rest.into_values())?)
        });
    }
}

/// Like [`add_all`], for filters that need the state.
pub(crate) fn add_stateful(
    environment: &mut Environment<'static>,
    filters: &[(&'static str, Stateful)],
) {
    for (name, filter) in filters {
        let filter = *filter;
        environment.add_filter(
            *name,
            move |state: &mut State<'_, '_>, value: Value, rest: Rest<ValueOrKwargs>| {
                defined(&value)?;
                filter(state, &value, &Arguments::new(&rest.into_values())?)
            },
        );
    }
}

/// The items of a list, a tuple, a mapping's keys or a string's characters.
pub(crate) fn items(value: &Value) -> Result<Vec<Value>, Error> {
    if matches!(
        value.kind(),
        ValueKind::None | ValueKind::Bool | ValueKind::Number | ValueKind::Plain
    ) {
        return Err(invalid(format!(
            "'{}' object is not iterable",
            type_name(value)
        )));
    }
    value.try_iter()?.checked().collect()
}

/// The entries of a mapping.
pub(crate) fn entries(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() != ValueKind::Map {
        return Err(invalid(format!(
            "a mapping is needed, not a value of type '{}'",
            type_name(value)
        )));
    }
    items(value)?
        .into_iter()
        .map(|key| Ok((key.clone(), check(value.get_item(&key)?)?)))
        .collect()
}

/// The text of a string, a number or a boolean.
pub(crate) fn text(value: &Value) -> String {
    py_str(value)
}
