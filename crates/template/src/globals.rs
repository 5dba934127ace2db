//! Functions that templates call by name.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::globals::{cycler, joiner, lipsum};
use rustle_types::Object;
use serde_json::Value as Json;

use crate::convert::{check, to_engine, to_json};
use crate::error::{invalid, raise, undefined};
use crate::filters::{Arguments, Moment, entries, items, now, written};
use crate::hooks::LookupCall;
use crate::lazy::{Rendering, rendering_of};
use crate::python::py_str;
use crate::rewrite::plugin_name;

/// Their names: a variable of the same name wins.
pub(crate) const NAMES: &[&str] = &[
    "range",
    "dict",
    "namespace",
    "lookup",
    "query",
    "q",
    "now",
    "lipsum",
    "cycler",
    "joiner",
    "undef",
];

/// Adds them to an environment.
pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.remove_global("debug");
    environment.add_function(
        "lookup",
        |state: &mut State<'_, '_>, rest: Rest<ValueOrKwargs>| {
            lookup(state, &rest.into_values(), false)
        },
    );
    environment.add_function(
        "query",
        |state: &mut State<'_, '_>, rest: Rest<ValueOrKwargs>| {
            lookup(state, &rest.into_values(), true)
        },
    );
    environment.add_function(
        "q",
        |state: &mut State<'_, '_>, rest: Rest<ValueOrKwargs>| {
            lookup(state, &rest.into_values(), true)
        },
    );
    environment.add_function("now", |rest: Rest<ValueOrKwargs>| {
        let args = Arguments::new(&rest.into_values())?;
        let moment = now(args.flag(0, "utc", false));
        match args.text(1, "fmt") {
            Some(format) => written(&moment, &format).map(Value::from),
            None => Ok(Value::from_object(Moment(moment))),
        }
    });
    environment.add_function("dict", |rest: Rest<ValueOrKwargs>| {
        dict(&rest.into_values())
    });
    environment.add_function("cycler", |items: Rest<Value>| cycler(items.to_vec()));
    environment.add_function("joiner", joiner);
    environment.add_function("lipsum", lipsum);
    environment.add_function("undef", |rest: Rest<ValueOrKwargs>| {
        let args = Arguments::new(&rest.into_values())?;
        let hint = args.text(0, "hint");
        let hint = hint.unwrap_or_else(|| "an undefined value was used".to_owned());
        Ok::<_, Error>(Value::from(undefined("undef", hint)))
    });
}

/// A mapping of another one or of pairs, and of keywords.
fn dict(values: &[Value]) -> Result<Value, Error> {
    let args = Arguments::new(values)?;
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    if let Some(first) = args.positional.first() {
        pairs.extend(entries(&mapping(first)?)?);
    }
    for key in args.keywords() {
        let value = args.keyword(&key).unwrap_or_default();
        pairs.push((Value::from(key), value));
    }
    Ok(Value::from_pairs(pairs))
}

/// A mapping, or one of pairs.
pub(crate) fn mapping(value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map {
        return Ok(value.clone());
    }
    let mut pairs = Vec::new();
    for pair in items(value)? {
        let pair = items(&pair)?;
        let [key, value] = pair.as_slice() else {
            let length = pair.len();
            return Err(invalid(format!(
                "dict needs pairs, and one item has {length} items"
            )));
        };
        pairs.push((key.clone(), value.clone()));
    }
    Ok(Value::from_pairs(pairs))
}

fn lookup(state: &mut State<'_, '_>, values: &[Value], wantlist: bool) -> Result<Value, Error> {
    let args = Arguments::new(values)?;
    let name = plugin_name(&py_str(&args.required(0, "plugin_name")?));
    let rendering = rendering_of(state).ok_or_else(|| invalid("lookups are not available here"))?;
    let wantlist = wantlist || args.keyword("wantlist").is_some_and(|flag| flag.is_true());
    let errors = args
        .keyword("errors")
        .map_or_else(|| "strict".to_owned(), |mode| py_str(&mode));
    let found = match name {
        "vars" => vars(&rendering, &args),
        "varnames" => varnames(&rendering, &args),
        _ => ask(&rendering, name, &args, wantlist),
    };
    match found {
        Ok(found) if wantlist => Ok(Value::from(found)),
        Ok(found) => Ok(joined(found)),
        Err(error) if errors == "strict" || error.kind() == ErrorKind::UndefinedError => Err(error),
        Err(_) if wantlist => Ok(Value::from(Vec::<Value>::new())),
        Err(_) => Ok(Value::from(())),
    }
}

/// One value stands for itself; several texts are joined by commas.
fn joined(mut found: Vec<Value>) -> Value {
    if found.len() == 1 {
        return found.remove(0);
    }
    if found.iter().all(|item| item.kind() == ValueKind::String) {
        return Value::from(found.iter().map(py_str).collect::<Vec<_>>().join(","));
    }
    Value::from(found)
}

fn ask(
    rendering: &Rendering,
    name: &str,
    args: &Arguments,
    wantlist: bool,
) -> Result<Vec<Value>, Error> {
    let terms = args
        .positional
        .iter()
        .skip(1)
        .map(to_json)
        .collect::<Result<Vec<Json>, _>>()?;
    let mut options = Object::new();
    for key in args
        .keywords()
        .into_iter()
        .filter(|key| key != "wantlist" && key != "errors")
    {
        let value = to_json(&args.keyword(&key).unwrap_or_default())?;
        options.insert(key, value);
    }
    let call = LookupCall {
        name,
        terms,
        options,
        wantlist,
        with_of: None,
        scope: &rendering.scope,
        engine: &rendering.engine,
    };
    let found = rendering.engine.lookup(&call).map_err(raise)?;
    Ok(found.iter().map(to_engine).collect())
}

fn vars(rendering: &Rendering, args: &Arguments) -> Result<Vec<Value>, Error> {
    let default = args.keyword("default");
    let mut found = Vec::new();
    for name in args.positional.iter().skip(1).map(py_str) {
        let value = match (rendering.variable(&name), &default) {
            (Some(value), _) => check(value)?,
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(undefined(&name, format!("'{name}' is undefined"))),
        };
        found.push(value);
    }
    Ok(found)
}

fn varnames(rendering: &Rendering, args: &Arguments) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for pattern in args.positional.iter().skip(1).map(py_str) {
        for name in rendering.scope.names() {
            let regex = crate::filters::compiled_pattern(&pattern, false, false, &name)?;
            if !crate::filters::pattern_matches(&regex, &name, 1)?.is_empty() {
                found.push(Value::from(name));
            }
        }
    }
    Ok(found)
}
