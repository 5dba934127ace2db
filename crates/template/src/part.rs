//! Pieces of templates that run on their own, with the names of the place that they are run from.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::machinery::ast::{Expr, Stmt};
use minijinja::machinery::{CodeGenerator, Instructions, eval, make_string_output};
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, State, Value};

use crate::emitted;
use crate::error::{invalid, raise};
use crate::globals::NAMES;
use crate::lazy::{RENDERING, root_value};
use crate::{TemplateError, TemplateErrorKind};

/// How deep macros, blocks and included templates may be inside each other.
const MAX_DEPTH: usize = 40;

/// Names under which pieces find the blocks of templates that extend theirs.
pub(crate) const BLOCKS: &str = "\u{1}blocks";
/// The name under which a block finds the one that it replaces.
pub(crate) const SUPER: &str = "\u{1}super";

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static PROBING: Cell<bool> = const { Cell::new(false) };
}

/// True while only names that templates have set are asked for, so that no variable is rendered for nothing.
pub(crate) fn is_probing() -> bool {
    PROBING.get()
}

/// The value of a name that the template around has set; none for variables and functions.
pub(crate) fn local(state: &State<'_, '_>, name: &str) -> Option<Value> {
    if NAMES.contains(&name) {
        return None;
    }
    PROBING.set(true);
    let found = state.lookup(name);
    PROBING.set(false);
    found
}

/// Instructions, and the names that they use.
pub(crate) struct Part {
    instructions: Instructions<'static>,
    pub(crate) names: Vec<&'static str>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Part {
    /// A piece that gives the value of an expression.
    pub(crate) fn of_expr(expr: &Expr<'static>, names: Vec<&'static str>) -> Self {
        Self::of(&[], Some(expr), names)
    }

    /// A piece that runs statements, and gives the value of an expression where there is one.
    pub(crate) fn of(
        statements: &[Stmt<'static>],
        expr: Option<&Expr<'static>>,
        names: Vec<&'static str>,
    ) -> Self {
        let mut generator = CodeGenerator::new("<template>", "");
        for statement in statements {
            generator.compile_stmt(statement);
        }
        if let Some(expr) = expr {
            generator.compile_expr(expr);
        }
        let (instructions, _) = generator.finish();
        Self {
            instructions,
            names,
        }
    }

    /// The names that the place around has set, for this piece.
    pub(crate) fn frame(&self, state: &State<'_, '_>) -> Frame {
        Frame::capture(state, self.names.iter().copied())
    }

    /// Runs it: the value of its expression, and what it wrote.
    pub(crate) fn run(
        &self,
        environment: &Environment<'_>,
        root: Value,
    ) -> Result<(Option<Value>, String), Error> {
        let mut text = String::new();
        let blocks = BTreeMap::new();
        let mut out = make_string_output(&mut text);
        let (value, _) = eval(
            environment,
            &self.instructions,
            root,
            &blocks,
            &mut out,
            AutoEscape::None,
        )?;
        Ok((value, text))
    }

    /// Runs it inside another template: what it wrote, which keeps its type if it is one value.
    pub(crate) fn written(&self, state: &State<'_, '_>, frame: Frame) -> Result<Value, Error> {
        let root = Value::from_object(frame);
        let (result, sole) = nested(|| emitted::watched(|| self.run(state.env(), root)))?;
        let (_, text) = result?;
        Ok(emitted::native(sole, text))
    }
}

/// Runs something one level deeper.
pub(crate) fn nested<T>(run: impl FnOnce() -> T) -> Result<T, Error> {
    let depth = DEPTH.get();
    if depth >= MAX_DEPTH {
        return Err(raise(TemplateError::new(
            TemplateErrorKind::Recursion,
            format!(
                "macros, blocks and included templates are inside each other more than {MAX_DEPTH} levels deep"
            ),
        )));
    }
    DEPTH.set(depth + 1);
    let result = run();
    DEPTH.set(depth);
    Ok(result)
}

/// The names that a piece sees: those that were set around it, then the variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    values: Vec<(&'static str, Value)>,
    outer: Option<Value>,
}

impl Frame {
    /// Takes what is set right now.
    pub(crate) fn capture(
        state: &State<'_, '_>,
        names: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let values = names
            .into_iter()
            .chain([BLOCKS, SUPER])
            .filter_map(|name| Some((name, local(state, name)?)))
            .collect();
        Self {
            values,
            outer: state.lookup(RENDERING),
        }
    }

    /// Sets a name, in front of what was captured.
    pub(crate) fn set(&mut self, name: &'static str, value: Value) {
        self.values.insert(0, (name, value));
    }

    /// Adds names that are set where a piece is called, and were not where it was made.
    pub(crate) fn complete(&mut self, other: Self) {
        self.values.extend(other.values);
        self.outer = other.outer.or(self.outer.take());
    }
}

impl Object for Frame {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == RENDERING {
            return self.outer.clone();
        }
        if let Some((_, value)) = self.values.iter().find(|(name, _)| *name == key) {
            return Some(value.clone());
        }
        root_value(self.outer.as_ref()?, key)
    }
}

/// The rendering that a piece runs in.
pub(crate) fn rendering(state: &State<'_, '_>) -> Result<crate::lazy::Rendering, Error> {
    crate::lazy::rendering_of(state).ok_or_else(|| invalid("templates cannot be included here"))
}
