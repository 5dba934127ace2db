//! The face of this crate: renders values, evaluates expressions, decides conditions.

use std::fmt;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};
use rustle_types::Object;
use serde_json::Value as Json;

use crate::builder::EngineBuilder;
use crate::compile::{Cache, Compiled};
use crate::convert::{check, mark, to_json, to_json_or_omit, to_marked_json};
use crate::error::{TemplateError, TemplateErrorKind};
use crate::file::FileOptions;
use crate::filters::{GROUPS_BECOME_LISTS, holds_groups};
use crate::hooks::{Includes, LookupCall, Lookups, Vault};
use crate::lazy::Rendering;
use crate::node::{Marked, marked, may_hold_template};
use crate::python::{py_str, try_str, type_name};
use crate::scope::Scope;

/// Through how many variables a condition is looked for.
const WRITTEN_DEPTH: usize = 32;

/// Renders templates. One a run: filters, tests and every template that was compiled are inside. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

/// What an engine holds, shared by its clones.
pub(crate) struct Inner {
    pub(crate) environment: Environment<'static>,
    pub(crate) cache: Cache,
    pub(crate) lookups: Option<Arc<dyn Lookups>>,
    pub(crate) vault: Option<Arc<dyn Vault>>,
    pub(crate) includes: Option<Arc<dyn Includes>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// An engine without lookups, vault and includes.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts an engine that may ask for lookups, decryption and included templates.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Renders every template in a value: lists and objects deeply, but not the keys of objects, as Ansible does.
    ///
    /// Entries and items that render to `omit` are left out.
    ///
    /// # Errors
    ///
    /// The first template that fails, and `Omitted` where the whole value is `omit`.
    pub fn render_value(&self, value: &Json, scope: &Scope) -> Result<Json, TemplateError> {
        self.render_optional(value, scope)?.ok_or_else(|| {
            TemplateError::new(
                TemplateErrorKind::Omitted,
                "the value is `omit`, where a value is needed",
            )
        })
    }

    /// Like [`Self::render_value`], with `None` where the whole value is `omit`.
    ///
    /// # Errors
    ///
    /// The first template that fails.
    pub fn render_optional(
        &self,
        value: &Json,
        scope: &Scope,
    ) -> Result<Option<Json>, TemplateError> {
        let rendering = Rendering::new(self, scope);
        self.render_deep(value, &rendering)
    }

    fn render_deep(
        &self,
        value: &Json,
        rendering: &Rendering,
    ) -> Result<Option<Json>, TemplateError> {
        Ok(Some(match value {
            Json::String(text) if may_hold_template(text) => {
                let native = self.render_native(text, rendering.clone())?;
                if let Some(notices) = rendering.scope.notices()
                    && holds_groups(&native)
                {
                    notices.tell(GROUPS_BECOME_LISTS);
                }
                return Ok(to_json_or_omit(&native)?);
            }
            Json::Array(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for item in items {
                    rendered.extend(self.render_deep(item, rendering)?);
                }
                Json::Array(rendered)
            }
            Json::Object(map) => match marked(value) {
                Some(Marked::Unsafe(text)) => Json::String(text.to_owned()),
                Some(Marked::Vault(text)) => Json::String(self.decrypt(text)?),
                None => {
                    let mut rendered = Object::new();
                    for (key, item) in map {
                        if let Some(item) = self.render_deep(item, rendering)? {
                            rendered.insert(key.clone(), item);
                        }
                    }
                    Json::Object(rendered)
                }
            },
            plain => plain.clone(),
        }))
    }

    /// Renders a string. One that is a single `{{ expression }}` keeps the type of its value.
    ///
    /// # Errors
    ///
    /// Why the template is wrong or failed.
    pub fn render_str(&self, text: &str, scope: &Scope) -> Result<Json, TemplateError> {
        if !may_hold_template(text) {
            return Ok(Json::String(text.to_owned()));
        }
        Ok(to_json(
            &self.render_native(text, Rendering::new(self, scope))?,
        )?)
    }

    /// Renders a string to text, as it would stand inside other text: nothing is written for null.
    ///
    /// # Errors
    ///
    /// Why the template is wrong or failed.
    pub fn render_text(&self, text: &str, scope: &Scope) -> Result<String, TemplateError> {
        if !may_hold_template(text) {
            return Ok(text.to_owned());
        }
        let value = self.render_native(text, Rendering::new(self, scope))?;
        if value.is_none() {
            return Ok(String::new());
        }
        Ok(try_str(&value)?)
    }

    /// Evaluates a bare expression, without braces.
    ///
    /// # Errors
    ///
    /// Why the expression is wrong or failed.
    pub fn evaluate(&self, expression: &str, scope: &Scope) -> Result<Json, TemplateError> {
        Ok(to_json(&self.evaluate_native(expression, scope)?)?)
    }

    /// Evaluates a bare expression to be looked at: what is not defined, in it or in what it gives, is a mark in the value, and told
    /// beside it.
    ///
    /// # Errors
    ///
    /// Why the expression is wrong or failed otherwise.
    pub fn evaluate_marking(
        &self,
        expression: &str,
        scope: &Scope,
    ) -> Result<(Json, Vec<TemplateError>), TemplateError> {
        let mut errors = Vec::new();
        let value = match self.evaluate_native(expression, scope) {
            Ok(value) => to_marked_json(&value, &mut errors),
            Err(error) if error.is_undefined() => mark(error, &mut errors),
            Err(error) => return Err(error),
        };
        Ok((value, errors))
    }

    fn evaluate_native(&self, expression: &str, scope: &Scope) -> Result<Value, TemplateError> {
        let compiled = self.inner.cache.expression(expression)?;
        self.run(&compiled, scope)
    }

    fn run(&self, compiled: &Compiled, scope: &Scope) -> Result<Value, TemplateError> {
        let root = Rendering::new(self, scope).into_root();
        Ok(compiled
            .run(&self.inner.environment, root)
            .and_then(check)?)
    }

    /// Decides a condition. Its value must be a boolean, as of ansible-core 2.19; `{{ }}` around it is accepted.
    ///
    /// # Errors
    ///
    /// Why the expression is wrong or failed, or that its value is no boolean.
    pub fn condition(&self, expression: &str, scope: &Scope) -> Result<bool, TemplateError> {
        if expression.trim().is_empty() {
            return Err(TemplateError::new(
                TemplateErrorKind::Condition,
                "the condition is empty",
            ));
        }
        let value = if is_wholly_braced(expression) {
            self.render_native(expression, Rendering::new(self, scope))?
        } else {
            let compiled = self.inner.cache.condition(expression)?;
            self.run(&compiled, scope)?
        };
        match value.kind() {
            ValueKind::Bool => Ok(value.is_true()),
            ValueKind::String
                if value
                    .as_str()
                    .is_some_and(|text| is_wholly_braced(expression) && is_bool_word(text)) =>
            {
                Ok(value.as_str() == Some("True"))
            }
            ValueKind::Undefined => {
                Err(to_json(&value).map_or_else(Into::into, |_| not_boolean(&value)))
            }
            ValueKind::String => match Self::written(expression, scope) {
                Some(Json::String(condition)) => self.condition(condition, scope),
                _ => Err(not_boolean(&value)),
            },
            _ => Err(not_boolean(&value)),
        }
    }

    /// What the user wrote as the value of a variable, where a text is that variable in braces and nothing else.
    ///
    /// Only such a text may be a condition itself: text of a host or of a rendering is none.
    #[must_use]
    pub fn written<'s>(text: &str, scope: &'s Scope) -> Option<&'s Json> {
        let mut value = scope.written(braced_name(text)?)?;
        // One variable may stand for another, and no chain is longer than there are variables.
        for _ in 0..WRITTEN_DEPTH {
            match value.as_str().and_then(braced_name) {
                Some(name) => value = scope.written(name)?,
                None => return Some(value),
            }
        }
        None
    }

    /// Checks that a text is a valid template, and that every filter and test it names exists.
    ///
    /// # Errors
    ///
    /// What is wrong. `NotImplemented` may be in a branch that is never taken.
    pub fn compile_check(&self, text: &str) -> Result<(), TemplateError> {
        if may_hold_template(text) {
            self.check_names(self.inner.cache.value(text)?.as_ref())
        } else {
            Ok(())
        }
    }

    /// Checks a bare expression like [`Self::compile_check`] does a template.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn compile_check_expression(&self, expression: &str) -> Result<(), TemplateError> {
        if is_wholly_braced(expression) {
            return self.compile_check(expression);
        }
        self.check_names(self.inner.cache.condition(expression)?.as_ref())
    }

    fn check_names(&self, compiled: &Compiled) -> Result<(), TemplateError> {
        let unknown = |kind: &str, name: &str| {
            TemplateError::new(
                TemplateErrorKind::NotImplemented,
                format!("{kind} `{name}` is not implemented in rustle-exec"),
            )
        };
        let environment = &self.inner.environment;
        if let Some(name) = compiled
            .filters
            .iter()
            .find(|name| !crate::filters::exists(environment, name))
        {
            return Err(unknown("filter", name));
        }
        if let Some(name) = compiled
            .tests
            .iter()
            .find(|name| !crate::tests::exists(environment, name))
        {
            return Err(unknown("test", name));
        }
        Ok(())
    }

    /// Renders a template file, as the `template` module does: a `#jinja2:` first line changes the options.
    ///
    /// # Errors
    ///
    /// Why the template is wrong or failed.
    pub fn render_file(
        &self,
        source: &str,
        scope: &Scope,
        options: &FileOptions,
    ) -> Result<String, TemplateError> {
        let value = self.run_file(source, scope, options)?;
        Ok(if value.is_none() {
            String::new()
        } else {
            py_str(&value)
        })
    }

    /// Renders a template file; one that is a single `{{ expression }}` keeps the type of its value.
    ///
    /// # Errors
    ///
    /// Why the template is wrong or failed.
    pub fn render_file_value(
        &self,
        source: &str,
        scope: &Scope,
        options: &FileOptions,
    ) -> Result<Json, TemplateError> {
        Ok(to_json(&self.run_file(source, scope, options)?)?)
    }

    /// What a template file gives. The newlines at its end are those of a text: a value of another type has none.
    fn run_file(
        &self,
        source: &str,
        scope: &Scope,
        options: &FileOptions,
    ) -> Result<Value, TemplateError> {
        let mut options = options.clone();
        let body = options.read_header(source)?;
        let normal = body.replace("\r\n", "\n").replace('\r', "\n");
        let compiled = self.inner.cache.file(&normal, &options)?;
        let root = Rendering::new(self, scope).into_root();
        let value = compiled
            .run(&self.inner.environment, root)
            .and_then(check)?;
        let is_blank = normal.bytes().all(|byte| byte == b'\n');
        let Some(text) = value.as_str().or_else(|| is_blank.then_some("")) else {
            return Ok(value);
        };
        let text = with_newlines_of(&normal, text.to_owned());
        Ok(Value::from(if options.newline_sequence == "\n" {
            text
        } else {
            text.replace('\n', &options.newline_sequence)
        }))
    }

    /// A template's value in a rendering that is under way.
    pub(crate) fn render_native(&self, text: &str, rendering: Rendering) -> Result<Value, Error> {
        let compiled = self.inner.cache.value(text)?;
        let value = compiled
            .run(&self.inner.environment, rendering.into_root())
            .and_then(check)?;
        if let (true, Some(rendered)) = (text.ends_with('\n'), value.as_str()) {
            return Ok(Value::from(with_newlines_of(text, rendered.to_owned())));
        }
        if value.is_undefined() {
            to_json(&value)?;
        }
        Ok(value)
    }

    pub(crate) fn has_global(&self, name: &str) -> bool {
        crate::globals::NAMES.contains(&name)
    }

    /// What a lookup finds: one value an element, before they are joined or unwrapped.
    ///
    /// # Errors
    ///
    /// `NotImplemented` where there is no such lookup, else why it failed.
    pub fn lookup(&self, call: &LookupCall<'_>) -> Result<Vec<Json>, TemplateError> {
        let name = call.name;
        let lookups = self.inner.lookups.as_ref();
        match lookups.and_then(|lookups| lookups.lookup(call)) {
            None => Err(TemplateError::new(
                TemplateErrorKind::NotImplemented,
                format!("lookup `{name}` is not implemented in rustle-exec"),
            )),
            Some(found) => found.map_err(|reason| {
                let reason = format!("lookup `{name}` failed: {reason}");
                TemplateError::new(TemplateErrorKind::Evaluation, reason)
            }),
        }
    }

    /// Whether there is something to decrypt values with.
    #[must_use]
    pub fn has_vault(&self) -> bool {
        self.inner.vault.is_some()
    }

    /// The plain text of an encrypted one, such as a whole file.
    ///
    /// # Errors
    ///
    /// Why it cannot be decrypted.
    pub fn decrypt(&self, text: &str) -> Result<String, TemplateError> {
        self.vault()?.decrypt(text).map_err(not_decrypted)
    }

    /// The bytes of an encrypted file, which need not be text.
    ///
    /// # Errors
    ///
    /// Why it cannot be decrypted.
    pub fn decrypt_bytes(&self, text: &str) -> Result<Vec<u8>, TemplateError> {
        self.vault()?.decrypt_bytes(text).map_err(not_decrypted)
    }

    fn vault(&self) -> Result<&dyn Vault, TemplateError> {
        let missing = || not_decrypted("no vault password was given");
        self.inner.vault.as_deref().ok_or_else(missing)
    }
}

fn not_decrypted(reason: impl std::fmt::Display) -> TemplateError {
    TemplateError::new(
        TemplateErrorKind::Vault,
        format!("encrypted value: {reason}"),
    )
}

/// Text with at least as many newlines at its end as the template has.
fn with_newlines_of(template: &str, rendered: String) -> String {
    let missing = trailing_newlines(template).saturating_sub(trailing_newlines(&rendered));
    rendered + &"\n".repeat(missing)
}

fn trailing_newlines(text: &str) -> usize {
    text.len() - text.trim_end_matches('\n').len()
}

/// True for `{{ … }}` with nothing around it.
fn is_wholly_braced(expression: &str) -> bool {
    let trimmed = expression.trim();
    trimmed.starts_with("{{") || trimmed.starts_with("{%")
}

/// The name in `{{ name }}`.
fn braced_name(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

fn is_bool_word(text: &str) -> bool {
    matches!(text, "True" | "False")
}

fn not_boolean(value: &Value) -> TemplateError {
    let truth = if value.is_true() { "True" } else { "False" };
    TemplateError::new(
        TemplateErrorKind::Condition,
        format!(
            "the condition gave a value of type `{}` ({truth}), and a condition must give a boolean",
            type_name(value)
        ),
    )
}
