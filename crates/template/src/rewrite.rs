//! Makes a parsed template mean what Ansible means, before it is compiled.
//!
//! Every name and attribute that is missing becomes an error with its name; what `default` and `is defined` are given becomes an
//! [`Attempt`]; operators whose Python meaning differs become filters of this crate.

use std::sync::Arc;

use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, Compare, CompareOp, CompareOpKind, Const, Expr, Filter,
    GetAttr, GetItem, IfExpr, List, Map, Slice, Spanned, Test, Tuple, UnaryOp, UnaryOpKind, Var,
};
use minijinja::value::Object;

use crate::FileOptions;
use crate::attempt::{Attempt, Kept};
use crate::globals::NAMES;
use crate::inheritance::{Block, Super};
use crate::intern::intern;
use crate::mutable::is_needed;
use crate::part::Part;

/// Filters that are given a missing value as such.
const FILTERS_OF_UNDEFINED: &[&str] = &["default", "d", "mandatory", "type_debug"];
/// Tests that are given a missing value as such.
const TESTS_OF_UNDEFINED: &[&str] = &["defined", "undefined"];
/// Filters that look at items of a list which may be missing.
const FILTERS_OF_ITEMS: &[&str] = &["select", "reject", "selectattr", "rejectattr"];

/// A function that the compiler makes an instruction of.
const CALLED_BY_COMPILER: &str = "loop";

/// Rebuilds expressions and collects the names they use.
#[derive(Debug, Default)]
pub(crate) struct Rewriter {
    /// How included templates are written, and where they are.
    pub(crate) options: Arc<FileOptions>,
    /// Whether the template changes lists or mappings in place.
    pub(crate) is_changing: bool,
    pub(crate) names: Vec<&'static str>,
    pub(crate) filters: Vec<&'static str>,
    pub(crate) tests: Vec<&'static str>,
    /// What a chain of filters begins with that is written without it.
    pub(crate) operand: Option<Expr<'static>>,
    /// The blocks so far.
    pub(crate) blocks: Vec<Arc<Block>>,
}

impl Rewriter {
    pub(crate) fn new(text: &str, options: Arc<FileOptions>) -> Self {
        Self {
            options,
            is_changing: is_needed(text),
            ..Self::default()
        }
    }

    /// A rewriter for a piece that runs on its own.
    pub(crate) fn inner(&self) -> Self {
        Self {
            options: self.options.clone(),
            is_changing: self.is_changing,
            ..Self::default()
        }
    }

    /// Takes over what a piece uses, and gives the names in it.
    pub(crate) fn absorb(&mut self, inner: Self) -> Vec<&'static str> {
        for name in &inner.names {
            self.name(name);
        }
        self.filters.extend(inner.filters);
        self.tests.extend(inner.tests);
        self.blocks.extend(inner.blocks);
        inner.names
    }

    pub(crate) fn expr(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        let span = expr.span();
        match expr {
            Expr::Var(var) => Expr::Var(Spanned::new(
                Var {
                    id: self.name(var.id),
                },
                span,
            )),
            Expr::Const(constant) => constant_expr(constant.value.clone(), span),
            Expr::Slice(slice) => self.slice(slice, span),
            Expr::UnaryOp(unary) => self.unary(unary, span),
            Expr::BinOp(operation) => self.operation(operation, span),
            Expr::Compare(compare) => self.compare(compare, span),
            Expr::IfExpr(choice) => self.choice(choice, span),
            Expr::Filter(filter) => self.filter(filter, span),
            Expr::Test(test) => self.test(test, span),
            Expr::GetAttr(attribute) => self.attribute(attribute, span),
            Expr::GetItem(item) => self.item(item, span),
            Expr::Call(call) => Expr::Call(Spanned::new(self.call(call), span)),
            Expr::List(list) => {
                let items = list.items.iter().map(|item| self.expr(item)).collect();
                self.changeable(Expr::List(Spanned::new(List { items }, span)))
            }
            Expr::Tuple(tuple) => {
                let items = tuple.items.iter().map(|item| self.expr(item)).collect();
                Expr::Tuple(Spanned::new(Tuple { items }, span))
            }
            Expr::Map(map) => {
                let keys = map.keys.iter().map(|key| self.expr(key)).collect();
                let values = map.values.iter().map(|value| self.expr(value)).collect();
                self.changeable(Expr::Map(Spanned::new(Map { keys, values }, span)))
            }
        }
    }

    /// What an assignment assigns to: names only, so nothing is looked up.
    pub(crate) fn target(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        let span = expr.span();
        match expr {
            Expr::Var(var) => Expr::Var(Spanned::new(Var { id: intern(var.id) }, span)),
            Expr::List(list) => {
                let items = list.items.iter().map(|item| self.target(item)).collect();
                Expr::List(Spanned::new(List { items }, span))
            }
            Expr::GetAttr(attribute) => Expr::GetAttr(Spanned::new(
                GetAttr {
                    expr: self.expr(&attribute.expr),
                    name: intern(attribute.name),
                },
                span,
            )),
            other => self.expr(other),
        }
    }

    fn name(&mut self, name: &str) -> &'static str {
        let name = intern(name);
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        name
    }

    /// The expression, undefined where anything in it is.
    pub(crate) fn attempt(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        if matches!(expr, Expr::Const(_)) {
            return self.expr(expr);
        }
        let part = self.part(expr);
        call_of(Attempt(part), Vec::new(), expr.span())
    }

    /// The expression, whose error comes when its value is used.
    pub(crate) fn kept(&mut self, expr: &Expr<'_>) -> Expr<'static> {
        let part = self.part(expr);
        call_of(Kept(part), Vec::new(), expr.span())
    }

    /// An expression that runs on its own.
    pub(crate) fn part(&mut self, expr: &Expr<'_>) -> Part {
        let mut inner = self.inner();
        let rebuilt = inner.expr(expr);
        Part::of_expr(&rebuilt, self.absorb(inner))
    }

    /// A value that the template may change in place, if it does such things.
    pub(crate) fn changeable(&self, expr: Expr<'static>) -> Expr<'static> {
        let span = expr.span();
        if self.is_changing {
            own_filter("\u{1}changeable", expr, Vec::new(), span)
        } else {
            expr
        }
    }

    fn slice(&mut self, slice: &Slice<'_>, span: Span) -> Expr<'static> {
        if let Some(step) = &slice.step {
            let mut part = |part: &Option<Expr<'_>>| match part {
                Some(part) => self.expr(part),
                None => constant_expr(Value::from(()), span),
            };
            let bounds = vec![part(&slice.start), part(&slice.stop)];
            let step = self.expr(step);
            let args = bounds.into_iter().chain([step]).collect();
            return own_filter("\u{1}slice", self.expr(&slice.expr), args, span);
        }
        let rebuilt = Slice {
            expr: self.expr(&slice.expr),
            start: slice.start.as_ref().map(|part| self.expr(part)),
            stop: slice.stop.as_ref().map(|part| self.expr(part)),
            step: None,
        };
        Expr::Slice(Spanned::new(rebuilt, span))
    }

    fn unary(&mut self, unary: &UnaryOp<'_>, span: Span) -> Expr<'static> {
        let not = matches!(unary.op, UnaryOpKind::Not);
        let op = if not {
            UnaryOpKind::Not
        } else {
            UnaryOpKind::Neg
        };
        Expr::UnaryOp(Spanned::new(
            UnaryOp {
                op,
                expr: self.expr(&unary.expr),
            },
            span,
        ))
    }

    fn operation(&mut self, operation: &BinOp<'_>, span: Span) -> Expr<'static> {
        let left = self.expr(&operation.left);
        let right = self.expr(&operation.right);
        let own = match operation.op {
            BinOpKind::Rem => "\u{1}mod",
            BinOpKind::Concat => "\u{1}concat",
            BinOpKind::Add => "\u{1}add",
            BinOpKind::Sub => "\u{1}sub",
            BinOpKind::Div => "\u{1}div",
            BinOpKind::Lt => "\u{1}lt",
            BinOpKind::Lte => "\u{1}le",
            BinOpKind::Gt => "\u{1}gt",
            BinOpKind::Gte => "\u{1}ge",
            BinOpKind::In => "\u{1}in",
            _ => {
                return Expr::BinOp(Spanned::new(
                    BinOp {
                        op: operation.op,
                        left,
                        right,
                    },
                    span,
                ));
            }
        };
        own_filter(own, left, vec![right], span)
    }

    fn compare(&mut self, compare: &Compare<'_>, span: Span) -> Expr<'static> {
        if let [single] = compare.ops.as_slice() {
            let own = match single.op {
                CompareOpKind::Lt => Some("\u{1}lt"),
                CompareOpKind::Lte => Some("\u{1}le"),
                CompareOpKind::Gt => Some("\u{1}gt"),
                CompareOpKind::Gte => Some("\u{1}ge"),
                CompareOpKind::In => Some("\u{1}in"),
                CompareOpKind::NotIn => Some("\u{1}notin"),
                _ => None,
            };
            if let Some(own) = own {
                let left = self.expr(&compare.expr);
                let right = self.expr(&single.expr);
                return own_filter(own, left, vec![right], span);
            }
        }
        let expr = self.expr(&compare.expr);
        let ops = compare
            .ops
            .iter()
            .map(|op| CompareOp {
                op: op.op,
                expr: self.expr(&op.expr),
            })
            .collect();
        Expr::Compare(Spanned::new(Compare { expr, ops }, span))
    }

    fn choice(&mut self, choice: &IfExpr<'_>, span: Span) -> Expr<'static> {
        let rebuilt = IfExpr {
            test_expr: self.expr(&choice.test_expr),
            true_expr: self.expr(&choice.true_expr),
            false_expr: choice.false_expr.as_ref().map(|part| self.expr(part)),
        };
        Expr::IfExpr(Spanned::new(rebuilt, span))
    }

    pub(crate) fn filter(&mut self, filter: &Filter<'_>, span: Span) -> Expr<'static> {
        let name = plugin_name(filter.name);
        self.filters.push(name);
        let expr = match &filter.expr {
            None => self.operand.take(),
            Some(operand) if FILTERS_OF_UNDEFINED.contains(&name) => Some(self.attempt(operand)),
            Some(Expr::List(list)) if FILTERS_OF_ITEMS.contains(&name) => {
                let items = list.items.iter().map(|item| self.attempt(item)).collect();
                Some(Expr::List(Spanned::new(List { items }, list.span())))
            }
            Some(other) => Some(self.expr(other)),
        };
        let mut args: Vec<CallArg<'static>> =
            filter.args.iter().map(|arg| self.argument(arg)).collect();
        if let ("mandatory", Some(Expr::Var(var))) = (name, &filter.expr) {
            args.push(CallArg::Kwarg(
                "_name",
                constant_expr(Value::from(var.id), span),
            ));
        }
        Expr::Filter(Spanned::new(Filter { name, expr, args }, span))
    }

    fn test(&mut self, test: &Test<'_>, span: Span) -> Expr<'static> {
        let name = plugin_name(test.name);
        self.tests.push(name);
        let expr = if TESTS_OF_UNDEFINED.contains(&name) {
            self.attempt(&test.expr)
        } else {
            self.expr(&test.expr)
        };
        let args = test.args.iter().map(|arg| self.argument(arg)).collect();
        Expr::Test(Spanned::new(Test { name, expr, args }, span))
    }

    fn attribute(&mut self, attribute: &GetAttr<'_>, span: Span) -> Expr<'static> {
        let base = self.expr(&attribute.expr);
        own_filter(
            "\u{1}attribute",
            base,
            vec![constant_expr(Value::from(attribute.name), span)],
            span,
        )
    }

    fn item(&mut self, item: &GetItem<'_>, span: Span) -> Expr<'static> {
        let base = self.expr(&item.expr);
        let key = self.expr(&item.subscript_expr);
        own_filter("\u{1}item", base, vec![key], span)
    }

    pub(crate) fn call(&mut self, call: &Call<'_>) -> Call<'static> {
        let expr = match &call.expr {
            Expr::GetAttr(attribute) if let Some(block) = self.block_of_self(attribute) => {
                constant_expr(Value::from_dyn_object(block), attribute.span())
            }
            // A method: its name is not looked up as an attribute.
            Expr::GetAttr(attribute) => Expr::GetAttr(Spanned::new(
                GetAttr {
                    expr: self.expr(&attribute.expr),
                    name: intern(attribute.name),
                },
                attribute.span(),
            )),
            Expr::Var(var) if var.id == "super" => {
                constant_expr(Value::from_object(Super), var.span())
            }
            // A name that the compiler calls itself, or one that must exist before it is called.
            Expr::Var(var) if var.id != CALLED_BY_COMPILER && !NAMES.contains(&var.id) => {
                own_filter(
                    "\u{1}same",
                    self.expr(&call.expr),
                    Vec::new(),
                    call.expr.span(),
                )
            }
            other => self.expr(other),
        };
        Call {
            expr,
            args: call.args.iter().map(|arg| self.argument(arg)).collect(),
        }
    }

    /// The block that `self.name` means.
    fn block_of_self(&self, attribute: &GetAttr<'_>) -> Option<Arc<Block>> {
        let Expr::Var(var) = &attribute.expr else {
            return None;
        };
        let named = |block: &&Arc<Block>| var.id == "self" && block.name == attribute.name;
        self.blocks.iter().find(named).cloned()
    }

    fn argument(&mut self, arg: &CallArg<'_>) -> CallArg<'static> {
        match arg {
            CallArg::Pos(expr) => CallArg::Pos(self.expr(expr)),
            CallArg::Kwarg(name, expr) => CallArg::Kwarg(intern(name), self.expr(expr)),
            CallArg::PosSplat(expr) => CallArg::PosSplat(self.expr(expr)),
            CallArg::KwargSplat(expr) => CallArg::KwargSplat(self.expr(expr)),
        }
    }
}

/// The short name of a filter, test or lookup that may be written with its collection.
pub(crate) fn plugin_name(name: &str) -> &'static str {
    let compact: String = name.split_whitespace().collect();
    let short = compact
        .strip_prefix("ansible.builtin.")
        .or_else(|| compact.strip_prefix("ansible.legacy."));
    intern(short.unwrap_or(&compact))
}

pub(crate) fn constant_expr(value: Value, span: Span) -> Expr<'static> {
    Expr::Const(Spanned::new(Const { value }, span))
}

/// A call of a thing of this crate.
pub(crate) fn call_of(
    called: impl Object + 'static,
    args: Vec<CallArg<'static>>,
    span: Span,
) -> Expr<'static> {
    let expr = constant_expr(Value::from_object(called), span);
    Expr::Call(Spanned::new(Call { expr, args }, span))
}

pub(crate) fn own_filter(
    name: &'static str,
    left: Expr<'static>,
    args: Vec<Expr<'static>>,
    span: Span,
) -> Expr<'static> {
    let args = args.into_iter().map(CallArg::Pos).collect();
    Expr::Filter(Spanned::new(
        Filter {
            name,
            expr: Some(left),
            args,
        },
        span,
    ))
}
