//! `{% extends %}`, `{% block %}`, `super()` and `self.name()`.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Error, State, Value};

use crate::FileOptions;
use crate::error::{invalid, undefined};
use crate::includes::{find, within};
use crate::part::{BLOCKS, Frame, Part, SUPER, local, nested, rendering};

/// The blocks of the templates that extend the one that runs, by name, the outermost template's first.
#[derive(Debug, Default, Clone)]
struct Replacements(BTreeMap<&'static str, Vec<Arc<Part>>>);

impl Object for Replacements {}

impl Replacements {
    fn of(state: &State<'_, '_>) -> Self {
        local(state, BLOCKS)
            .and_then(|value| value.downcast_object_ref::<Self>().cloned())
            .unwrap_or_default()
    }
}

/// A block where it stands: what a template that extends this one puts there, or its own body.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) name: &'static str,
    pub(crate) body: Arc<Part>,
    pub(crate) required: bool,
}

impl Object for Block {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let mut bodies = Replacements::of(state)
            .0
            .remove(self.name)
            .unwrap_or_default();
        if self.required && bodies.is_empty() {
            return Err(invalid(format!(
                "block `{}` is required, and no template that extends this one has it",
                self.name
            )));
        }
        bodies.push(self.body.clone());
        run(state, self.name, &bodies)
    }
}

fn run(state: &State<'_, '_>, name: &'static str, bodies: &[Arc<Part>]) -> Result<Value, Error> {
    let Some((body, rest)) = bodies.split_first() else {
        return Err(undefined(
            "super",
            format!("there is no block `{name}` that `super()` could give"),
        ));
    };
    let mut frame = body.frame(state);
    frame.set(
        SUPER,
        Value::from_object(Replaced {
            name,
            bodies: rest.to_vec(),
        }),
    );
    body.written(state, frame)
}

/// What a block takes the place of.
#[derive(Debug)]
struct Replaced {
    name: &'static str,
    bodies: Vec<Arc<Part>>,
}

impl Object for Replaced {}

/// `super()`.
#[derive(Debug)]
pub(crate) struct Super;

impl Object for Super {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let replaced = local(state, SUPER);
        let Some(replaced) = replaced
            .as_ref()
            .and_then(|value| value.downcast_object_ref::<Replaced>())
        else {
            return Err(undefined("super", "`super()` is only known in a block"));
        };
        run(state, replaced.name, &replaced.bodies)
    }
}

/// The end of a template that extends another: runs that one with the blocks of this.
#[derive(Debug)]
pub(crate) struct Extends {
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) options: Arc<FileOptions>,
}

impl Object for Extends {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let rendering = rendering(state)?;
        let (name, source) = find(&rendering, &self.options, args)?;
        let mut replacements = Replacements::of(state);
        for block in &self.blocks {
            let bodies = replacements.0.entry(block.name).or_default();
            bodies.push(block.body.clone());
        }
        let parent = within(
            &name,
            rendering.engine.inner.cache.file(&source, &self.options),
        )?;
        let used = replacements.0.values().flatten();
        let names: Vec<&'static str> = used
            .flat_map(|part| part.names.iter().copied())
            .chain(parent.part.names.iter().copied())
            .collect();
        let mut frame = Frame::capture(state, names);
        frame.set(BLOCKS, Value::from_object(replacements));
        let root = Value::from_object(frame);
        within(
            &name,
            nested(|| parent.run(state.env(), root)).and_then(|text| text),
        )
    }
}
