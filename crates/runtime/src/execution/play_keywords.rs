//! What of a play is known only when it begins: answers of people, and keywords that are templates.

use rustle_template::{Engine, Scope, Trust};
use rustle_types::plan::VarsPrompt;
use rustle_types::{ExecutionPlan, Object, PlayHosts, PlayPlan, Serial, Tmpl, is_template};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::execution::error::ExecutionError;
use crate::execution::plays::play_context;
use crate::execution::run::Run;
use crate::tags::{TagRenderer, has_template_tags};
use crate::world::World;

/// Whether a play has to be looked at again when it begins.
pub(crate) fn waits(play: &PlayPlan) -> bool {
    let has_template_list = |texts: &[String]| texts.iter().any(|text| is_template(text));
    !play.vars_prompt.is_empty()
        || has_template_hosts(play)
        || has_template_name(play)
        || play
            .serial
            .iter()
            .any(|size| matches!(size, Serial::Template(_)))
        || is_open(play.max_fail_percentage.as_ref())
        || is_open(play.force_handlers.as_ref())
        || is_open(play.strategy.as_ref())
        || is_open(play.order.as_ref())
        || is_open(play.gather_facts.as_ref())
        || is_open(play.gather_timeout.as_ref())
        || has_template_list(&play.gather_subset)
        || has_template_list(&play.keywords.tags)
        || play.all_tasks().any(has_template_tags)
}

fn is_open<T>(keyword: Option<&Tmpl<T>>) -> bool {
    matches!(keyword, Some(Tmpl::Template(_)))
}

/// Whether the hosts of a play are a template.
pub(crate) fn has_template_hosts(play: &PlayPlan) -> bool {
    matches!(&play.hosts, PlayHosts::Pattern(pattern) if pattern.contains("{{"))
}

fn has_template_name(play: &PlayPlan) -> bool {
    play.name.as_ref().is_some_and(|name| name.contains("{{"))
}

/// The plan with the keywords of its plays rendered. A play of which one cannot be rendered yet stays as it is.
pub(crate) fn foreseen(plan: &ExecutionPlan, world: &World) -> ExecutionPlan {
    let mut plan = plan.clone();
    for (index, play) in plan.plays.iter_mut().enumerate() {
        if waits(play) {
            let before = play.clone();
            if render(play, index, world).is_err() {
                *play = before;
            }
        }
    }
    plan
}

/// Renders the keywords of a play that are templates, with the variables that hold for all of its hosts.
pub(crate) fn render(
    play: &mut PlayPlan,
    index: usize,
    world: &World,
) -> Result<(), ExecutionError> {
    let title = play.title().to_owned();
    let context = play_context(play, (index, &title), &[]);
    let scope = context.scope_without_host(world, None);
    let keywords = PlayKeywords {
        title,
        engine: &world.engine,
        scope: &scope,
    };
    if has_template_name(play)
        && let Some(Ok(name)) = play
            .name
            .as_ref()
            .map(|name| world.engine.render_text(name, &scope))
    {
        play.name = Some(name);
    }
    if let PlayHosts::Pattern(pattern) = &play.hosts
        && has_template_hosts(play)
    {
        let hosts = texts(&keywords.value("hosts", pattern)?);
        play.hosts = PlayHosts::Pattern(hosts.join(","));
    }
    for size in &mut play.serial.0 {
        if let Serial::Template(text) = size {
            *size = keywords.read("serial", text)?;
        }
    }
    keywords.settle("max_fail_percentage", play.max_fail_percentage.as_mut())?;
    keywords.settle("strategy", play.strategy.as_mut())?;
    keywords.settle("order", play.order.as_mut())?;
    keywords.settle("gather_timeout", play.gather_timeout.as_mut())?;
    keywords.settle("force_handlers", play.force_handlers.as_mut())?;
    keywords.settle("gather_facts", play.gather_facts.as_mut())?;
    for subset in std::mem::take(&mut play.gather_subset.0) {
        let subsets = keywords.value("gather_subset", &subset)?;
        play.gather_subset.0.extend(texts(&subsets));
    }
    keywords.tags(play)
}

/// Renders keywords of a play, and says in errors which one it was.
struct PlayKeywords<'a> {
    title: String,
    engine: &'a Engine,
    scope: &'a Scope,
}

impl PlayKeywords<'_> {
    fn value(&self, field: &str, text: &str) -> Result<Value, ExecutionError> {
        let rendered = self.engine.render_str(text, self.scope);
        rendered.map_err(|error| self.wrong(format!("`{field}`: {error}")))
    }

    /// What a template gives, as the keyword is read in a plan.
    fn read<T: DeserializeOwned>(&self, field: &str, text: &str) -> Result<T, ExecutionError> {
        let value = self.value(field, text)?;
        let shown = value.to_string();
        serde_json::from_value(value)
            .map_err(|error| self.wrong(format!("`{field}`: {error}; `{text}` gives `{shown}`")))
    }

    /// Puts what a template gives in its place.
    fn settle<T>(&self, field: &str, keyword: Option<&mut Tmpl<T>>) -> Result<(), ExecutionError>
    where
        Tmpl<T>: DeserializeOwned,
    {
        if let Some(keyword) = keyword
            && let Tmpl::Template(text) = keyword
        {
            *keyword = self.read(field, text)?;
        }
        Ok(())
    }

    fn tags(&self, play: &mut PlayPlan) -> Result<(), ExecutionError> {
        let tags = TagRenderer {
            engine: self.engine,
            scope: self.scope,
        };
        tags.list(&mut play.keywords.tags.0)
            .map_err(|error| self.wrong(error))?;
        let batches = play.batches.iter_mut().map(|batch| &mut batch.tasks);
        for tasks in batches.chain([&mut play.tasks]) {
            tags.tasks(tasks).map_err(|error| self.wrong(error))?;
        }
        Ok(())
    }

    fn wrong(&self, reason: String) -> ExecutionError {
        ExecutionError::Play {
            play: self.title.clone(),
            reason,
        }
    }
}

/// The texts that a template gives: one, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(rustle_module::py_str).collect(),
        single => vec![rustle_module::py_str(single)],
    }
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
