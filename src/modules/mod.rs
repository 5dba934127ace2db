//! The command `modules`: which modules there are, and what one of them takes.

mod described;
mod text;

use std::io::Write as _;

use rustle_report::Printer;
use rustle_types::{ExecutionPlan, ExitStatus, Object};
use serde_json::{Value, json};

use crate::cli::{ModulesArgs, RunArgs};
use crate::config::ConfigFile;
use crate::env::Environment;
use crate::errors::CliError;
use crate::settings::Sources;
use crate::wiring::{self, Finder};

/// Lists the modules, or shows one.
///
/// # Errors
/// When there is no such module, or the configuration is wrong.
pub(crate) fn tell(
    args: &ModulesArgs,
    environment: &Environment,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    let finder = finder(args, environment)?;
    let known = known(&finder);
    let told = match &args.name {
        None if args.json => pretty(&Value::Array(known)),
        None => text::list(&known),
        Some(name) => {
            let shown = described::module(name, &finder)?;
            if args.json {
                pretty(&shown)
            } else {
                text::module(&shown)
            }
        }
    };
    // A reader that has seen enough is no mistake.
    let _ = printer.data().write_all(told.as_bytes());
    Ok(ExitStatus::Done)
}

fn finder(args: &ModulesArgs, environment: &Environment) -> Result<Finder, CliError> {
    let file = ConfigFile::load(args.config.as_deref(), environment)?;
    let mut run = RunArgs::default();
    run.tasks.places.clone_from(&args.places);
    let plan = ExecutionPlan::default();
    let sources = Sources {
        args: &run,
        environment,
        file: &file,
        plan: &plan,
    };
    let settings = sources.settings(Object::new())?;
    Ok(wiring::modules(&settings.modules, &plan, "".into()))
}

/// All modules, each with its name, where it is from, and what it does.
fn known(finder: &Finder) -> Vec<Value> {
    let mut known: Vec<Value> = wiring::native_specs()
        .map(|(spec, kind)| {
            let name = spec.qualified_name();
            let summary = described::summary(spec.name);
            json!({"name": name, "from": kind, "summary": summary})
        })
        .collect();
    let is_native = |name: &str| {
        let mut specs = wiring::native_specs();
        specs.any(|(spec, _)| spec.qualified_name() == name)
    };
    let own = finder
        .own_modules()
        .into_iter()
        .map(|found| (found, "path"));
    let ansible = finder.ansible_modules().into_iter();
    let ansible = ansible
        .filter(|(name, _)| !is_native(name))
        .map(|found| (found, "ansible"));
    known.extend(own.chain(ansible).map(|((name, path), from)| {
        json!({"name": name, "from": from, "path": path.display().to_string()})
    }));
    known.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    known
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_native_module_has_a_line_that_says_what_it_does() {
        let silent: Vec<&str> = wiring::native_specs()
            .map(|(spec, _)| spec.name)
            .filter(|name| described::summary(name).is_none())
            .collect();
        assert!(
            silent.is_empty(),
            "`docs/MODULES.md` has no row for {silent:?}"
        );
    }
}
