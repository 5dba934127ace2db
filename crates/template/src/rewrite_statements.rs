//! The statements of a template, rebuilt around rewritten expressions.

use minijinja::machinery::ast::{
    AutoEscape, Block, CallBlock, EmitExpr, Expr, FilterBlock, ForLoop, IfCond, Macro, Set,
    SetBlock, Spanned, Stmt, Template, WithBlock,
};
use minijinja::{Error, ErrorKind, Value};

use crate::intern::intern;
use crate::rewrite::{Rewriter, constant_expr};

type Rebuilt = Result<Stmt<'static>, Error>;

impl Rewriter<'_> {
    pub(crate) fn statement(&mut self, statement: &Stmt<'_>) -> Rebuilt {
        Ok(match statement {
            Stmt::Template(template) => {
                let children = self.body(&template.children)?;
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
            Stmt::Block(block) => {
                let (name, body) = (intern(block.name), self.body(&block.body)?);
                Stmt::Block(Spanned::new(
                    Block {
                        name,
                        required: block.required,
                        body,
                    },
                    block.span(),
                ))
            }
            Stmt::Macro(declared) => Stmt::Macro(self.macro_declaration(declared)?),
            Stmt::CallBlock(block) => {
                let call = Spanned::new(self.call(&block.call), block.call.span());
                let macro_decl = self.macro_declaration(&block.macro_decl)?;
                Stmt::CallBlock(Spanned::new(CallBlock { call, macro_decl }, block.span()))
            }
            Stmt::Include(include) => self.include(include)?,
            Stmt::Import(_) | Stmt::FromImport(_) => return Err(unsupported("import")),
            Stmt::Extends(_) => return Err(unsupported("extends")),
            Stmt::Do(_) => return Err(unsupported("do")),
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

    fn set_block(&mut self, set: &Spanned<SetBlock<'_>>) -> Rebuilt {
        let rebuilt = SetBlock {
            target: self.target(&set.target),
            filter: set.filter.as_ref().map(|filter| self.expr(filter)),
            body: self.body(&set.body)?,
        };
        Ok(Stmt::SetBlock(Spanned::new(rebuilt, set.span())))
    }

    pub(crate) fn body(&mut self, statements: &[Stmt<'_>]) -> Result<Vec<Stmt<'static>>, Error> {
        let mut rebuilt = Vec::with_capacity(statements.len());
        for statement in statements {
            match statement {
                Stmt::Import(import) => rebuilt.append(&mut self.import(import)?),
                Stmt::FromImport(import) => rebuilt.append(&mut self.import_names(import)?),
                other => rebuilt.push(self.statement(other)?),
            }
        }
        Ok(rebuilt)
    }

    /// A value that is only kept may be undefined until it is used.
    fn assigned(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        if matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_)) {
            self.attempt(expr)
        } else {
            self.expr(expr)
        }
    }

    fn for_loop(&mut self, each: &Spanned<ForLoop<'_>>) -> Rebuilt {
        let rebuilt = ForLoop {
            target: self.target(&each.target),
            iter: self.expr(&each.iter),
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

    fn macro_declaration(
        &mut self,
        declared: &Spanned<Macro<'_>>,
    ) -> Result<Spanned<Macro<'static>>, Error> {
        let rebuilt = Macro {
            name: intern(declared.name),
            args: declared.args.iter().map(|arg| self.target(arg)).collect(),
            defaults: declared
                .defaults
                .iter()
                .map(|default| self.expr(default))
                .collect(),
            body: self.body(&declared.body)?,
        };
        Ok(Spanned::new(rebuilt, declared.span()))
    }
}

fn unsupported(tag: &str) -> Error {
    Error::new(
        ErrorKind::SyntaxError,
        format!("the statement `{{% {tag} %}}` is not supported"),
    )
}
