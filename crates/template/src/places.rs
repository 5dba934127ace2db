//! Filters and tests that look at the controller's disk or environment, which they do by a [`Controller`] alone.

use std::sync::Arc;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, Value};

use crate::error::{invalid, not_implemented};
use crate::filters::{Arguments, defined};
use crate::hooks::{Controller, PathKind};
use crate::python::py_str;

type Filter = fn(&dyn Controller, &str) -> Value;
type Test = fn(&dyn Controller, &str, &Arguments) -> Result<bool, Error>;

const FILTERS: &[(&str, Filter)] = &[
    ("expanduser", |controller, path| {
        Value::from(controller.expand_user(path))
    }),
    ("expandvars", |controller, text| {
        Value::from(controller.expand_variables(text))
    }),
    ("realpath", |controller, path| {
        Value::from(controller.real_path(path))
    }),
    ("fileglob", |controller, pattern| {
        Value::from(controller.files_like(pattern))
    }),
];

const TESTS: &[(&str, Test)] = &[
    ("directory", is_folder),
    ("is_dir", is_folder),
    ("file", is_file),
    ("is_file", is_file),
    ("exists", |controller, path, _| {
        Ok(controller.kind(path).is_some())
    }),
    ("link", is_link),
    ("is_link", is_link),
    ("link_exists", |controller, path, _| {
        Ok(controller.is_link(path) || controller.kind(path).is_some())
    }),
    ("mount", is_mount),
    ("is_mount", is_mount),
    ("same_file", is_same_file),
    ("is_same_file", is_same_file),
    ("vaulted_file", |controller, path, _| {
        let start = controller.beginning(path, 32).map_err(invalid)?;
        Ok(rustle_vault::is_encrypted(&start))
    }),
];

/// Adds them to an environment; without a controller each is an error that names it.
pub(crate) fn register(
    environment: &mut Environment<'static>,
    controller: Option<&Arc<dyn Controller>>,
) {
    for (name, filter) in FILTERS {
        let controller = controller.cloned();
        environment.add_filter(*name, move |value: Value| {
            defined(&value)?;
            let controller = asked(controller.as_ref(), "filter", name)?;
            Ok::<_, Error>(filter(controller, &py_str(&value)))
        });
    }
    for (name, test) in TESTS {
        let controller = controller.cloned();
        environment.add_test(*name, move |value: Value, rest: Rest<ValueOrKwargs>| {
            defined(&value)?;
            let controller = asked(controller.as_ref(), "test", name)?;
            let args = Arguments::new(&rest.into_values())?;
            test(controller, &py_str(&value), &args)
        });
    }
}

fn asked<'c>(
    controller: Option<&'c Arc<dyn Controller>>,
    kind: &str,
    name: &str,
) -> Result<&'c dyn Controller, Error> {
    controller.map(AsRef::as_ref).ok_or_else(|| {
        not_implemented(&format!(
            "{kind} `{name}` where there is no disk to look at"
        ))
    })
}

fn is_folder(controller: &dyn Controller, path: &str, _: &Arguments) -> Result<bool, Error> {
    Ok(controller.kind(path) == Some(PathKind::Folder))
}

fn is_file(controller: &dyn Controller, path: &str, _: &Arguments) -> Result<bool, Error> {
    Ok(controller.kind(path) == Some(PathKind::File))
}

fn is_link(controller: &dyn Controller, path: &str, _: &Arguments) -> Result<bool, Error> {
    Ok(controller.is_link(path))
}

fn is_mount(controller: &dyn Controller, path: &str, _: &Arguments) -> Result<bool, Error> {
    Ok(controller.is_mount(path))
}

fn is_same_file(controller: &dyn Controller, path: &str, args: &Arguments) -> Result<bool, Error> {
    let other = py_str(&args.required(0, "f2")?);
    controller.is_same_file(path, &other).map_err(invalid)
}
