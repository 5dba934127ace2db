//! `{% include %}` and `{% import %}`: the other template's statements take the place of the tag.

use minijinja::machinery::ast::{
    Const, Expr, FromImport, Import, Include, Map, Set, Spanned, Stmt, Var, WithBlock,
};
use minijinja::machinery::{Span, parse};
use minijinja::{Error, ErrorKind};

use crate::depth::{check_text, shallow};
use crate::intern::intern;
use crate::rewrite::{Rewriter, constant_expr};

/// How deep templates may include each other.
const MAX_DEPTH: usize = 20;

type Statements = Vec<Stmt<'static>>;

impl Rewriter<'_> {
    pub(crate) fn include(
        &mut self,
        include: &Spanned<Include<'_>>,
    ) -> Result<Stmt<'static>, Error> {
        let names = names_of(&include.name)?;
        let found = names
            .iter()
            .find_map(|name| self.includes.and_then(|includes| includes.source(name)));
        let body = match found {
            Some(source) => self.nested(&source)?,
            None if include.ignore_missing => Vec::new(),
            None => return Err(not_found(&names)),
        };
        Ok(Stmt::WithBlock(Spanned::new(
            WithBlock {
                assignments: Vec::new(),
                body,
            },
            include.span(),
        )))
    }

    /// The macros and variables of another template, under its alias as a mapping.
    pub(crate) fn import(&mut self, import: &Spanned<Import<'_>>) -> Result<Statements, Error> {
        let (mut statements, names) = self.definitions(&import.expr)?;
        let span = import.span();
        let keys = names
            .iter()
            .map(|name| constant_expr((*name).into(), span))
            .collect();
        let values = names.iter().map(|name| variable(name, span)).collect();
        let module = Expr::Map(Spanned::new(Map { keys, values }, span));
        statements.push(Stmt::Set(Spanned::new(
            Set {
                target: self.target(&import.name),
                expr: module,
            },
            span,
        )));
        Ok(statements)
    }

    pub(crate) fn import_names(
        &mut self,
        import: &Spanned<FromImport<'_>>,
    ) -> Result<Statements, Error> {
        let (mut statements, _) = self.definitions(&import.expr)?;
        for (name, alias) in &import.names {
            if let (Expr::Var(name), Some(alias)) = (name, alias) {
                let expr = variable(intern(name.id), import.span());
                statements.push(Stmt::Set(Spanned::new(
                    Set {
                        target: self.target(alias),
                        expr,
                    },
                    import.span(),
                )));
            }
        }
        Ok(statements)
    }

    fn definitions(&mut self, name: &Expr<'_>) -> Result<(Statements, Vec<&'static str>), Error> {
        let names = names_of(name)?;
        let source = names
            .iter()
            .find_map(|name| self.includes.and_then(|includes| includes.source(name)));
        let mut statements = self.nested(&source.ok_or_else(|| not_found(&names))?)?;
        let mut defined = Vec::new();
        statements.retain(|statement| match statement {
            Stmt::Macro(declared) => {
                defined.push(declared.name);
                true
            }
            Stmt::Set(set) => {
                defined.extend(target_name(&set.target));
                true
            }
            Stmt::SetBlock(set) => {
                defined.extend(target_name(&set.target));
                true
            }
            _ => false,
        });
        Ok((statements, defined))
    }

    fn nested(&mut self, source: &str) -> Result<Statements, Error> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::new(
                ErrorKind::SyntaxError,
                format!("templates include each other more than {MAX_DEPTH} levels deep"),
            ));
        }
        let normal = source.replace("\r\n", "\n").replace('\r', "\n");
        check_text(&normal, false, &self.syntax)?;
        let parsed = shallow(parse(&normal, "<included>", self.syntax.clone())?)?;
        self.depth += 1;
        let rebuilt = match &parsed {
            Stmt::Template(template) => self.body(&template.children),
            other => self.statement(other).map(|statement| vec![statement]),
        };
        self.depth -= 1;
        rebuilt
    }
}

fn variable(name: &'static str, span: Span) -> Expr<'static> {
    Expr::Var(Spanned::new(Var { id: name }, span))
}

fn target_name(target: &Expr<'static>) -> Option<&'static str> {
    if let Expr::Var(var) = target {
        Some(var.id)
    } else {
        None
    }
}

/// The names that a tag gives, which must be written out.
fn names_of(expr: &Expr<'_>) -> Result<Vec<String>, Error> {
    let text = |constant: &Const| constant.value.as_str().map(str::to_owned);
    let names = match expr {
        Expr::Const(constant) => text(constant).map(|name| vec![name]),
        Expr::List(list) => list
            .items
            .iter()
            .map(|item| {
                if let Expr::Const(constant) = item {
                    text(constant)
                } else {
                    None
                }
            })
            .collect(),
        _ => None,
    };
    names.ok_or_else(|| {
        Error::new(
            ErrorKind::SyntaxError,
            "the name of an included template must be written out: a computed one is not supported",
        )
    })
}

fn not_found(names: &[String]) -> Error {
    Error::new(
        ErrorKind::TemplateNotFound,
        format!(
            "the included template `{}` was not found",
            names.join("`, `")
        ),
    )
}
