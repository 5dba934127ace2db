//! How deep a parsed template is nested, found without recursion.
//!
//! The parser bounds brackets, but not chains such as `a | b | c …`, each link of which is a level of the tree. Whatever walks a tree
//! recursively later must not run out of stack, so a tree that is too deep is refused.

use minijinja::machinery::ast::{Call, CallArg, Expr, Stmt};
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

/// The deepest tree that is compiled.
const MAX_DEPTH: usize = 200;

enum Part<'a> {
    Expr(&'a Expr<'a>),
    Stmt(&'a Stmt<'a>),
}

/// How many signs or words may be stacked on each other.
const MAX_STACKED: usize = 64;

/// Refuses text on which the parser itself would recurse without bound: `not not …`, `--…`, `… else … else …`, `elif … elif …`.
pub(crate) fn check_text(
    text: &str,
    is_expression: bool,
    syntax: &SyntaxConfig,
) -> Result<(), Error> {
    let many = |part: &str| text.matches(part).count() > MAX_STACKED;
    if !many("not") && !many("-") && !many("else") && !many("elif") {
        return Ok(());
    }
    let (mut stacked, mut elses, mut elifs, mut last_unary) = (0, 0, 0, false);
    for token in tokenize(text, is_expression, syntax.clone()) {
        // What is no token at all is reported by the parser, which stops there.
        let Ok((token, _)) = token else { break };
        let unary = matches!(token, Token::Minus | Token::Ident("not"));
        match token {
            Token::VariableStart | Token::BlockStart => (stacked, elses) = (0, 0),
            Token::Ident("else") => elses += 1,
            Token::Ident("elif") => elifs += 1,
            Token::Ident("endif") => elifs = 0,
            _ if unary && last_unary => stacked += 1,
            _ => {}
        }
        last_unary = unary;
        if stacked > MAX_STACKED || elses > MAX_STACKED || elifs > MAX_STACKED {
            return refuse(());
        }
    }
    Ok(())
}

/// Gives an expression on, if it is not too deep.
pub(crate) fn shallow_expr(expr: Expr<'_>) -> Result<Expr<'_>, Error> {
    if is_deep(Part::Expr(&expr)) {
        refuse(expr)
    } else {
        Ok(expr)
    }
}

/// Gives a template on, if it is not too deep.
pub(crate) fn shallow(template: Stmt<'_>) -> Result<Stmt<'_>, Error> {
    if is_deep(Part::Stmt(&template)) {
        refuse(template)
    } else {
        Ok(template)
    }
}

/// Freeing the tree would recurse as well, so it is left where it is: a plan with such a template does not run.
fn refuse<T>(tree: T) -> Result<T, Error> {
    std::mem::forget(tree);
    Err(Error::new(
        ErrorKind::SyntaxError,
        format!("an expression is nested more than {MAX_DEPTH} levels deep"),
    ))
}

fn is_deep(root: Part<'_>) -> bool {
    let mut waiting = vec![(root, 0)];
    let mut parts = Vec::new();
    while let Some((part, depth)) = waiting.pop() {
        if depth > MAX_DEPTH {
            return true;
        }
        match part {
            Part::Expr(expr) => expr_parts(expr, &mut parts),
            Part::Stmt(stmt) => stmt_parts(stmt, &mut parts),
        }
        waiting.extend(parts.drain(..).map(|part| (part, depth + 1)));
    }
    false
}

fn expr_parts<'a>(expr: &'a Expr<'a>, parts: &mut Vec<Part<'a>>) {
    match expr {
        Expr::Var(_) | Expr::Const(_) => {}
        Expr::Slice(slice) => {
            parts.push(Part::Expr(&slice.expr));
            parts.extend(
                [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                    .map(Part::Expr),
            );
        }
        Expr::UnaryOp(unary) => parts.push(Part::Expr(&unary.expr)),
        Expr::BinOp(operation) => {
            parts.extend([Part::Expr(&operation.left), Part::Expr(&operation.right)])
        }
        Expr::Compare(compare) => {
            parts.push(Part::Expr(&compare.expr));
            parts.extend(compare.ops.iter().map(|op| Part::Expr(&op.expr)));
        }
        Expr::IfExpr(choice) => {
            parts.extend([Part::Expr(&choice.test_expr), Part::Expr(&choice.true_expr)]);
            parts.extend(choice.false_expr.iter().map(Part::Expr));
        }
        Expr::Filter(filter) => {
            parts.extend(filter.expr.iter().map(Part::Expr));
            arguments(&filter.args, parts);
        }
        Expr::Test(test) => {
            parts.push(Part::Expr(&test.expr));
            arguments(&test.args, parts);
        }
        Expr::GetAttr(attribute) => parts.push(Part::Expr(&attribute.expr)),
        Expr::GetItem(item) => {
            parts.extend([Part::Expr(&item.expr), Part::Expr(&item.subscript_expr)])
        }
        Expr::Call(call) => called(call, parts),
        Expr::List(list) => parts.extend(list.items.iter().map(Part::Expr)),
        Expr::Tuple(tuple) => parts.extend(tuple.items.iter().map(Part::Expr)),
        Expr::Map(map) => parts.extend(map.keys.iter().chain(&map.values).map(Part::Expr)),
    }
}

fn called<'a>(call: &'a Call<'a>, parts: &mut Vec<Part<'a>>) {
    parts.push(Part::Expr(&call.expr));
    arguments(&call.args, parts);
}

fn arguments<'a>(args: &'a [CallArg<'a>], parts: &mut Vec<Part<'a>>) {
    parts.extend(args.iter().map(|arg| match arg {
        CallArg::Pos(expr)
        | CallArg::Kwarg(_, expr)
        | CallArg::PosSplat(expr)
        | CallArg::KwargSplat(expr) => Part::Expr(expr),
    }));
}

fn stmt_parts<'a>(stmt: &'a Stmt<'a>, parts: &mut Vec<Part<'a>>) {
    let mut body = |statements: &'a [Stmt<'a>]| parts.extend(statements.iter().map(Part::Stmt));
    match stmt {
        Stmt::Template(template) => body(&template.children),
        Stmt::ForLoop(each) => {
            body(&each.body);
            body(&each.else_body);
            parts.push(Part::Expr(&each.iter));
            parts.extend(each.filter_expr.iter().map(Part::Expr));
        }
        Stmt::IfCond(condition) => {
            body(&condition.true_body);
            body(&condition.false_body);
            parts.push(Part::Expr(&condition.expr));
        }
        Stmt::WithBlock(with) => {
            body(&with.body);
            parts.extend(with.assignments.iter().map(|(_, expr)| Part::Expr(expr)));
        }
        Stmt::Set(set) => parts.push(Part::Expr(&set.expr)),
        Stmt::SetBlock(set) => {
            body(&set.body);
            parts.extend(set.filter.iter().map(Part::Expr));
        }
        Stmt::AutoEscape(escape) => body(&escape.body),
        Stmt::FilterBlock(block) => {
            body(&block.body);
            parts.push(Part::Expr(&block.filter));
        }
        Stmt::Block(block) => body(&block.body),
        Stmt::Macro(declared) => {
            body(&declared.body);
            parts.extend(declared.defaults.iter().map(Part::Expr));
        }
        Stmt::CallBlock(block) => {
            body(&block.macro_decl.body);
            called(&block.call, parts);
        }
        Stmt::EmitExpr(emit) => parts.push(Part::Expr(&emit.expr)),
        Stmt::Do(action) => called(&action.call, parts),
        Stmt::EmitRaw(_)
        | Stmt::Import(_)
        | Stmt::FromImport(_)
        | Stmt::Extends(_)
        | Stmt::Include(_) => {}
    }
}
