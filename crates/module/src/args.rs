//! Checks a call's arguments against the specification: one message, of the first class of mistakes found.
//!
//! The order of the classes is Ansible's: mutually exclusive, missing, types, choices, options that go together,
//! unknown names.

use rustle_types::Object;
use serde_json::Value;

use crate::choices::check_choices;
use crate::coerce::{Expand, coerce, py_type};
use crate::pyrepr::py_str;
use crate::spec::{Constraint, Default, Opt, Spec, Type};

/// Arguments that fit their specification.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedArgs {
    /// By the options' own names, defaults filled in, coerced; an option without a value is null.
    pub args: Object,
    /// What the user should know though it is no mistake.
    pub warnings: Vec<String>,
    /// Values of secret options, to be masked in what comes back.
    pub secrets: Vec<String>,
}

/// Why arguments do not fit their specification.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArgError {
    /// Options were given of which only one may be.
    #[error("parameters are mutually exclusive: {0}")]
    MutuallyExclusive(String),
    /// Required options are missing.
    #[error("missing required arguments: {0}")]
    Missing(String),
    /// A value does not fit the option's type.
    #[error(
        "{what} '{name}' is of type {found}{within} and we were unable to convert to {wanted}: {why}"
    )]
    Type {
        /// Whether the whole value is meant, or an element of a list.
        what: &'static str,
        /// The option.
        name: String,
        /// The type of what was given.
        found: &'static str,
        /// Which option it is inside of, with ` found in ` before it; else empty.
        within: String,
        /// The type that the option has.
        wanted: &'static str,
        /// What kept it from being converted.
        why: String,
    },
    /// A value is none of the accepted ones.
    #[error("value of {name} must be {}: {choices}{} {found}",
        if *is_list { "one or more of" } else { "one of" },
        if *is_list { ". Got no match for:" } else { ", got:" })]
    Choice {
        /// The option.
        name: String,
        /// Whether the option is a list of such values.
        is_list: bool,
        /// The accepted values.
        choices: String,
        /// What was given.
        found: String,
    },
    /// Options are missing that go with the given ones.
    #[error("{0}")]
    Group(String),
    /// Options were given that the module does not have.
    #[error(
        "Unsupported parameters for ({module}) module: {names}. Supported parameters include: {supported}."
    )]
    Unknown {
        /// The module.
        module: String,
        /// The unknown names.
        names: String,
        /// The names it has, aliases in parentheses.
        supported: String,
    },
}

impl ArgError {
    /// The mistake as it is told where it is one inside of the option `outer`.
    fn found_in(self, outer: &str) -> Self {
        match self {
            Self::MutuallyExclusive(names) => Self::MutuallyExclusive(inside(&names, outer)),
            Self::Missing(names) => Self::Missing(inside(&names, outer)),
            Self::Group(told) => Self::Group(inside(&told, outer)),
            Self::Choice {
                name,
                is_list,
                choices,
                found,
            } => Self::Choice {
                name,
                is_list,
                choices,
                found: inside(&found, outer),
            },
            Self::Type {
                what,
                name,
                found,
                within,
                wanted,
                why,
            } => {
                let inner = within
                    .trim_start_matches(" found in '")
                    .trim_end_matches("'.");
                let path = if inner.is_empty() {
                    outer.to_owned()
                } else {
                    format!("{outer} -> {inner}")
                };
                Self::Type {
                    what,
                    name,
                    found,
                    within: format!(" found in '{path}'."),
                    wanted,
                    why,
                }
            }
            Self::Unknown {
                module,
                names,
                supported,
            } => Self::Unknown {
                module,
                names: format!("{outer}.{names}"),
                supported,
            },
        }
    }
}

/// What is told of a mistake, with the option that it is inside of.
fn inside(told: &str, outer: &str) -> String {
    match told.rsplit_once(" found in ") {
        Some((told, inner)) => format!("{told} found in {outer} -> {inner}"),
        None => format!("{told} found in {outer}"),
    }
}

/// Checks `args` against `spec`, resolves aliases, fills in defaults and coerces.
///
/// # Errors
/// The first class of mistakes found, with all names of that class.
pub fn check_args(
    spec: &Spec,
    given: Object,
    expand: &dyn Expand,
) -> Result<CheckedArgs, ArgError> {
    check_all_args(spec, given, expand).map_err(|errors| {
        let first = errors.into_iter().next();
        first.unwrap_or_else(|| ArgError::Group("the arguments do not fit".into()))
    })
}

/// Checks `args` against `spec` as [`check_args`] does, and goes on after a mistake.
///
/// # Errors
/// All mistakes, in the order of their classes.
pub fn check_all_args(
    spec: &Spec,
    given: Object,
    expand: &dyn Expand,
) -> Result<CheckedArgs, Vec<ArgError>> {
    let mut errors = Vec::new();
    let checked = check_into(spec, given, expand, &mut errors);
    join_unknown(spec, &mut errors);
    if errors.is_empty() {
        Ok(checked)
    } else {
        Err(errors)
    }
}

fn check_into(
    spec: &Spec,
    given: Object,
    expand: &dyn Expand,
    errors: &mut Vec<ArgError>,
) -> CheckedArgs {
    let options: Vec<&'static Opt> = spec.all_options().collect();
    let (mut args, unknown, warnings) = resolve_aliases(&options, given, spec);
    errors.extend(check_exclusive(spec.constraints, &args).err());
    let missing: Vec<&str> = options
        .iter()
        .filter(|o| o.required && !args.contains_key(o.name))
        .map(|o| o.name)
        .collect();
    if !missing.is_empty() {
        errors.push(ArgError::Missing(sorted(missing).join(", ")));
    }
    fill_defaults(&options, &mut args);
    for option in &options {
        errors.extend(coerce_option(option, &mut args, expand).err());
    }
    for option in &options {
        errors.extend(check_choices(option, &mut args).err());
    }
    errors.extend(check_groups(spec.constraints, &args));
    for option in options.iter().filter(|o| !o.suboptions.is_empty()) {
        check_suboptions(option, &mut args, expand, errors);
    }
    errors.extend(unknown_errors(spec, &options, unknown));
    let mut secrets = Vec::new();
    for option in options.iter().filter(|o| o.no_log) {
        collect_texts(args.get(option.name), &mut secrets);
    }
    for option in &options {
        args.entry(option.name).or_insert(Value::Null);
    }
    CheckedArgs {
        args,
        warnings,
        secrets,
    }
}

/// Moves values of aliases to the options' own names. An alias beats the name it stands for.
fn resolve_aliases(
    options: &[&'static Opt],
    given: Object,
    spec: &Spec,
) -> (Object, Vec<String>, Vec<String>) {
    let (mut args, mut unknown, mut warnings) = (Object::new(), Vec::new(), Vec::new());
    // Which options have their value by an alias, and by which.
    let mut by_alias: Vec<(&str, String)> = Vec::new();
    for (name, value) in given {
        let Some(option) = options
            .iter()
            .find(|o| o.name == name || o.aliases.contains(&name.as_str()))
        else {
            if spec.any_option {
                args.insert(name, value);
            } else {
                unknown.push(name);
            }
            continue;
        };
        let is_alias = option.name != name;
        let earlier = by_alias.iter().find(|(own, _)| *own == option.name);
        if args.contains_key(option.name) {
            let alias = earlier.map_or(&name, |(_, alias)| if is_alias { &name } else { alias });
            warnings.push(format!(
                "Both option {} and its alias {alias} are set.",
                option.name
            ));
            if earlier.is_some() && !is_alias {
                continue;
            }
        }
        if is_alias {
            by_alias.push((option.name, name));
        }
        args.insert(option.name.into(), value);
    }
    (args, unknown, warnings)
}

fn fill_defaults(options: &[&'static Opt], args: &mut Object) {
    for option in options {
        let default = match option.default {
            Default::None => continue,
            Default::Bool(value) => Value::Bool(value),
            Default::Int(value) => Value::from(value),
            Default::Float(value) => Value::from(value),
            Default::Str(text) => Value::String(text.into()),
            Default::List(items) => items
                .iter()
                .map(|item| Value::String((*item).into()))
                .collect(),
            Default::Ints(items) => items.iter().copied().map(Value::from).collect(),
            Default::Dict => Value::Object(Object::new()),
        };
        args.entry(option.name).or_insert(default);
    }
}

fn coerce_option(option: &Opt, args: &mut Object, expand: &dyn Expand) -> Result<(), ArgError> {
    let Some(value) = args.get_mut(option.name) else {
        return Ok(());
    };
    if value.is_null() && !option.required && matches!(option.default, Default::None) {
        return Ok(());
    }
    *value = coerce(value, option.kind, expand).map_err(|why| {
        let element = match option.kind {
            Type::List(kind) => strange_element(value, *kind, expand).map(|found| (found, *kind)),
            _ => None,
        };
        let what = match element {
            Some(_) => "Elements value for option",
            None => "argument",
        };
        let (found, wanted) = element.unwrap_or((py_type(value), option.kind));
        ArgError::Type {
            what,
            name: option.name.into(),
            found,
            within: String::new(),
            wanted: type_name(wanted),
            why,
        }
    })?;
    Ok(())
}

/// The Python name of the type of the first element that does not fit; none where the value itself is no list.
fn strange_element(value: &Value, kind: Type, expand: &dyn Expand) -> Option<&'static str> {
    match value {
        Value::Array(items) => {
            let strange = |item: &&Value| coerce(item, kind, expand).is_err();
            items.iter().find(strange).map(py_type)
        }
        Value::Null | Value::Object(_) => None,
        scalar => Some(py_type(scalar)),
    }
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Str => "str",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Float => "float",
        Type::Path => "path",
        Type::Raw => "raw",
        Type::Dict => "dict",
        Type::List(_) => "list",
    }
}

/// Checks the options inside a dict, or inside each dict of a list.
fn check_suboptions(
    option: &Opt,
    args: &mut Object,
    expand: &dyn Expand,
    errors: &mut Vec<ArgError>,
) {
    let spec = Spec::new(option.name, option.suboptions).constraints(option.constraints);
    let mut inner = Vec::new();
    let mut check = |value: &mut Value| {
        if let Value::Object(fields) = value {
            *fields = check_into(&spec, std::mem::take(fields), expand, &mut inner).args;
        }
    };
    match args.get_mut(option.name) {
        Some(Value::Array(items)) => items.iter_mut().for_each(check),
        Some(value) => check(value),
        None => {}
    }
    errors.extend(inner.into_iter().map(|error| error.found_in(option.name)));
}

fn is_given(args: &Object, name: &str) -> bool {
    args.get(name).is_some_and(|value| !value.is_null())
}

fn check_exclusive(constraints: &[Constraint], args: &Object) -> Result<(), ArgError> {
    let clashes: Vec<String> = constraints
        .iter()
        .filter_map(|constraint| match constraint {
            Constraint::MutuallyExclusive(names) => Some(names),
            _ => None,
        })
        .filter(|names| names.iter().filter(|name| is_given(args, name)).count() > 1)
        .map(|names| names.join("|"))
        .collect();
    if clashes.is_empty() {
        Ok(())
    } else {
        Err(ArgError::MutuallyExclusive(clashes.join(", ")))
    }
}

/// What is missing beside what is given: of each kind of rule the first that does not hold.
fn check_groups(constraints: &[Constraint], args: &Object) -> Vec<ArgError> {
    let mut errors: Vec<(u8, String)> = Vec::new();
    for constraint in constraints {
        if let Some((kind, told)) = missing_beside(constraint, args)
            && !errors.iter().any(|(known, _)| *known == kind)
        {
            errors.push((kind, told));
        }
    }
    errors.sort_by_key(|(kind, _)| *kind);
    let told = errors.into_iter().map(|(_, told)| ArgError::Group(told));
    told.collect()
}

/// What a rule misses, and its kind's place among the kinds.
fn missing_beside(constraint: &Constraint, args: &Object) -> Option<(u8, String)> {
    let missing_of = |names: &'static [&'static str]| -> Vec<&'static str> {
        let names = names.iter().copied();
        names.filter(|name| !is_given(args, name)).collect()
    };
    match *constraint {
        Constraint::MutuallyExclusive(_) => None,
        Constraint::RequiredTogether(names) => {
            let missing = missing_of(names).len();
            let told = || format!("parameters are required together: {}", names.join(", "));
            (missing > 0 && missing < names.len()).then(|| (0, told()))
        }
        Constraint::RequiredOneOf(names) => {
            let told = || format!("one of the following is required: {}", names.join(", "));
            (missing_of(names).len() == names.len()).then(|| (1, told()))
        }
        Constraint::RequiredIf {
            option,
            value,
            required,
            any,
        } => {
            let missing = missing_of(required);
            let applies = args.get(option).is_some_and(|given| py_str(given) == value);
            let fails = if any {
                missing.len() == required.len()
            } else {
                !missing.is_empty()
            };
            let term = if any { "any" } else { "all" };
            let told = || {
                format!(
                    "{option} is {value} but {term} of the following are missing: {}",
                    missing.join(", ")
                )
            };
            (applies && fails).then(|| (2, told()))
        }
        Constraint::RequiredBy { option, required } => {
            let missing = missing_of(required);
            let told = || {
                let missing = missing.join(", ");
                format!("missing parameter(s) required by '{option}': {missing}")
            };
            (is_given(args, option) && !missing.is_empty()).then(|| (3, told()))
        }
    }
}

/// One error for each option that is not known.
fn unknown_errors(spec: &Spec, options: &[&'static Opt], unknown: Vec<String>) -> Vec<ArgError> {
    let public = || options.iter().filter(|o| !o.internal);
    let names: Vec<&str> = sorted(public().map(|o| o.name).collect());
    let aliases: Vec<&str> = sorted(public().flat_map(|o| o.aliases.iter().copied()).collect());
    let aliases = if aliases.is_empty() {
        String::new()
    } else {
        format!(" ({})", aliases.join(", "))
    };
    let unknown = unknown.into_iter().map(|name| ArgError::Unknown {
        module: spec.qualified_name(),
        names: name,
        supported: format!("{}{aliases}", names.join(", ")),
    });
    unknown.collect()
}

/// Tells all options that are not known at once, and last.
fn join_unknown(spec: &Spec, errors: &mut Vec<ArgError>) {
    let (mut unknown, mut others) = (Vec::new(), Vec::new());
    for error in std::mem::take(errors) {
        match error {
            ArgError::Unknown {
                names, supported, ..
            } => unknown.push((names, supported)),
            other => others.push(other),
        }
    }
    unknown.sort();
    others.extend(unknown.last().map(|(_, supported)| {
        let names: Vec<&str> = unknown.iter().map(|(name, _)| name.as_str()).collect();
        ArgError::Unknown {
            module: spec.qualified_name(),
            names: names.join(", "),
            supported: supported.clone(),
        }
    }));
    *errors = others;
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// Gathers every text and number of a secret value.
fn collect_texts(value: Option<&Value>, into: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) if !text.is_empty() => into.push(text.clone()),
        Some(Value::Number(number)) => into.push(number.to_string()),
        Some(Value::Array(items)) => items
            .iter()
            .for_each(|item| collect_texts(Some(item), into)),
        Some(Value::Object(fields)) => fields
            .values()
            .for_each(|field| collect_texts(Some(field), into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Type;
    use serde_json::json;

    struct Nothing;

    impl Expand for Nothing {
        fn variable(&self, _name: &str) -> Option<String> {
            None
        }

        fn home(&self, _user: Option<&str>) -> Option<String> {
            None
        }
    }

    const SPEC: Spec = Spec::new(
        "m",
        &[
            Opt::new("path", Type::Str).aliases(&["dest", "name"]),
            Opt::new("_sent", Type::Str).internal(),
        ],
    );

    fn checked(args: &Value) -> Result<CheckedArgs, ArgError> {
        let args = args.as_object().cloned().expect("an object");
        check_args(&SPEC, args, &Nothing)
    }

    #[test]
    fn an_alias_beats_the_name_whichever_comes_first_and_both_are_named() {
        for args in [
            json!({"path": "a", "dest": "b"}),
            json!({"dest": "b", "path": "a"}),
        ] {
            let checked = checked(&args).expect("they fit");
            assert_eq!(checked.args["path"], "b");
            let warning = "Both option path and its alias dest are set.";
            assert_eq!(checked.warnings, [warning]);
        }
    }

    #[test]
    fn options_of_the_controller_are_taken_and_not_named() {
        assert!(checked(&json!({"_sent": "x"})).is_ok());
        let error = checked(&json!({"nope": 1})).expect_err("unknown");
        let expected = "Unsupported parameters for (ansible.builtin.m) module: nope. Supported parameters include: path (dest, name).";
        assert_eq!(error.to_string(), expected);
    }
}
