//! Loops: what a task goes over, and the one result that comes of it.

use std::sync::Arc;
use std::time::Duration;

use rustle_events::EventKind;
use rustle_template::{Scope, Trust};
use rustle_types::{LoopControl, Object};
use serde_json::{Value, json};

use crate::attempt::facts_in;
use crate::evaluate::Evaluator;
use crate::loop_items::items_of;
use crate::outcome::{SECRET, censored, unreachable_result};
use crate::result::{TaskError, is, object, skipped};
use crate::unit::{Unit, UnitError};
use crate::world::Unreachable;

/// What a task came to, with all items of its loop.
pub(crate) struct Ran {
    /// The result.
    pub(crate) raw: Object,
    /// The handlers that it notifies.
    pub(crate) notify: Vec<String>,
    /// Whether an item's result must not be shown.
    pub(crate) is_secret: bool,
    /// Why the host could not be reached for an item, if so.
    pub(crate) unreachable: Option<Unreachable>,
}

impl Ran {
    /// A result that notifies nobody.
    pub(crate) const fn of(raw: Object) -> Self {
        Self {
            raw,
            notify: Vec::new(),
            is_secret: false,
            unreachable: None,
        }
    }
}

/// Runs a task, with its loop if it has one.
pub(crate) async fn run(unit: &Unit<'_>, scope: &Scope) -> Result<Ran, UnitError> {
    let task = &unit.node.task;
    if task.loop_over.is_none() && task.with.is_none() {
        let raw = unit.run_item(scope, &unit.key("-"), None).await?;
        let notify = unit.notified(&raw, scope);
        return Ok(Ran {
            notify,
            ..Ran::of(raw)
        });
    }
    let cx = Evaluator {
        engine: &unit.world.engine,
        scope,
    };
    let items = match items_of(task, &cx) {
        Ok(items) => items,
        // What cannot be gone over does not matter where the task does not run anyhow.
        Err(error) => {
            return match unit
                .node
                .keywords
                .when
                .as_ref()
                .map(|when| cx.conditions("when", when))
            {
                Some(Ok(Some(condition))) => Ok(Ran::of(skipped(&condition))),
                _ => Err(error.into()),
            };
        }
    };
    if items.is_empty() {
        let empty = json!({"changed": false, "skipped": true, "skipped_reason": "No items in the list", "results": []});
        return Ok(Ran::of(object(empty)));
    }
    run_items(unit, scope, items).await
}

async fn run_items(unit: &Unit<'_>, scope: &Scope, items: Vec<Value>) -> Result<Ran, UnitError> {
    let control = unit.node.task.loop_control.clone().unwrap_or_default();
    let cx = Evaluator {
        engine: &unit.world.engine,
        scope,
    };
    let names = Names::of(&control, &cx)?;
    let pause = cx
        .number("loop_control.pause", control.pause.as_ref())?
        .map(Duration::from_secs_f64);
    let mut results = Vec::with_capacity(items.len());
    let mut ran = Ran::of(Object::new());
    let mut left = Left::default();
    for (index, item) in items.iter().enumerate() {
        if let Some(pause) = pause.filter(|_| index > 0) {
            unit.pause(pause).await?;
        }
        let vars = Arc::new(names.vars(&items, index, item));
        let inner = left
            .scope(scope)
            .extend()
            .push_layer(Arc::clone(&vars), Trust::Untrusted)
            .build();
        let mut result = match run_one(unit, &inner, (index, &vars), ran.unreachable.as_ref()).await
        {
            Ok(result) => {
                left.take(unit, &result);
                result
            }
            Err(UnitError::Task(error)) => error.into_result(),
            Err(UnitError::Unreachable(why)) => {
                let result = unreachable_result(&why);
                ran.unreachable.get_or_insert(why);
                result
            }
        };
        let cx = Evaluator {
            engine: &unit.world.engine,
            scope: &inner,
        };
        let label = label(&control, item, &cx).unwrap_or_else(|error| {
            result = error.into_result();
            rustle_module::py_str(item)
        });
        names.mark(&mut result, &vars);
        ran.is_secret |= tell_item(unit, &cx, label, &result);
        let ends = breaks(&control, &inner, unit, &result)?;
        ran.notify.extend(unit.notified(&result, &inner));
        results.push(Value::Object(result));
        if ends {
            break;
        }
    }
    ran.raw = combine(results);
    Ok(ran)
}

/// The result of one item. A host that could not be reached once is not tried again for each item.
async fn run_one(
    unit: &Unit<'_>,
    scope: &Scope,
    (index, vars): (usize, &Object),
    unreachable: Option<&Unreachable>,
) -> Result<Object, UnitError> {
    let keeps_its_host = unit.node.keywords.delegate_to.is_none();
    match unreachable.filter(|_| keeps_its_host) {
        Some(why) => unit.run_item_of_lost_host(scope, why),
        None => {
            let key = unit.key(&index.to_string());
            unit.run_item(scope, &key, Some(vars)).await
        }
    }
}

/// Tells the result of an item, and whether it must not be shown.
fn tell_item(unit: &Unit<'_>, cx: &Evaluator<'_>, label: String, result: &Object) -> bool {
    let no_log = unit.node.keywords.no_log.as_ref();
    // Where it cannot be told whether it may be shown, it may not.
    let is_secret = result.contains_key(SECRET)
        || cx
            .flag("no_log", no_log)
            .map_or(true, |flag| flag == Some(true));
    let (label, result) = if is_secret {
        ("(hidden)".into(), censored(result))
    } else {
        (label, result.clone())
    };
    unit.tell(EventKind::ItemFinished {
        unit: unit.id.clone(),
        label,
        result,
    });
    is_secret
}

/// What the items so far leave for those that follow: facts that they set, and the last result under its registered name.
#[derive(Default)]
struct Left(Object);

impl Left {
    fn scope(&self, scope: &Scope) -> Scope {
        if self.0.is_empty() {
            return scope.clone();
        }
        scope
            .extend()
            .push_layer(Arc::new(self.0.clone()), Trust::Untrusted)
            .build()
    }

    fn take(&mut self, unit: &Unit<'_>, result: &Object) {
        if is(result, "skipped") {
            return;
        }
        if let Some(name) = &unit.node.task.register {
            self.0.insert(name.clone(), Value::Object(result.clone()));
        }
        self.0.extend(facts_in(result));
    }
}

/// What the loop's variables are called.
struct Names {
    item: String,
    index: Option<String>,
    is_extended: bool,
    has_all_items: bool,
}

impl Names {
    fn of(control: &LoopControl, cx: &Evaluator<'_>) -> Result<Self, TaskError> {
        let item = cx.text_keyword("loop_control.loop_var", control.loop_var.as_deref())?;
        Ok(Self {
            item: item.unwrap_or_else(|| "item".into()),
            index: cx.text_keyword("loop_control.index_var", control.index_var.as_deref())?,
            is_extended: cx
                .flag("loop_control.extended", control.extended.as_ref())?
                .unwrap_or(false),
            has_all_items: cx
                .flag(
                    "loop_control.extended_allitems",
                    control.extended_allitems.as_ref(),
                )?
                .unwrap_or(true),
        })
    }

    /// Says in an item's result which item it is of: by the variables that the loop has for it.
    fn mark(&self, result: &mut Object, vars: &Object) {
        let item = vars.get(&self.item);
        result.extend(item.map(|item| (self.item.clone(), item.clone())));
        let others = vars.iter().filter(|(name, _)| **name != self.item);
        result.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// The variables of one item.
    fn vars(&self, items: &[Value], index: usize, item: &Value) -> Object {
        let mut vars = Object::new();
        vars.insert(self.item.clone(), item.clone());
        vars.insert("ansible_loop_var".into(), Value::String(self.item.clone()));
        if let Some(name) = &self.index {
            vars.insert(name.clone(), index.into());
            vars.insert("ansible_index_var".into(), Value::String(name.clone()));
        }
        if self.is_extended {
            let length = items.len();
            let mut about = object(json!({
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index + 1 == length,
                "length": length,
                "revindex": length - index,
                "revindex0": length - index - 1,
            }));
            if self.has_all_items {
                about.insert("allitems".into(), Value::Array(items.to_vec()));
            }
            if let Some(previous) = index
                .checked_sub(1)
                .and_then(|previous| items.get(previous))
            {
                about.insert("previtem".into(), previous.clone());
            }
            if let Some(next) = items.get(index + 1) {
                about.insert("nextitem".into(), next.clone());
            }
            vars.insert("ansible_loop".into(), Value::Object(about));
        }
        vars
    }
}

/// How the item is shown.
fn label(control: &LoopControl, item: &Value, cx: &Evaluator<'_>) -> Result<String, TaskError> {
    let shown = match &control.label {
        Some(label) => cx.value("`loop_control.label`", label)?,
        None => item.clone(),
    };
    Ok(rustle_module::py_str(&shown))
}

fn breaks(
    control: &LoopControl,
    inner: &Scope,
    unit: &Unit<'_>,
    result: &Object,
) -> Result<bool, TaskError> {
    let Some(condition) = &control.break_when else {
        return Ok(false);
    };
    let scope = match &unit.node.task.register {
        None => inner.clone(),
        Some(name) => {
            let vars = [(name.clone(), Value::Object(result.clone()))]
                .into_iter()
                .collect();
            inner
                .extend()
                .push_layer(Arc::new(vars), Trust::Untrusted)
                .build()
        }
    };
    let cx = Evaluator {
        engine: &unit.world.engine,
        scope: &scope,
    };
    Ok(cx
        .conditions("loop_control.break_when", condition)?
        .is_none())
}

/// The one result of all items.
fn combine(results: Vec<Value>) -> Object {
    let any = |key: &str| {
        results
            .iter()
            .filter_map(Value::as_object)
            .any(|result| is(result, key))
    };
    let all_skipped = results
        .iter()
        .filter_map(Value::as_object)
        .all(|result| is(result, "skipped"));
    let (changed, failed, unreachable) = (any("changed"), any("failed"), any("unreachable"));
    let msg = match (failed, all_skipped) {
        (true, _) => "One or more items failed",
        (false, true) => "All items skipped",
        (false, false) => "All items completed",
    };
    let mut combined = Object::new();
    let warnings: Vec<Value> = results
        .iter()
        .filter_map(|result| result.get("warnings")?.as_array())
        .flatten()
        .cloned()
        .collect();
    combined.insert("results".into(), Value::Array(results));
    combined.insert("skipped".into(), Value::Bool(all_skipped));
    if unreachable {
        combined.insert("unreachable".into(), Value::Bool(true));
    }
    combined.insert("changed".into(), Value::Bool(changed));
    combined.insert("msg".into(), msg.into());
    if failed {
        combined.insert("failed".into(), Value::Bool(true));
    }
    if !warnings.is_empty() {
        combined.insert("warnings".into(), Value::Array(warnings));
    }
    combined
}
