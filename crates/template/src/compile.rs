//! From text to instructions, once a run.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::machinery::ast::{Expr, IfExpr, Spanned, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::backslash;
use crate::depth::{check_text, shallow, shallow_expr};
use crate::emitted;
use crate::error::{TemplateError, TemplateErrorKind, raise};
use crate::file::FileOptions;
use crate::part::Part;
use crate::rewrite::{Rewriter, constant_expr};

/// How many characters of a wrong template are shown.
const PIECE: usize = 80;

/// How many compiled texts are kept. A plan has far fewer; this bounds a run that makes texts up.
const KEPT: usize = 16_384;

/// What running gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The value of an expression.
    Value,
    /// Text, or the one value that was written.
    Either,
}

/// A template or an expression, ready to run.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) part: Part,
    kind: Kind,
    /// Filters that it names.
    pub(crate) filters: Vec<&'static str>,
    /// Tests that it names.
    pub(crate) tests: Vec<&'static str>,
}

impl Compiled {
    pub(crate) fn expression(text: &str) -> Result<Self, Error> {
        check_text(text, true, &SyntaxConfig::default())?;
        let parsed = shallow_expr(parse_expr(text)?)?;
        let mut rewriter = Rewriter::default();
        let expr = rewriter.expr(&parsed);
        Ok(Self::from_expr(&expr, rewriter))
    }

    /// A template in a plan value; one that is a single expression gives a value, any other gives text.
    pub(crate) fn value(text: &str) -> Result<Self, Error> {
        let parsed = parsed(text, value_syntax()?)?;
        let options = Arc::<FileOptions>::default();
        let mut rewriter = Rewriter::new(text, options.clone());
        if let Some(expr) = single_value(&parsed, &mut rewriter) {
            return Ok(Self::from_expr(&expr, rewriter));
        }
        Self::statements(&parsed, Rewriter::new(text, options))
    }

    /// A template file.
    pub(crate) fn file(text: &str, options: &FileOptions) -> Result<Self, Error> {
        let parsed = parsed(text, options.syntax()?)?;
        let rewriter = Rewriter::new(text, Arc::new(options.clone()));
        Self::statements(&parsed, rewriter)
    }

    fn statements(parsed: &Stmt<'_>, mut rewriter: Rewriter) -> Result<Self, Error> {
        let statement = rewriter.statement(parsed)?;
        Ok(Self {
            part: Part::of(&[statement], None, rewriter.names),
            kind: Kind::Either,
            filters: rewriter.filters,
            tests: rewriter.tests,
        })
    }

    fn from_expr(expr: &Expr<'static>, rewriter: Rewriter) -> Self {
        Self {
            part: Part::of_expr(expr, rewriter.names),
            kind: Kind::Value,
            filters: rewriter.filters,
            tests: rewriter.tests,
        }
    }

    /// Runs it.
    pub(crate) fn run(&self, environment: &Environment<'_>, root: Value) -> Result<Value, Error> {
        let run = || self.part.run(environment, root);
        if self.kind == Kind::Value {
            return Ok(run()?.0.unwrap_or_default());
        }
        let (result, sole) = emitted::watched(run);
        let (_, text) = result?;
        Ok(emitted::native(sole, text))
    }
}

fn parsed(text: &str, syntax: SyntaxConfig) -> Result<Stmt<'_>, Error> {
    check_text(text, false, &syntax)?;
    shallow(parse(text, "<template>", syntax)?)
}

/// The expression that a template is nothing but, if it is.
fn single_value(template: &Stmt<'_>, rewriter: &mut Rewriter) -> Option<Expr<'static>> {
    let Stmt::Template(template) = template else {
        return None;
    };
    match template.children.as_slice() {
        [] => Some(constant_expr(Value::from(()), template.span())),
        [single] => value_of(single, rewriter),
        _ => None,
    }
}

fn value_of(statement: &Stmt<'_>, rewriter: &mut Rewriter) -> Option<Expr<'static>> {
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
    rewriter: &mut Rewriter,
    span: minijinja::machinery::Span,
) -> Option<Expr<'static>> {
    match body {
        [] => Some(constant_expr(Value::from(()), span)),
        [single] => value_of(single, rewriter),
        _ => None,
    }
}

type Kept<T = Compiled> = RwLock<HashMap<Box<str>, Arc<T>>>;

/// Texts that were compiled before, by how they were compiled.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    conditions: Kept,
    expressions: Kept,
    values: Kept,
    files: Kept,
    modules: Kept<Part>,
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

    /// A template file.
    pub(crate) fn file(&self, text: &str, options: &FileOptions) -> Result<Arc<Compiled>, Error> {
        kept(&self.files, &format!("{options:?}\n{text}"), || {
            Compiled::file(text, options)
        })
    }

    /// A template file that is run for what it sets.
    pub(crate) fn module(&self, text: &str, options: &FileOptions) -> Result<Arc<Part>, Error> {
        kept(&self.modules, &format!("{options:?}\n{text}"), || {
            let parsed = parsed(text, options.syntax()?)?;
            Rewriter::new(text, Arc::new(options.clone())).module(&parsed)
        })
    }

    /// A template in a plan value.
    pub(crate) fn value(&self, text: &str) -> Result<Arc<Compiled>, Error> {
        kept(&self.values, text, || {
            Compiled::value(&backslash::in_template(text)).map_err(|error| with_piece(error, text))
        })
    }
}

/// Shows the beginning of what is wrong about a template, from its first tag on: what stands before may be secret.
fn with_piece(error: Error, text: &str) -> Error {
    let mut error = TemplateError::from(error);
    let tag = ["{{", "{%", "{#"]
        .iter()
        .filter_map(|tag| text.find(tag))
        .min();
    if error.kind == TemplateErrorKind::Syntax
        && let Some(tag) = tag
    {
        let line = text[tag..].lines().next().unwrap_or_default();
        let piece: String = line.chars().take(PIECE).collect();
        error.detail = format!("{}, in `{piece}`", error.detail);
    }
    raise(error)
}

fn kept<T>(
    cache: &Kept<T>,
    text: &str,
    compile: impl FnOnce() -> Result<T, Error>,
) -> Result<Arc<T>, Error> {
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
