//! Lists and mappings that a template changes in place, as `{% set _ = list.append(1) %}` does.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, Value};

use crate::error::invalid;
use crate::filters::{Arguments, entries, items, ordered};
use crate::lazy::is_lazy;
use crate::python::py_repr;

/// Methods that change the value they are called on.
pub(crate) const CHANGING: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "update",
    "setdefault",
    "sort",
    "reverse",
];

/// True where a template calls such a method, so that its lists and mappings have to be changeable.
pub(crate) fn is_needed(template: &str) -> bool {
    template.contains('.')
        && CHANGING
            .iter()
            .any(|method| template.contains(&format!(".{method}(")))
}

/// A changeable copy of a list or mapping; other values and what is changeable already are given back.
pub(crate) fn changeable(value: Value) -> Result<Value, Error> {
    match value.kind() {
        _ if List::of(&value).is_some() || Mapping::of(&value).is_some() => Ok(value),
        ValueKind::Seq if !value.is_tuple() => {
            Ok(items(&value).map_or(value, |items| Value::from_object(List(Mutex::new(items)))))
        }
        // An object with entries of its own, such as a namespace, is changed by other means.
        ValueKind::Map if is_data(&value) => Ok(entries(&value).map_or(value, |entries| {
            Value::from_object(Mapping(Mutex::new(entries.into_iter().collect())))
        })),
        _ => Ok(value),
    }
}

/// True for a mapping that a template wrote or a variable holds.
fn is_data(value: &Value) -> bool {
    let plain = value.downcast_object_ref::<IndexMap<Value, Value>>();
    plain.is_some() || is_lazy(value)
}

struct List(Mutex<Vec<Value>>);

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("List").field(&*self.lock()).finish()
    }
}

impl List {
    fn of(value: &Value) -> Option<Arc<Self>> {
        value.downcast_object::<Self>()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lock().get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.lock().len())
    }
}

struct Mapping(Mutex<IndexMap<Value, Value>>);

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mapping").field(&*self.lock()).finish()
    }
}

impl Mapping {
    fn of(value: &Value) -> Option<Arc<Self>> {
        value.downcast_object::<Self>()
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<Value, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Mapping {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lock().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.lock().keys().cloned().collect())
    }
}

/// Calls a method that changes the value; none where the value or the method is another.
pub(crate) fn call(value: &Value, method: &str, args: &Arguments) -> Result<Option<Value>, Error> {
    if let Some(list) = List::of(value) {
        return change_list(&list, method, args);
    }
    if let Some(map) = Mapping::of(value) {
        return change_mapping(&map, method, args);
    }
    Ok(None)
}

fn change_list(list: &List, method: &str, args: &Arguments) -> Result<Option<Value>, Error> {
    let first = |name: &str| args.required(0, name);
    let mut changed = list.lock().clone();
    let mut result = Value::from(());
    match method {
        "append" => changed.push(first("object")?),
        "extend" => changed.extend(items(&first("iterable")?)?),
        "insert" => {
            let at = place(args, changed.len())?.min(changed.len());
            changed.insert(at, args.required(1, "object")?);
        }
        "remove" => {
            let wanted = first("value")?;
            let at = changed.iter().position(|item| *item == wanted);
            changed.remove(at.ok_or_else(|| invalid("list.remove(x): x not in list"))?);
        }
        "pop" if args.positional.is_empty() => {
            result = changed
                .pop()
                .ok_or_else(|| invalid("pop from empty list"))?;
        }
        "pop" => {
            let at = place(args, changed.len())?;
            if at >= changed.len() {
                return Err(invalid("pop index out of range"));
            }
            result = changed.remove(at);
        }
        "clear" => changed.clear(),
        "reverse" => changed.reverse(),
        "sort" => {
            sort(&mut changed)?;
            if args
                .keyword("reverse")
                .is_some_and(|reverse| reverse.is_true())
            {
                changed.reverse();
            }
        }
        _ => return Ok(None),
    }
    *list.lock() = changed;
    Ok(Some(result))
}

/// The place that the first argument names, which counts from the end where it is negative.
fn place(args: &Arguments, length: usize) -> Result<usize, Error> {
    let at = args.whole(0, "index")?.unwrap_or(0);
    let from_end = || i64::try_from(length).unwrap_or(i64::MAX) + at;
    Ok(usize::try_from(if at < 0 { from_end() } else { at }).unwrap_or(0))
}

fn sort(items: &mut [Value]) -> Result<(), Error> {
    let mut failed = None;
    items.sort_by(|a, b| {
        ordered("<", a, b).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            std::cmp::Ordering::Equal
        })
    });
    failed.map_or(Ok(()), Err)
}

fn change_mapping(map: &Mapping, method: &str, args: &Arguments) -> Result<Option<Value>, Error> {
    let key = || args.required(0, "key");
    Ok(Some(match method {
        "update" => {
            let mut new = match args.positional.first() {
                Some(other) => entries(&crate::globals::mapping(other)?)?,
                None => Vec::new(),
            };
            new.extend(args.keywords().into_iter().map(|name| {
                let value = args.keyword(&name).unwrap_or_default();
                (Value::from(name), value)
            }));
            map.lock().extend(new);
            Value::from(())
        }
        "setdefault" => {
            let default = args.get(1, "default").unwrap_or_else(|| Value::from(()));
            map.lock().entry(key()?).or_insert(default).clone()
        }
        "pop" => {
            let key = key()?;
            let found = map.lock().shift_remove(&key);
            found
                .or_else(|| args.get(1, "default"))
                .ok_or_else(|| invalid(format!("there is no key {}", py_repr(&key))))?
        }
        "popitem" => {
            let last = map.lock().pop();
            let (key, value) = last.ok_or_else(|| invalid("popitem(): dictionary is empty"))?;
            Value::from(vec![key, value])
        }
        "clear" => {
            map.lock().clear();
            Value::from(())
        }
        _ => return Ok(None),
    }))
}
