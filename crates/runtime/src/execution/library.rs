//! Task files, roles and files of variables that tasks pick as the plan runs: those that the plan carries, else files.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::include::RoleParts;
use crate::world::{Library, WantedRole};
use indexmap::IndexMap;
use rustle_template::Engine;
use rustle_types::{ExecutionPlan, HandlerPlan, ModuleCall, Object, RolePlan, TaskBody, TaskPlan};
use serde_json::{Value, json};

use crate::execution::vars_file::{self, read as read_vars};

/// The endings of files that a name without one may mean.
pub(super) const ENDINGS: &[&str] = &["", ".yml", ".yaml", ".json"];

/// Reads what a plan includes, each file once.
pub(crate) struct PlanLibrary {
    engine: Arc<Engine>,
    base_dir: PathBuf,
    roles: IndexMap<String, RolePlan>,
    files: Mutex<HashMap<PathBuf, Option<Arc<[TaskPlan]>>>>,
}

impl PlanLibrary {
    /// What the plan carries, and files beside it.
    pub(crate) fn new(plan: &ExecutionPlan, base_dir: &Path, engine: Arc<Engine>) -> Self {
        let mut files = HashMap::new();
        for (path, tasks) in &plan.includes {
            let path = normal(&base_dir.join(path));
            files.insert(path, Some(tasks.as_slice().into()));
        }
        for (name, role) in &plan.roles {
            let folder = base_dir.join(folder_of(name, role)).join("tasks");
            for (path, tasks) in &role.tasks {
                files.insert(normal(&folder.join(path)), Some(tasks.as_slice().into()));
            }
        }
        Self {
            engine,
            base_dir: base_dir.to_owned(),
            roles: plan.roles.clone(),
            files: Mutex::new(files),
        }
    }

    /// The role as the plan has it, else as its folder has it.
    fn plan_of(&self, name: &str) -> Result<Option<RolePlan>, String> {
        if let Some(role) = self.roles.get(name) {
            let mut role = role.clone();
            role.path.get_or_insert_with(|| format!("roles/{name}"));
            return Ok(Some(role));
        }
        let folders = [
            self.base_dir.join("roles").join(name),
            self.base_dir.join(name),
        ];
        let Some(folder) = folders.into_iter().find(|folder| folder.is_dir()) else {
            return Ok(None);
        };
        let meta = read_main(&folder, "meta", &self.engine)?.unwrap_or_default();
        let dependencies = match meta.get("dependencies") {
            Some(Value::Array(dependencies)) => dependencies.clone(),
            _ => Vec::new(),
        };
        let allow_duplicates = meta.get("allow_duplicates").and_then(Value::as_bool);
        Ok(Some(RolePlan {
            path: Some(folder.display().to_string()),
            dependencies,
            allow_duplicates,
            ..RolePlan::default()
        }))
    }

    /// A role's parts. `line` names the roles that depend on it.
    fn parts(
        &self,
        wanted: &WantedRole,
        line: &mut Vec<String>,
    ) -> Result<Option<RoleParts>, String> {
        if line.contains(&wanted.name) {
            return Err(format!("the role `{}` depends on itself", wanted.name));
        }
        let Some(plan) = self.plan_of(&wanted.name)? else {
            return Ok(None);
        };
        let name = wanted.name.trim_end_matches('/');
        let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
        let folder = folder_of(&wanted.name, &plan);
        let base = self.base_dir.join(&folder);
        let tasks = self.tasks_of(&base, wanted)?;
        let vars = wanted.vars_from.as_deref();
        let engine = &self.engine;
        let vars = vars_of(&base, "vars", (&plan.vars, vars, &plan.vars_files), engine)?;
        let defaults = wanted.defaults_from.as_deref();
        let from = (&plan.defaults, defaults, &plan.defaults_files);
        let defaults = vars_of(&base, "defaults", from, engine)?;
        let handlers = handlers_of(&base, &plan, wanted.handlers_from.as_deref(), engine)?;
        let mut dependencies = Vec::new();
        line.push(wanted.name.clone());
        for dependency in &plan.dependencies {
            dependencies.push(self.dependency(dependency, line)?);
        }
        line.pop();
        Ok(Some(RoleParts {
            name: name.to_owned(),
            path: Some(folder),
            defaults,
            vars,
            tasks,
            handlers,
            check: wanted
                .is_checked
                .then(|| check_of(&wanted.tasks_from, &plan, name))
                .flatten(),
            dependencies,
            is_public: wanted.is_public,
            allows_duplicates: wanted.allows_duplicates,
        }))
    }

    fn tasks_of(&self, base: &Path, wanted: &WantedRole) -> Result<Arc<[TaskPlan]>, String> {
        let file = wanted.tasks_from.as_deref().unwrap_or("main");
        for ending in ENDINGS {
            let path = base.join("tasks").join(format!("{file}{ending}"));
            if let Some(tasks) = self.tasks(&path)? {
                return Ok(tasks);
            }
        }
        match &wanted.tasks_from {
            // A role may have no tasks of its own.
            None => Ok(Arc::default()),
            Some(file) => Err(format!(
                "the role `{}` has no task file `{file}`",
                wanted.name
            )),
        }
    }

    /// A role that another depends on: a name, or a mapping with keywords and parameters beside it.
    fn dependency(
        &self,
        written: &Value,
        line: &mut Vec<String>,
    ) -> Result<(Arc<RoleParts>, TaskPlan), String> {
        let mut given = match written {
            Value::String(name) => Object::from_iter([("role".to_owned(), name.clone().into())]),
            Value::Object(given) => given.clone(),
            other => return Err(format!("a role depends on {other}, which names no role")),
        };
        let role = given.shift_remove("role");
        let named = given.shift_remove("name");
        let Some(Value::String(name)) = role.or(named) else {
            return Err("a role depends on one without a name".into());
        };
        let wanted = WantedRole {
            name: name.clone(),
            allows_duplicates: given
                .shift_remove("allow_duplicates")
                .and_then(|flag| flag.as_bool())
                .unwrap_or(false),
            is_checked: true,
            ..WantedRole::default()
        };
        let parts = self.parts(&wanted, line)?;
        let mut parts = parts.ok_or_else(|| format!("the role `{name}` was not found"))?;
        parts.allows_duplicates |= self
            .roles
            .get(&name)
            .and_then(|role| role.allow_duplicates)
            .unwrap_or(false);
        given.insert("block".into(), Value::Array(Vec::new()));
        let mut task: TaskPlan = serde_json::from_value(Value::Object(given))
            .map_err(|error| format!("the role `{name}`: {error}"))?;
        // What is no keyword is a parameter.
        let params = std::mem::take(&mut task.extra);
        task.scope.params.extend(params);
        Ok((Arc::new(parts), task))
    }
}

impl Library for PlanLibrary {
    fn tasks(&self, path: &Path) -> Result<Option<Arc<[TaskPlan]>>, String> {
        let path = normal(&self.base_dir.join(path));
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(&path) {
            return Ok(known.clone());
        }
        let tasks = match read(&path, &self.engine)? {
            None => None,
            Some(Value::Null) => Some(Arc::default()),
            Some(value @ Value::Array(_)) => {
                let tasks: Vec<TaskPlan> = serde_json::from_value(value)
                    .map_err(|error| format!("`{}`: {error}", path.display()))?;
                Some(tasks.into())
            }
            Some(_) => {
                return Err(format!("`{}` has to be a list of tasks", path.display()));
            }
        };
        files.insert(path, tasks.clone());
        Ok(tasks)
    }

    fn role(&self, wanted: &WantedRole) -> Result<Option<Arc<RoleParts>>, String> {
        Ok(self.parts(wanted, &mut Vec::new())?.map(Arc::new))
    }

    fn vars(&self, path: &Path) -> Result<Object, String> {
        let path = normal(&self.base_dir.join(path));
        read_vars(&path, &self.engine).map_err(|error| error.to_string())
    }
}

pub(super) fn folder_of(name: &str, role: &RolePlan) -> String {
    role.path.clone().unwrap_or_else(|| format!("roles/{name}"))
}

/// The task that checks a role's parameters by the specification of its task file.
fn check_of(file: &Option<String>, role: &RolePlan, name: &str) -> Option<TaskPlan> {
    let file = file.as_deref().unwrap_or("main");
    let entry = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let spec = role.argument_specs.get(entry)?;
    let options = spec.get("options")?.as_object()?.clone();
    let about = spec.get("short_description").and_then(Value::as_str);
    let title = format!(
        "Validating arguments against arg spec '{entry}'{}",
        about.map(|about| format!(" - {about}")).unwrap_or_default()
    );
    let args = json!({
        "argument_spec": options,
        "validate_args_context": {"type": "role", "name": name, "argument_spec_name": entry, "path": role.path},
    });
    let mut task = TaskPlan {
        name: Some(title),
        body: TaskBody::Module(ModuleCall {
            module: "ansible.builtin.validate_argument_spec".into(),
            args: args.as_object().cloned().unwrap_or_default(),
        }),
        ..TaskPlan::default()
    };
    task.keywords.tags.0.push("always".into());
    Some(task)
}

/// Variables of a role: those of `main`, or of the file that was asked for.
fn vars_of(
    base: &Path,
    kind: &str,
    (main, wanted, carried): (&Object, Option<&str>, &IndexMap<String, Value>),
    engine: &Engine,
) -> Result<Object, String> {
    let Some(wanted) = wanted else {
        return if main.is_empty() {
            Ok(read_main(base, kind, engine)?.unwrap_or_default())
        } else {
            Ok(main.clone())
        };
    };
    for ending in ENDINGS {
        let name = format!("{wanted}{ending}");
        if let Some(vars) = carried.get(&name) {
            return Ok(vars.as_object().cloned().unwrap_or_default());
        }
        if let Some(vars) = read_mapping(&base.join(kind).join(&name), engine)? {
            return Ok(vars);
        }
    }
    Err(format!(
        "there is no file `{wanted}` in `{kind}` of the role"
    ))
}

fn handlers_of(
    base: &Path,
    plan: &RolePlan,
    wanted: Option<&str>,
    engine: &Engine,
) -> Result<Arc<[HandlerPlan]>, String> {
    if wanted.is_none() && !plan.handlers.is_empty() {
        return Ok(plan.handlers.as_slice().into());
    }
    for ending in ENDINGS {
        let name = format!("{}{ending}", wanted.unwrap_or("main"));
        if let Some(handlers) = plan.handlers_files.get(&name) {
            return Ok(handlers.as_slice().into());
        }
        let path = base.join("handlers").join(&name);
        if let Some(handlers) = read(&path, engine)?.filter(|handlers| !handlers.is_null()) {
            let handlers: Vec<HandlerPlan> = serde_json::from_value(handlers)
                .map_err(|error| format!("`{}`: {error}", path.display()))?;
            return Ok(handlers.into());
        }
    }
    match wanted {
        None => Ok(Arc::default()),
        Some(wanted) => Err(format!(
            "there is no file `{wanted}` in `handlers` of the role"
        )),
    }
}

fn read_main(base: &Path, kind: &str, engine: &Engine) -> Result<Option<Object>, String> {
    for ending in ENDINGS {
        let path = base.join(kind).join(format!("main{ending}"));
        if let Some(vars) = read_mapping(&path, engine)? {
            return Ok(Some(vars));
        }
    }
    Ok(None)
}

fn read_mapping(path: &Path, engine: &Engine) -> Result<Option<Object>, String> {
    match read(path, engine)? {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Object::new())),
        Some(Value::Object(vars)) => Ok(Some(vars)),
        Some(_) => Err(format!("`{}` has to be a mapping", path.display())),
    }
}

/// A file's value; none where there is no file.
fn read(path: &Path, engine: &Engine) -> Result<Option<Value>, String> {
    if !path.is_file() {
        return Ok(None);
    }
    let value = vars_file::value(path, engine);
    value
        .map(Some)
        .map_err(|why| format!("cannot read `{}`: {why}", path.display()))
}

/// The path without `.` and `..`, as far as it can be told from its text.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => _ = normal.pop(),
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(files: &[(&str, &str)]) -> (tempfile::TempDir, PlanLibrary) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let plan = ExecutionPlan::default();
        let engine = Arc::new(Engine::new());
        let library = PlanLibrary::new(&plan, folder.path(), engine);
        (folder, library)
    }

    fn wanted(name: &str) -> WantedRole {
        WantedRole {
            name: name.into(),
            ..WantedRole::default()
        }
    }

    #[test]
    fn a_role_is_read_from_its_folder_with_what_it_depends_on() {
        let (_folder, library) = library(&[
            ("roles/r/tasks/main.yml", "- ping:\n"),
            ("roles/r/tasks/other.yaml", "- {name: o, ping: {}}\n"),
            ("roles/r/vars/main.yml", "v: 1\n"),
            ("roles/r/meta/main.yml", "dependencies: [{role: d, p: 2}]\n"),
            ("roles/d/defaults/main.yml", "x: 3\n"),
        ]);
        let role = library.role(&wanted("r")).unwrap().unwrap();
        assert_eq!((role.tasks.len(), &role.vars["v"]), (1, &1.into()));
        let (dependency, given) = &role.dependencies[0];
        assert_eq!(
            (&dependency.defaults["x"], &given.scope.params["p"]),
            (&3.into(), &2.into())
        );
        let other = WantedRole {
            tasks_from: Some("other".into()),
            ..wanted("r")
        };
        assert_eq!(library.role(&other).unwrap().unwrap().tasks[0].title(), "o");
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_wrong() {
        let (_folder, library) = library(&[
            ("roles/r/meta/main.yml", "dependencies: [r]\n"),
            ("list.yml", "a: 1\n"),
        ]);
        assert!(library.role(&wanted("nobody")).unwrap().is_none());
        assert!(library.tasks(Path::new("nothing.yml")).unwrap().is_none());
        assert!(
            library
                .role(&wanted("r"))
                .unwrap_err()
                .contains("depends on itself")
        );
        assert!(
            library
                .tasks(Path::new("list.yml"))
                .unwrap_err()
                .contains("a list of tasks")
        );
    }

    #[test]
    fn encrypted_files_of_tasks_are_read_with_the_password_of_the_run() {
        let tasks = "- name: t\n  ping:\n";
        let encrypted = rustle_vault::encrypt(tasks.as_bytes(), "pw", b"salt", None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.yml"), encrypted).unwrap();
        let library = |engine: Engine| {
            PlanLibrary::new(&ExecutionPlan::default(), folder.path(), Arc::new(engine))
        };
        let error = library(Engine::new())
            .tasks(Path::new("t.yml"))
            .unwrap_err();
        assert!(error.contains("t.yml`"), "{error}");
        let password = rustle_types::Secret::new("pw".to_owned());
        let known = rustle_vault::VaultSecrets::default().with("default", password);
        let engine = Engine::builder().vault(Arc::new(known)).build();
        let tasks = library(engine).tasks(Path::new("t.yml")).unwrap().unwrap();
        assert_eq!(tasks[0].name.as_deref(), Some("t"));
    }
}
