//! From bytes to a plan that is known to be sound.

use serde_json::Value;

use super::{ExecutionPlan, PLAN_VERSION, check};
use crate::Object;
use crate::problem::{PlanErrorKind, PlanErrors, PlanProblem, PlanWarning};
use crate::read::{Read, Reader};

/// Reads execution plans.
#[derive(Clone, Debug, Default)]
pub struct PlanReader {
    host_patterns: Vec<Option<String>>,
    strict: bool,
}

impl PlanReader {
    /// Gives host patterns by play, for plays that name no hosts: from the `rustle-parse` output that the plan was made of.
    #[must_use]
    pub fn with_host_patterns(mut self, patterns: Vec<Option<String>>) -> Self {
        self.host_patterns = patterns;
        self
    }

    /// Says whether warnings are mistakes.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Reads a plan from JSON text.
    ///
    /// # Errors
    ///
    /// All mistakes of the plan at once, or why it cannot be read at all.
    pub fn read_json(&self, text: &[u8]) -> Result<(ExecutionPlan, Vec<PlanWarning>), PlanErrors> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.iter().all(u8::is_ascii_whitespace) {
            return Err(PlanErrorKind::Empty.into());
        }
        match serde_json::from_slice(text) {
            Ok(value) => self.read_value(value),
            Err(error) => Err(not_json(&error).into()),
        }
    }

    /// Reads a plan from a JSON value.
    ///
    /// # Errors
    ///
    /// All mistakes of the plan at once.
    pub fn read_value(
        &self,
        value: Value,
    ) -> Result<(ExecutionPlan, Vec<PlanWarning>), PlanErrors> {
        let object = match value {
            Value::Object(object) => object,
            other => return Err(not_an_object(&other)),
        };
        if is_parse_output(&object) {
            return Err(PlanErrorKind::ParseOutput.into());
        }
        if let Some(problem) = newer_version(&object) {
            return Err(PlanErrorKind::Invalid(vec![problem]).into());
        }
        let mut at = Reader::default();
        let plan = ExecutionPlan::read(Value::Object(object), &mut at).unwrap_or_default();
        let (mut problems, mut warnings) = at.finish();
        if let Some(version) = plan.plan_version.filter(|version| *version > PLAN_VERSION) {
            problems.push(too_new("plan_version", version));
        }
        let plan = self.with_patterns(plan);
        check::check(&plan, &mut problems, &mut warnings);
        if self.strict {
            problems.append(&mut warnings);
        }
        // What is no object leaves its list, and those behind it get other places.
        let has_holes = problems
            .iter()
            .any(|problem| problem.message.contains("(an object)"));
        if !has_holes {
            plan.name_subjects(&mut problems);
        }
        match PlanErrors::from_problems(problems) {
            Some(errors) => Err(PlanErrors { warnings, ..errors }),
            None => Ok((plan, warnings)),
        }
    }

    fn with_patterns(&self, mut plan: ExecutionPlan) -> ExecutionPlan {
        for (play, pattern) in plan.plays.iter_mut().zip(&self.host_patterns) {
            if play.hosts_pattern.is_none() && !check::names_hosts(play) {
                play.hosts_pattern.clone_from(pattern);
            }
        }
        plan
    }
}

fn not_json(error: &serde_json::Error) -> PlanErrorKind {
    let text = error.to_string();
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    PlanErrorKind::NotJson {
        line: error.line(),
        column: error.column(),
        reason: reason.to_owned(),
    }
}

fn not_an_object(value: &Value) -> PlanErrors {
    let found = match value {
        Value::Array(_) => "a list",
        Value::String(_) => "text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Null | Value::Object(_) => "null",
    };
    let mut problem = PlanProblem::new("", format!("expected a plan (an object), found {found}"));
    if value.get(0).is_some_and(|play| play.get("hosts").is_some()) {
        problem = problem.with_hint(
            "this looks like a playbook: rustle-parse playbook.yml | rustle-plan | rustle-exec",
        );
    }
    PlanErrorKind::Invalid(vec![problem]).into()
}

/// Whether this is what `rustle-parse` writes: plays of tasks with `id`, beside what it collected.
fn is_parse_output(object: &Object) -> bool {
    let Some(plays) = object.get("plays").and_then(Value::as_array) else {
        return false;
    };
    let is_parsed_task = |task: &Value| task.get("id").is_some() && task.get("task_id").is_none();
    let is_parsed_play = |play: &Value| {
        let tasks = play.get("tasks").and_then(Value::as_array);
        play.get("batches").is_none()
            && (play.get("roles").is_some()
                || tasks.is_some_and(|tasks| tasks.iter().any(is_parsed_task)))
    };
    let is_parsed_document = object.contains_key("facts_required")
        || object.contains_key("vault_ids")
        || object.contains_key("inventory");
    let has_batches = plays.iter().any(|play| play.get("batches").is_some());
    is_parsed_document
        && !has_batches
        && (object.contains_key("facts_required") || plays.iter().any(is_parsed_play))
}

/// The problem of a plan that is newer than this reader.
fn newer_version(object: &Object) -> Option<PlanProblem> {
    ["plan_version", "ansible_plan_version"]
        .into_iter()
        .find_map(|key| {
            let version = object
                .get(key)?
                .as_u64()
                .filter(|version| *version > PLAN_VERSION)?;
            Some(too_new(key, version))
        })
}

fn too_new(key: &str, version: u64) -> PlanProblem {
    let message =
        format!("version {version} is newer than what this program reads, {PLAN_VERSION}");
    PlanProblem::new(key, message).with_hint("a newer rustle-exec may read it")
}
