//! Lists: sets of items, order, flattening and pairing.

use std::cmp::Ordering;

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, items};
use super::operators::ordered;
use crate::convert::check;
use crate::error::{invalid, undefined};
use crate::python::{is_list, type_name};

/// How many items a product may have, against templates that ask for all memory.
const MAX_ITEMS: usize = 1_000_000;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("list", |value, _| items(value).map(Value::from)),
            ("unique", unique),
            ("union", |a, args| {
                set(a, args, |a, b| a.iter().chain(b).cloned().collect())
            }),
            ("intersect", |a, args| {
                set(a, args, |a, b| {
                    a.iter().filter(|item| b.contains(item)).cloned().collect()
                })
            }),
            ("difference", |a, args| {
                set(a, args, |a, b| {
                    a.iter().filter(|item| !b.contains(item)).cloned().collect()
                })
            }),
            ("symmetric_difference", |a, args| set(a, args, symmetric)),
            ("flatten", flatten),
            ("zip", zip),
            ("zip_longest", zip_longest),
            ("product", product),
            ("combinations", |value, args| choose(value, args, false)),
            ("permutations", |value, args| choose(value, args, true)),
            ("min", |value, args| extreme(value, args, Ordering::Less)),
            ("max", |value, args| extreme(value, args, Ordering::Greater)),
            ("sort", sort),
            ("sum", sum),
            ("first", |value, _| first(items(value)?.into_iter().next())),
            ("last", |value, _| {
                first(items(value)?.into_iter().next_back())
            }),
            ("length", length),
            ("count", length),
            ("reverse", reverse),
            ("batch", batch),
            ("slice", slice),
        ],
    );
}

/// The value at an attribute path such as `a.b.0`.
pub(crate) fn by_path(value: &Value, path: &str) -> Result<Value, Error> {
    let mut current = value.clone();
    for part in path.split('.') {
        let mut next = part.parse::<i64>().map_or(Ok(Value::UNDEFINED), |index| {
            current.get_item(&Value::from(index))
        })?;
        if next.is_undefined() {
            next = current.get_item(&Value::from(part))?;
        }
        if next.is_undefined() {
            return Err(undefined(
                part,
                format!(
                    "object of type '{}' has no attribute '{part}'",
                    type_name(&current)
                ),
            ));
        }
        current = check(next)?;
    }
    Ok(current)
}

fn first(found: Option<Value>) -> Result<Value, Error> {
    found.ok_or_else(|| undefined("item", "there is no such item, since the list is empty"))
}

fn length(value: &Value, _: &Arguments) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number => Err(invalid(format!(
            "object of type '{}' has no len()",
            type_name(value)
        ))),
        _ => Ok(Value::from(
            value
                .len()
                .map_or_else(|| items(value).map(|items| items.len()), Ok)?,
        )),
    }
}

fn reverse(value: &Value, _: &Arguments) -> Result<Value, Error> {
    match value.as_str() {
        Some(body) => Ok(Value::from(body.chars().rev().collect::<String>())),
        None => Ok(items(value)?.into_iter().rev().collect()),
    }
}

/// What an item is compared by: an attribute where one is named, and lower case where case does not count.
fn key_of(item: &Value, attribute: Option<&str>, case_sensitive: bool) -> Result<Value, Error> {
    let key = attribute.map_or_else(|| Ok(item.clone()), |path| by_path(item, path))?;
    Ok(match key.as_str() {
        Some(body) if !case_sensitive => Value::from(body.to_lowercase()),
        _ => key,
    })
}

fn unique(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let attribute = args.text(1, "attribute");
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for item in items(value)? {
        let key = key_of(&item, attribute.as_deref(), case_sensitive)?;
        if !seen.contains(&key) {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

fn set(
    a: &Value,
    args: &Arguments,
    combine: fn(&[Value], &[Value]) -> Vec<Value>,
) -> Result<Value, Error> {
    let (a, b) = (items(a)?, items(&args.required(0, "b")?)?);
    let mut kept: Vec<Value> = Vec::new();
    for item in combine(&a, &b) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

fn symmetric(a: &[Value], b: &[Value]) -> Vec<Value> {
    let only_a = a.iter().filter(|item| !b.contains(item));
    only_a
        .chain(b.iter().filter(|item| !a.contains(item)))
        .cloned()
        .collect()
}

fn flatten(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let levels = args.whole(0, "levels")?;
    let skip_nulls = args.flag(1, "skip_nulls", true);
    let mut out = Vec::new();
    flatten_into(&mut out, value, levels.unwrap_or(100).min(100), skip_nulls)?;
    Ok(Value::from(out))
}

fn flatten_into(
    out: &mut Vec<Value>,
    value: &Value,
    levels: i64,
    skip_nulls: bool,
) -> Result<(), Error> {
    for item in items(value)? {
        let null = item.is_none() || matches!(item.as_str(), Some("None" | "null"));
        if skip_nulls && null {
            continue;
        }
        if is_list(&item) && levels >= 1 {
            flatten_into(out, &item, levels - 1, skip_nulls)?
        } else {
            out.push(item)
        }
    }
    Ok(())
}

fn lists(value: &Value, args: &Arguments) -> Result<Vec<Vec<Value>>, Error> {
    std::iter::once(value)
        .chain(&args.positional)
        .map(items)
        .collect()
}

fn zip(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let lists = lists(value, args)?;
    let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
    let strict = args.keyword("strict").is_some_and(|flag| flag.is_true());
    if strict && lists.iter().any(|list| list.len() != shortest) {
        return Err(invalid("the lists that `zip` joins are not of one length"));
    }
    Ok((0..shortest)
        .map(|at| tuple(lists.iter().map(|list| list[at].clone()).collect()))
        .collect())
}

fn zip_longest(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let lists = lists(value, args)?;
    let fill = args.keyword("fillvalue").unwrap_or_else(|| Value::from(()));
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        tuple(
            lists
                .iter()
                .map(|list| list.get(at).unwrap_or(&fill).clone())
                .collect(),
        )
    };
    Ok((0..longest).map(row).collect())
}

fn tuple(values: Vec<Value>) -> Value {
    Value::from(Tuple::from(values))
}

fn product(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let repeat = args
        .keyword("repeat")
        .and_then(|count| count.as_usize())
        .unwrap_or(1)
        .min(20);
    let lists = lists(value, args)?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in std::iter::repeat_n(&lists, repeat).flatten() {
        if rows.len().saturating_mul(list.len()) > MAX_ITEMS {
            return Err(invalid(format!("a product of more than {MAX_ITEMS} items")));
        }
        let longer = |row: &Vec<Value>, item: &Value| {
            row.iter()
                .cloned()
                .chain([item.clone()])
                .collect::<Vec<_>>()
        };
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| longer(row, item)))
            .collect();
    }
    Ok(rows.into_iter().map(tuple).collect())
}

fn choose(value: &Value, args: &Arguments, ordered: bool) -> Result<Value, Error> {
    let pool = items(value)?;
    let wanted = match args.whole(0, "r")? {
        Some(count) => usize::try_from(count).map_err(|_| invalid("r must be non-negative"))?,
        None if ordered => pool.len(),
        None => return Err(invalid("the argument `r` is missing")),
    };
    let mut rows = Vec::new();
    let mut picked = Vec::new();
    pick(&pool, wanted, ordered, &mut picked, &mut rows)?;
    Ok(rows.into_iter().map(tuple).collect())
}

fn pick(
    pool: &[Value],
    wanted: usize,
    ordered: bool,
    picked: &mut Vec<usize>,
    rows: &mut Vec<Vec<Value>>,
) -> Result<(), Error> {
    if picked.len() == wanted {
        if rows.len() >= MAX_ITEMS {
            return Err(invalid(format!("more than {MAX_ITEMS} combinations")));
        }
        rows.push(picked.iter().map(|at| pool[*at].clone()).collect());
        return Ok(());
    }
    let start = if ordered {
        0
    } else {
        picked.last().map_or(0, |last| last + 1)
    };
    for at in start..pool.len() {
        if !picked.contains(&at) {
            picked.push(at);
            pick(pool, wanted, ordered, picked, rows)?;
            picked.pop();
        }
    }
    Ok(())
}

fn extreme(value: &Value, args: &Arguments, wanted: Ordering) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let attribute = args.text(1, "attribute");
    let mut best: Option<(Value, Value)> = None;
    for item in items(value)? {
        let key = key_of(&item, attribute.as_deref(), case_sensitive)?;
        let better = best.as_ref().map_or(Ok(true), |(old, _)| {
            ordered("<", &key, old).map(|order| order == wanted)
        })?;
        if better {
            best = Some((key, item));
        }
    }
    first(best.map(|(_, item)| item))
}

fn sort(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let descending = args.flag(0, "reverse", false);
    let case_sensitive = args.flag(1, "case_sensitive", false);
    let attributes = args.text(2, "attribute");
    let paths: Vec<Option<&str>> = attributes.as_deref().map_or_else(
        || vec![None],
        |paths| paths.split(',').map(|path| Some(path.trim())).collect(),
    );
    let mut keyed = Vec::new();
    for item in items(value)? {
        let keys = paths
            .iter()
            .map(|path| key_of(&item, *path, case_sensitive))
            .collect::<Result<Vec<_>, _>>()?;
        keyed.push((keys, item));
    }
    let mut failed = None;
    let mut compare = |a: &[Value], b: &[Value]| {
        for (a, b) in a.iter().zip(b) {
            match ordered("<", a, b) {
                Ok(Ordering::Equal) => {}
                Ok(order) => return order,
                Err(error) => {
                    failed.get_or_insert(error);
                    return Ordering::Equal;
                }
            }
        }
        Ordering::Equal
    };
    keyed.sort_by(|(a, _), (b, _)| {
        if descending {
            compare(b, a)
        } else {
            compare(a, b)
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

/// Sorts by keys that must have an order among themselves, as Python's do.
pub(crate) fn sort_keyed<T>(items: &mut [T], key: impl Fn(&T) -> &Value) -> Result<(), Error> {
    let mut failed = None;
    items.sort_by(|a, b| {
        ordered("<", key(a), key(b)).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Ordering::Equal
        })
    });
    failed.map_or(Ok(()), Err)
}

fn sum(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let attribute = args.text(0, "attribute");
    let mut total = args.get(1, "start").unwrap_or_else(|| Value::from(0));
    if total.as_str().is_some() {
        return Err(invalid("sum cannot add texts; use `join`"));
    }
    for item in items(value)? {
        let item = attribute
            .as_deref()
            .map_or_else(|| Ok(item.clone()), |path| by_path(&item, path))?;
        total = super::operators::add(&total, &item)?;
    }
    Ok(total)
}

fn batch(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let size = usize::try_from(args.whole(0, "linecount")?.unwrap_or(0)).unwrap_or(0);
    if size == 0 {
        return Err(invalid("batch needs a size of at least 1"));
    }
    let fill = args.get(1, "fill_with").filter(|fill| !fill.is_none());
    let mut rows: Vec<Vec<Value>> = items(value)?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (fill, rows.last_mut()) {
        last.resize(size.min(MAX_ITEMS), fill);
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

fn slice(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let count = usize::try_from(args.whole(0, "slices")?.unwrap_or(0))
        .unwrap_or(0)
        .min(MAX_ITEMS);
    if count == 0 {
        return Err(invalid("slice needs at least 1 slice"));
    }
    let fill = args.get(1, "fill_with").filter(|fill| !fill.is_none());
    let pool = items(value)?;
    let (each, extra) = (pool.len() / count, pool.len() % count);
    let mut rest = pool.into_iter();
    let rows = (0..count).map(|at| {
        let mut row: Vec<Value> = rest.by_ref().take(each + usize::from(at < extra)).collect();
        if let Some(fill) = fill.as_ref().filter(|_| at >= extra) {
            row.push(fill.clone());
        }
        Value::from(row)
    });
    Ok(rows.collect())
}
