//! Macros, and blocks that are kept as a value.
//!
//! The engine's own macros take no surplus arguments, give text only, and cannot be called from a piece that runs on its own.

use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Error, State, Value};

use crate::error::{invalid, undefined};
use crate::filters::Arguments;
use crate::part::{Frame, Part};

/// A macro as it is written.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Part,
    /// Whether the body has names for surplus arguments.
    pub(crate) takes_rest: bool,
    pub(crate) takes_keywords: bool,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) default: Option<Part>,
}

/// Makes a macro where its declaration stands, with the names that are set there.
#[derive(Debug)]
pub(crate) struct Declare(pub(crate) Arc<Declaration>);

impl Object for Declare {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let defaults = self.0.parameters.iter().filter_map(|p| p.default.as_ref());
        let names = defaults
            .chain([&self.0.body])
            .flat_map(|part| part.names.iter().copied());
        Ok(Value::from_object(Macro {
            declaration: self.0.clone(),
            captured: Frame::capture(state, names),
        }))
    }
}

/// A macro that can be called.
#[derive(Debug)]
struct Macro {
    declaration: Arc<Declaration>,
    captured: Frame,
}

impl Object for Macro {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let declaration = &self.declaration;
        let mut frame = self.captured.clone();
        frame.complete(declaration.body.frame(state));
        frame.set(declaration.name, Value::from_dyn_object(self.clone()));
        self.bind(state, &mut frame, &Arguments::new(args)?)?;
        declaration.body.written(state, frame)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "name" => Some(Value::from(self.declaration.name)),
            "arguments" => Some(
                self.declaration
                    .parameters
                    .iter()
                    .map(|parameter| Value::from(parameter.name))
                    .collect(),
            ),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

impl Macro {
    fn bind(
        &self,
        state: &State<'_, '_>,
        frame: &mut Frame,
        args: &Arguments,
    ) -> Result<(), Error> {
        let declaration = &self.declaration;
        let (own, parameters) = (declaration.name, &declaration.parameters);
        let known = |key: &str| parameters.iter().any(|parameter| parameter.name == key);
        for (place, parameter) in parameters.iter().enumerate() {
            let name = parameter.name;
            let given = args.positional.get(place).cloned();
            if given.is_some() && args.keyword(name).is_some() {
                return Err(invalid(format!(
                    "macro `{own}` got two values for its argument `{name}`"
                )));
            }
            let value = match (given.or_else(|| args.keyword(name)), &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => {
                    let root = Value::from_object(frame.clone());
                    default.run(state.env(), root)?.0.unwrap_or_default()
                }
                (None, None) => Value::from(undefined(
                    name,
                    format!("the argument `{name}` of macro `{own}` was not given"),
                )),
            };
            frame.set(name, value);
        }
        let rest = args.positional.get(parameters.len()..).unwrap_or_default();
        if !rest.is_empty() && !declaration.takes_rest {
            return Err(invalid(format!(
                "macro `{own}` takes no more than {} arguments, and got {}",
                parameters.len(),
                args.positional.len()
            )));
        }
        frame.set("varargs", Value::from(rest.to_vec()));
        let mut keywords = Vec::new();
        for key in args.keywords().into_iter().filter(|key| !known(key)) {
            let value = args.keyword(&key).unwrap_or_default();
            if key == "caller" {
                frame.set("caller", value);
            } else if declaration.takes_keywords {
                keywords.push((Value::from(key), value));
            } else {
                return Err(invalid(format!("macro `{own}` takes no argument `{key}`")));
            }
        }
        frame.set("kwargs", Value::from_pairs(keywords));
        Ok(())
    }
}

/// Runs a piece of the template around, and gives what it wrote.
#[derive(Debug)]
pub(crate) struct Captured(pub(crate) Part);

impl Object for Captured {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        self.0.written(state, self.0.frame(state))
    }
}
