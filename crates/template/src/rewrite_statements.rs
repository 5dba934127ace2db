//! The statements of a template, rebuilt around rewritten expressions.

use std::sync::Arc;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    AutoEscape, Block, Call, CallArg, EmitExpr, Expr, FilterBlock, ForLoop, FromImport, IfCond,
    Include, Macro, Map, Set, SetBlock, Spanned, Stmt, Template, Var, WithBlock,
};
use minijinja::{Error, ErrorKind, Value};

use crate::includes::{self, Import};
use crate::inheritance::{self, Extends};
use crate::intern::intern;
use crate::macros::{Captured, Declaration, Declare, Parameter};
use crate::part::Part;
use crate::rewrite::{Rewriter, call_of, constant_expr, own_filter};

type Statements = Vec<Stmt<'static>>;
type Rebuilt = Result<Stmt<'static>, Error>;

impl Rewriter {
    pub(crate) fn statement(&mut self, statement: &Stmt<'_>) -> Rebuilt {
        Ok(match statement {
            Stmt::Template(template) => {
                let children = self.template(&template.children, template.span())?;
                Stmt::Template(Spanned::new(Template { children }, template.span()))
            }
            Stmt::EmitExpr(emit) => {
                let expr = self.expr(&emit.expr);
                Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, emit.span()))
            }
            Stmt::EmitRaw(raw) => {
                let expr = constant_expr(Value::from(raw.raw), raw.span());
                Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, raw.span()))
            }
            Stmt::ForLoop(each) => self.for_loop(each)?,
            Stmt::IfCond(condition) => self.condition(condition)?,
            Stmt::WithBlock(with) => self.with(with)?,
            Stmt::Set(set) => {
                let (target, expr) = (self.target(&set.target), self.assigned(&set.expr));
                Stmt::Set(Spanned::new(Set { target, expr }, set.span()))
            }
            Stmt::SetBlock(set) => self.set_block(set)?,
            Stmt::AutoEscape(escape) => {
                let (enabled, body) = (self.expr(&escape.enabled), self.body(&escape.body)?);
                Stmt::AutoEscape(Spanned::new(AutoEscape { enabled, body }, escape.span()))
            }
            Stmt::FilterBlock(block) => {
                let (filter, body) = (self.expr(&block.filter), self.body(&block.body)?);
                Stmt::FilterBlock(Spanned::new(FilterBlock { filter, body }, block.span()))
            }
            Stmt::Block(block) => self.block(block)?,
            Stmt::Macro(declared) => {
                let name = intern(declared.name);
                let expr = self.declaration(name, declared)?;
                let target = variable(name, declared.span());
                Stmt::Set(Spanned::new(Set { target, expr }, declared.span()))
            }
            Stmt::CallBlock(block) => {
                let mut call = self.call(&block.call);
                let caller = self.declaration("caller", &block.macro_decl)?;
                call.args.push(CallArg::Kwarg("caller", caller));
                emit(Expr::Call(Spanned::new(call, block.span())))
            }
            Stmt::Include(include) => self.include(include),
            Stmt::Import(import) => {
                let expr = self.import(&import.expr, import.span());
                let target = self.target(&import.name);
                Stmt::Set(Spanned::new(Set { target, expr }, import.span()))
            }
            Stmt::FromImport(_) => return Err(unsupported("from … import", "inside a tag")),
            Stmt::Extends(_) => return Err(unsupported("extends", "inside another tag")),
            Stmt::Do(_) => return Err(unsupported("do", "here; write `{% set _ = … %}` instead")),
        })
    }

    fn condition(&mut self, condition: &Spanned<IfCond<'_>>) -> Rebuilt {
        let rebuilt = IfCond {
            expr: self.expr(&condition.expr),
            true_body: self.body(&condition.true_body)?,
            false_body: self.body(&condition.false_body)?,
        };
        Ok(Stmt::IfCond(Spanned::new(rebuilt, condition.span())))
    }

    fn block(&mut self, block: &Spanned<Block<'_>>) -> Rebuilt {
        let mut inner = self.inner();
        let body = inner.body(&block.body)?;
        let names = self.absorb(inner);
        let kept = Arc::new(inheritance::Block {
            name: intern(block.name),
            body: Arc::new(Part::of(&body, None, names)),
            required: block.required,
        });
        self.blocks.push(kept.clone());
        let kept = constant_expr(Value::from_dyn_object(kept), block.span());
        let call = Call {
            expr: kept,
            args: Vec::new(),
        };
        Ok(emit(Expr::Call(Spanned::new(call, block.span()))))
    }

    fn include(&mut self, include: &Spanned<Include<'_>>) -> Stmt<'static> {
        let called = includes::Include {
            options: self.options.clone(),
            ignore_missing: include.ignore_missing,
        };
        let name = CallArg::Pos(self.expr(&include.name));
        emit(call_of(called, vec![name], include.span()))
    }

    fn set_block(&mut self, set: &Spanned<SetBlock<'_>>) -> Rebuilt {
        let mut inner = self.inner();
        let body = inner.body(&set.body)?;
        let names = self.absorb(inner);
        let captured = call_of(
            Captured(Part::of(&body, None, names)),
            Vec::new(),
            set.span(),
        );
        let expr = match &set.filter {
            Some(filter) => {
                self.operand = Some(captured);
                self.expr(filter)
            }
            None => captured,
        };
        let target = self.target(&set.target);
        Ok(Stmt::Set(Spanned::new(Set { target, expr }, set.span())))
    }

    /// The statements of a whole template; one that extends another writes that one at its end, and nothing itself after the tag.
    fn template(&mut self, statements: &[Stmt<'_>], span: Span) -> Result<Statements, Error> {
        let extends = statements.iter().enumerate().find_map(|(at, statement)| {
            if let Stmt::Extends(extends) = statement {
                Some((at, extends))
            } else {
                None
            }
        });
        let Some((at, extends)) = extends else {
            return self.body(statements);
        };
        let mut rebuilt = self.body(&statements[..at])?;
        let name = self.expr(&extends.name);
        for statement in self.body(&statements[at + 1..])? {
            match statement {
                Stmt::EmitExpr(_) => {}
                Stmt::Set(_) => rebuilt.push(statement),
                other => rebuilt.push(discarded(other, span)),
            }
        }
        let called = Extends {
            blocks: self.blocks.clone(),
            options: self.options.clone(),
        };
        rebuilt.push(emit(call_of(
            called,
            vec![CallArg::Pos(name)],
            extends.span(),
        )));
        Ok(rebuilt)
    }

    /// What a template sets at its end, as a mapping.
    pub(crate) fn module(&mut self, template: &Stmt<'_>) -> Result<Part, Error> {
        let Stmt::Template(template) = template else {
            return Err(unsupported("import", "of a part of a template"));
        };
        let (statements, span) = (self.body(&template.children)?, template.span());
        let mut exported = Vec::new();
        set_names(&statements, &mut exported);
        let keys = exported
            .iter()
            .map(|name| constant_expr(Value::from(*name), span))
            .collect();
        let values = exported
            .iter()
            .map(|name| self.attempt(&variable(name, span)))
            .collect();
        let module = Expr::Map(Spanned::new(Map { keys, values }, span));
        Ok(Part::of(&statements, Some(&module), self.names.clone()))
    }

    fn import(&mut self, name: &Expr<'_>, span: Span) -> Expr<'static> {
        let called = Import {
            options: self.options.clone(),
        };
        call_of(called, vec![CallArg::Pos(self.expr(name))], span)
    }

    fn import_names(&mut self, import: &Spanned<FromImport<'_>>) -> Statements {
        let span = import.span();
        let module = "\u{1}module";
        let mut statements = vec![Stmt::Set(Spanned::new(
            Set {
                target: variable(module, span),
                expr: self.import(&import.expr, span),
            },
            span,
        ))];
        for (name, alias) in &import.names {
            if let Expr::Var(var) = name {
                let key = vec![constant_expr(Value::from(var.id), span)];
                let expr = own_filter("\u{1}item", variable(module, span), key, span);
                let target = self.target(alias.as_ref().unwrap_or(name));
                statements.push(Stmt::Set(Spanned::new(Set { target, expr }, span)));
            }
        }
        statements
    }

    pub(crate) fn body(&mut self, statements: &[Stmt<'_>]) -> Result<Statements, Error> {
        let mut rebuilt = Vec::with_capacity(statements.len());
        for statement in statements {
            match statement {
                Stmt::FromImport(import) => rebuilt.append(&mut self.import_names(import)),
                other => rebuilt.push(self.statement(other)?),
            }
        }
        Ok(rebuilt)
    }

    /// A value that is only kept may be undefined until it is used.
    fn assigned(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        let rebuilt = if matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_)) {
            self.kept(expr)
        } else {
            self.expr(expr)
        };
        self.changeable(rebuilt)
    }

    fn for_loop(&mut self, each: &Spanned<ForLoop<'_>>) -> Rebuilt {
        let rebuilt = ForLoop {
            target: self.target(&each.target),
            iter: own_filter(
                "\u{1}each",
                self.expr(&each.iter),
                Vec::new(),
                each.iter.span(),
            ),
            filter_expr: each.filter_expr.as_ref().map(|filter| self.expr(filter)),
            recursive: each.recursive,
            body: self.body(&each.body)?,
            else_body: self.body(&each.else_body)?,
        };
        Ok(Stmt::ForLoop(Spanned::new(rebuilt, each.span())))
    }

    fn with(&mut self, with: &Spanned<WithBlock<'_>>) -> Rebuilt {
        let assignments = with
            .assignments
            .iter()
            .map(|(target, expr)| (self.target(target), self.assigned(expr)))
            .collect();
        Ok(Stmt::WithBlock(Spanned::new(
            WithBlock {
                assignments,
                body: self.body(&with.body)?,
            },
            with.span(),
        )))
    }

    /// Makes a macro of a declaration when it is reached.
    fn declaration(
        &mut self,
        name: &'static str,
        declared: &Spanned<Macro<'_>>,
    ) -> Result<Expr<'static>, Error> {
        let undefaulted = declared.args.len().saturating_sub(declared.defaults.len());
        let mut parameters = Vec::with_capacity(declared.args.len());
        for (place, parameter) in declared.args.iter().enumerate() {
            let default = place
                .checked_sub(undefaulted)
                .and_then(|place| declared.defaults.get(place))
                .map(|default| self.part(default));
            if let Expr::Var(var) = parameter {
                let name = intern(var.id);
                parameters.push(Parameter { name, default });
            }
        }
        let mut inner = self.inner();
        let body = inner.body(&declared.body)?;
        let names = self.absorb(inner);
        let declaration = Declaration {
            name,
            parameters,
            takes_rest: names.contains(&"varargs"),
            takes_keywords: names.contains(&"kwargs"),
            body: Part::of(&body, None, names),
        };
        let declare = Declare(Arc::new(declaration));
        Ok(call_of(declare, Vec::new(), declared.span()))
    }
}

fn variable(name: &'static str, span: Span) -> Expr<'static> {
    Expr::Var(Spanned::new(Var { id: name }, span))
}

fn emit(expr: Expr<'static>) -> Stmt<'static> {
    let span = expr.span();
    Stmt::EmitExpr(Spanned::new(EmitExpr { expr }, span))
}

/// Runs a statement for what it sets, without what it writes.
fn discarded(statement: Stmt<'static>, span: Span) -> Stmt<'static> {
    let target = variable("\u{1}discarded", span);
    let body = vec![statement];
    let filter = None;
    Stmt::SetBlock(Spanned::new(
        SetBlock {
            target,
            filter,
            body,
        },
        span,
    ))
}

/// The names that statements set, also under conditions.
fn set_names(statements: &[Stmt<'static>], names: &mut Vec<&'static str>) {
    for statement in statements {
        match statement {
            Stmt::Set(set) => target_names(&set.target, names),
            Stmt::IfCond(condition) => {
                set_names(&condition.true_body, names);
                set_names(&condition.false_body, names);
            }
            _ => {}
        }
    }
}

fn target_names(target: &Expr<'static>, names: &mut Vec<&'static str>) {
    match target {
        Expr::Var(var) if !names.contains(&var.id) => names.push(var.id),
        Expr::List(list) => list.items.iter().for_each(|item| target_names(item, names)),
        Expr::Tuple(tuple) => tuple
            .items
            .iter()
            .for_each(|item| target_names(item, names)),
        _ => {}
    }
}

fn unsupported(tag: &str, place: &str) -> Error {
    Error::new(
        ErrorKind::SyntaxError,
        format!("the statement `{{% {tag} %}}` is not supported {place}"),
    )
}
