//! Filters that are given what may be undefined.

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, Value};

use super::arguments::Arguments;
use crate::error::invalid;

pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("mandatory", mandatory);
}

fn default(value: Value, rest: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = Arguments::new(&rest.into_values())?;
    if value.is_undefined() || (args.flag(1, "boolean", false) && !value.is_true()) {
        return Ok(args
            .get(0, "default_value")
            .unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn mandatory(value: Value, rest: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = Arguments::new(&rest.into_values())?;
    if !value.is_undefined() {
        return Ok(value);
    }
    let name = args
        .keyword("_name")
        .map_or_else(String::new, |name| format!("'{name}' "));
    Err(invalid(args.text(0, "msg").unwrap_or_else(|| {
        format!("Mandatory variable {name}not defined.")
    })))
}
