//! From text to instructions, once a run.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::machinery::ast::{Expr, IfExpr, Spanned, Stmt};
use minijinja::machinery::{
    CodeGenerator, Instructions, eval, make_string_output, parse, parse_expr,
};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use crate::backslash;
use crate::depth::{check_text, shallow, shallow_expr};
use crate::emitted;
use crate::file::FileOptions;
use crate::hooks::Includes;
use crate::python::py_str;
use crate::rewrite::{Rewriter, constant_expr};

/// How many compiled texts are kept. A plan has far fewer; this bounds a run that makes texts up.
const KEPT: usize = 16_384;

/// What running gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The value of an expression.
    Value,
    /// Text, or the one value that was written.
    Either,
    Text,
}

/// A template or an expression, ready to run.
pub(crate) struct Compiled {
    instructions: Instructions<'static>,
    blocks: BTreeMap<&'static str, Instructions<'static>>,
    kind: Kind,
    /// Filters that it names.
    pub(crate) filters: Vec<&'static str>,
    /// Tests that it names.
    pub(crate) tests: Vec<&'static str>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Compiled {
    pub(crate) fn expression(text: &str) -> Result<Self, Error> {
        check_text(text, true, &SyntaxConfig::default())?;
        let parsed = shallow_expr(parse_expr(text)?)?;
        let mut rewriter = Rewriter::default();
        let expr = rewriter.expr(&parsed);
        Ok(Self::from_expr(&expr, rewriter))
    }

    /// A template; one that is a single expression gives a value, any other gives text.
    pub(crate) fn template(
        text: &str,
        syntax: SyntaxConfig,
        may_be_native: bool,
    ) -> Result<Self, Error> {
        check_text(text, false, &syntax)?;
        let parsed = shallow(parse(text, "<template>", syntax)?)?;
        let mut rewriter = Rewriter::default();
        if may_be_native && let Some(expr) = single_value(&parsed, &mut rewriter) {
            return Ok(Self::from_expr(&expr, rewriter));
        }
        Self::statements(&parsed, Rewriter::default(), may_be_native)
    }

    fn statements(
        parsed: &Stmt<'_>,
        mut rewriter: Rewriter<'_>,
        may_be_native: bool,
    ) -> Result<Self, Error> {
        let statement = rewriter.statement(parsed)?;
        let mut generator = CodeGenerator::new("<template>", "");
        generator.compile_stmt(&statement);
        let (instructions, blocks) = generator.finish();
        let kind = if may_be_native {
            Kind::Either
        } else {
            Kind::Text
        };
        Ok(Self {
            instructions,
            blocks,
            kind,
            filters: rewriter.filters,
            tests: rewriter.tests,
        })
    }

    /// A template file, which is always text.
    pub(crate) fn file(
        text: &str,
        syntax: SyntaxConfig,
        includes: Option<&dyn Includes>,
    ) -> Result<Self, Error> {
        check_text(text, false, &syntax)?;
        let parsed = shallow(parse(text, "<template>", syntax.clone())?)?;
        Self::statements(
            &parsed,
            Rewriter {
                includes,
                syntax,
                ..Rewriter::default()
            },
            false,
        )
    }

    fn from_expr(expr: &Expr<'static>, rewriter: Rewriter<'_>) -> Self {
        let mut generator = CodeGenerator::new("<expression>", "");
        generator.compile_expr(expr);
        let (instructions, blocks) = generator.finish();
        Self {
            instructions,
            blocks,
            kind: Kind::Value,
            filters: rewriter.filters,
            tests: rewriter.tests,
        }
    }

    /// Runs it. Text comes back as a string value.
    pub(crate) fn run(
        &self,
        environment: &Environment<'static>,
        root: Value,
    ) -> Result<Value, Error> {
        let mut text = String::new();
        let run = || {
            let mut out = make_string_output(&mut text);
            eval(
                environment,
                &self.instructions,
                root,
                &self.blocks,
                &mut out,
                AutoEscape::None,
            )
            .map(|(value, _)| value)
        };
        let (value, sole) = match self.kind {
            Kind::Value => (run()?, None),
            Kind::Either | Kind::Text => {
                let (value, sole) = emitted::watched(run);
                (value?, sole)
            }
        };
        Ok(match (self.kind, sole) {
            (Kind::Value, _) => value.unwrap_or_default(),
            (Kind::Either, Some(sole)) if written(&sole) == text => sole,
            _ => Value::from(text),
        })
    }
}

/// The expression that a template is nothing but, if it is.
fn single_value(template: &Stmt<'_>, rewriter: &mut Rewriter<'_>) -> Option<Expr<'static>> {
    let Stmt::Template(template) = template else {
        return None;
    };
    match template.children.as_slice() {
        [] => Some(constant_expr(Value::from(()), template.span())),
        [single] => value_of(single, rewriter),
        _ => None,
    }
}

/// A value as it is written into text.
pub(crate) fn written(value: &Value) -> String {
    if value.is_none() {
        String::new()
    } else {
        py_str(value)
    }
}

fn value_of(statement: &Stmt<'_>, rewriter: &mut Rewriter<'_>) -> Option<Expr<'static>> {
    match statement {
        Stmt::EmitExpr(emit) => Some(rewriter.expr(&emit.expr)),
        Stmt::EmitRaw(raw) => Some(constant_expr(Value::from(raw.raw), raw.span())),
        Stmt::IfCond(condition) => {
            let choice = IfExpr {
                test_expr: rewriter.expr(&condition.expr),
                true_expr: branch(&condition.true_body, rewriter, condition.span())?,
                false_expr: Some(branch(&condition.false_body, rewriter, condition.span())?),
            };
            Some(Expr::IfExpr(Spanned::new(choice, condition.span())))
        }
        _ => None,
    }
}

fn branch(
    body: &[Stmt<'_>],
    rewriter: &mut Rewriter<'_>,
    span: minijinja::machinery::Span,
) -> Option<Expr<'static>> {
    match body {
        [] => Some(constant_expr(Value::from(()), span)),
        [single] => value_of(single, rewriter),
        _ => None,
    }
}

type Kept = RwLock<HashMap<Box<str>, Arc<Compiled>>>;

/// Texts that were compiled before, by how they were compiled.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    conditions: Kept,
    expressions: Kept,
    values: Kept,
    files: Kept,
}

impl Cache {
    /// An expression whose string escapes Jinja reads.
    pub(crate) fn condition(&self, text: &str) -> Result<Arc<Compiled>, Error> {
        kept(&self.conditions, text, || Compiled::expression(text))
    }

    /// An expression in which a backslash stands for itself.
    pub(crate) fn expression(&self, text: &str) -> Result<Arc<Compiled>, Error> {
        kept(&self.expressions, text, || {
            Compiled::expression(&backslash::in_expression(text))
        })
    }

    /// A template file. One that includes others is compiled each time, since what it includes may differ by caller.
    pub(crate) fn file(
        &self,
        text: &str,
        options: &FileOptions,
        includes: Option<&dyn Includes>,
    ) -> Result<Arc<Compiled>, Error> {
        let compile = || Compiled::file(text, options.syntax()?, includes);
        if text.contains("include") || text.contains("import") {
            return compile().map(Arc::new);
        }
        kept(&self.files, &format!("{options:?}\n{text}"), compile)
    }

    /// A template in a plan value.
    pub(crate) fn value(&self, text: &str) -> Result<Arc<Compiled>, Error> {
        kept(&self.values, text, || {
            Compiled::template(&backslash::in_template(text), value_syntax()?, true)
        })
    }
}

fn kept(
    cache: &Kept,
    text: &str,
    compile: impl FnOnce() -> Result<Compiled, Error>,
) -> Result<Arc<Compiled>, Error> {
    if let Some(known) = cache
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(text)
    {
        return Ok(known.clone());
    }
    let compiled = Arc::new(compile()?);
    let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(text.into(), compiled.clone());
    Ok(compiled)
}

/// The syntax of templates in plan values.
fn value_syntax() -> Result<SyntaxConfig, Error> {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).keep_trailing_newline(false);
    builder.build().map_err(|error| {
        Error::new(ErrorKind::SyntaxError, "invalid template syntax").with_source(error)
    })
}
