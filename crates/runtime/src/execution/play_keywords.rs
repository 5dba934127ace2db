//! What of a play is known only when it begins: answers of people, and keywords that are templates.

use std::borrow::Cow;

use rustle_template::{Engine, Scope, Trust};
use rustle_types::plan::VarsPrompt;
use rustle_types::{ExecutionPlan, Object, PlayHosts, PlayPlan, Serial, Tmpl};
use serde_json::Value;

use crate::execution::error::ExecutionError;
use crate::execution::run::Run;

/// Whether a play has to be looked at again when it begins.
pub(crate) fn waits(play: &PlayPlan) -> bool {
    !play.vars_prompt.is_empty()
        || has_template_hosts(play)
        || has_template_name(play)
        || play
            .serial
            .iter()
            .any(|size| matches!(size, Serial::Template(_)))
        || matches!(play.max_fail_percentage, Some(Tmpl::Template(_)))
        || matches!(play.force_handlers, Some(Tmpl::Template(_)))
}

/// Whether the hosts of a play are a template.
pub(crate) fn has_template_hosts(play: &PlayPlan) -> bool {
    matches!(&play.hosts, PlayHosts::Pattern(pattern) if pattern.contains("{{"))
}

fn has_template_name(play: &PlayPlan) -> bool {
    play.name.as_ref().is_some_and(|name| name.contains("{{"))
}

/// The plan with the keywords of its plays rendered, as far as that goes before anybody was asked.
pub(crate) fn foreseen<'a>(
    plan: &'a ExecutionPlan,
    engine: &Engine,
    extra_vars: &Object,
) -> Cow<'a, ExecutionPlan> {
    if !plan.plays.iter().any(waits) {
        return Cow::Borrowed(plan);
    }
    let mut plan = plan.clone();
    for play in &mut plan.plays {
        if waits(play) {
            let before = play.clone();
            if render(play, &plan.vars, extra_vars, engine).is_err() {
                *play = before;
            }
        }
    }
    Cow::Owned(plan)
}

/// Renders the keywords of a play that are templates.
pub(crate) fn render(
    play: &mut PlayPlan,
    plan_vars: &Object,
    extra_vars: &Object,
    engine: &Engine,
) -> Result<(), ExecutionError> {
    let scope = Scope::builder()
        .push_layer(plan_vars.clone().into(), Trust::Trusted)
        .push_layer(play.keywords.vars.clone().into(), Trust::Trusted)
        .push_layer(extra_vars.clone().into(), Trust::Trusted)
        .build();
    let title = play.title().to_owned();
    let wrong = |field: &str, reason: &dyn std::fmt::Display| ExecutionError::Play {
        play: title.clone(),
        reason: format!("`{field}`: {reason}"),
    };
    let value = |field: &str, text: &str| {
        engine
            .render_str(text, &scope)
            .map_err(|error| wrong(field, &error))
    };
    if has_template_name(play)
        && let Some(Ok(name)) = play
            .name
            .as_ref()
            .map(|name| engine.render_text(name, &scope))
    {
        play.name = Some(name);
    }
    if let PlayHosts::Pattern(pattern) = &play.hosts
        && has_template_hosts(play)
    {
        play.hosts = PlayHosts::Pattern(match value("hosts", pattern)? {
            Value::Array(hosts) => hosts
                .iter()
                .map(rustle_module::py_str)
                .collect::<Vec<_>>()
                .join(","),
            other => rustle_module::py_str(&other),
        });
    }
    for size in &mut play.serial.0 {
        if let Serial::Template(text) = size {
            let rendered = value("serial", text)?;
            *size = serde_json::from_value(rendered).map_err(|error| wrong("serial", &error))?;
        }
    }
    if let Some(Tmpl::Template(text)) = &play.max_fail_percentage {
        let field = "max_fail_percentage";
        let percent = serde_json::from_value(value(field, text)?);
        let percent = percent.map_err(|error| wrong(field, &error))?;
        play.max_fail_percentage = Some(Tmpl::Value(percent));
    }
    if let Some(Tmpl::Template(text)) = &play.force_handlers {
        let flag = rustle_module::as_bool(&value("force_handlers", text)?);
        play.force_handlers = flag.map(Tmpl::Value);
    }
    Ok(())
}

/// Asks what a play wants to know, and keeps the answers with its variables. Nobody is asked what is given already.
pub(crate) async fn ask(play: &mut PlayPlan, run: &mut Run<'_>) -> Result<(), ExecutionError> {
    for prompt in std::mem::take(&mut play.vars_prompt) {
        if run.options.extra_vars.contains_key(&prompt.name) {
            continue;
        }
        let answer = match answer_to(&prompt, run).await {
            Some(text) if !text.is_empty() => Value::String(text),
            _ => prompt.default.clone().unwrap_or(Value::Null),
        };
        let answer = encrypted(&prompt, answer, &run.world.engine).map_err(|reason| {
            ExecutionError::Play {
                play: play.title().to_owned(),
                reason: format!("`vars_prompt` of `{}`: {reason}", prompt.name),
            }
        })?;
        let answer = if prompt.is_unsafe && answer.is_string() {
            Value::Object(Object::from_iter([("__ansible_unsafe".to_owned(), answer)]))
        } else {
            answer
        };
        play.keywords.vars.insert(prompt.name, answer);
    }
    Ok(())
}

async fn answer_to(prompt: &VarsPrompt, run: &mut Run<'_>) -> Option<String> {
    let Some(person) = run.world.person.clone() else {
        run.emit(rustle_events::EventKind::Warned {
            message: format!(
                "nobody can be asked for `{}`: it has its default",
                prompt.name
            ),
        });
        return None;
    };
    let question = prompt.prompt.as_deref().unwrap_or(&prompt.name);
    let question = match &prompt.default {
        Some(default) => format!("{question} [{}]", rustle_module::py_str(default)),
        None => question.to_owned(),
    };
    let is_shown = !prompt.private.unwrap_or(true);
    loop {
        let answer = person.ask(&question, is_shown).await?;
        if !prompt.confirm {
            return Some(answer);
        }
        let again = format!("confirm {question}");
        if person.ask(&again, is_shown).await? == answer {
            return Some(answer);
        }
    }
}

/// The answer as the hash that is asked for.
fn encrypted(prompt: &VarsPrompt, answer: Value, engine: &Engine) -> Result<Value, String> {
    let Some(method) = prompt.encrypt.as_ref().filter(|_| answer.is_string()) else {
        return Ok(answer);
    };
    let method = method.trim_end_matches("_crypt");
    let vars = Object::from_iter([
        ("answer".to_owned(), answer),
        ("method".to_owned(), method.into()),
        ("salt".to_owned(), prompt.salt.clone().into()),
    ]);
    let expression = match &prompt.salt {
        Some(_) => "answer | password_hash(method, salt)",
        None => "answer | password_hash(method)",
    };
    let scope = Scope::of(vars, Trust::Untrusted);
    engine
        .evaluate(expression, &scope)
        .map_err(|error| error.to_string())
}
