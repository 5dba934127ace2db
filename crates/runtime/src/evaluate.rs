//! Renders a task's own fields, and says in errors which field it was.

use std::collections::BTreeMap;

use rustle_module::{as_bool, py_str};
use rustle_template::{Engine, Scope, TemplateError};
use rustle_types::{Expression, Object, Term, Tmpl, closest};
use serde_json::Value;

use crate::result::TaskError;

/// Renders with one set of variables.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    /// Renders.
    pub(crate) engine: &'a Engine,
    /// The variables.
    pub(crate) scope: &'a Scope,
}

impl Evaluator<'_> {
    /// A field's value, rendered deeply.
    ///
    /// # Errors
    /// When a template in it fails.
    pub(crate) fn value(&self, field: &str, value: &Value) -> Result<Value, TaskError> {
        self.engine
            .render_value(value, self.scope)
            .map_err(|error| self.failed(field, &error))
    }

    /// A keyword's value, rendered deeply; none where it is `omit`, which is as if it had not been written.
    ///
    /// # Errors
    /// When a template in it fails.
    pub(crate) fn keyword(&self, field: &str, value: &Value) -> Result<Option<Value>, TaskError> {
        self.engine
            .render_optional(value, self.scope)
            .map_err(|error| self.failed(&format!("`{field}`"), &error))
    }

    /// Why a template in a field failed, with the name that may have been meant.
    fn failed(&self, field: &str, error: &TemplateError) -> TaskError {
        let mut failed = TaskError::template(field, error);
        let names = || self.scope.names();
        // An attribute that is not there is no variable.
        if let Some(name) = &error.undefined
            && failed.message.contains(&format!("'{name}' is undefined"))
            && let Some(near) = closest(name, names().iter().map(String::as_str))
        {
            failed.message = format!("{}; did you mean `{near}`?", failed.message);
        }
        failed
    }

    /// Arguments, rendered one by one; those that render to `omit` are left out.
    ///
    /// # Errors
    /// When a template in one of them fails.
    pub(crate) fn args(&self, args: &Object) -> Result<Object, TaskError> {
        let mut rendered = Object::new();
        for (name, value) in args {
            let value = self
                .engine
                .render_optional(value, self.scope)
                .map_err(|error| self.failed(&format!("argument `{name}`"), &error))?;
            if let Some(value) = value {
                rendered.insert(name.clone(), value);
            }
        }
        Ok(rendered)
    }

    /// Text of a keyword.
    ///
    /// # Errors
    /// When its template fails.
    pub(crate) fn text_keyword(
        &self,
        field: &str,
        text: Option<&str>,
    ) -> Result<Option<String>, TaskError> {
        let Some(text) = text else { return Ok(None) };
        let value = self.keyword(field, &Value::String(text.to_owned()))?;
        Ok(value.map(|value| match value {
            Value::Null => String::new(),
            value => py_str(&value),
        }))
    }

    /// A keyword that is true or false.
    ///
    /// # Errors
    /// When its template fails or gives something else.
    pub(crate) fn flag(
        &self,
        field: &str,
        flag: Option<&Tmpl<bool>>,
    ) -> Result<Option<bool>, TaskError> {
        match flag {
            None => Ok(None),
            Some(Tmpl::Value(value)) => Ok(Some(*value)),
            Some(Tmpl::Template(text)) => {
                let Some(value) = self.keyword(field, &Value::String(text.clone()))? else {
                    return Ok(None);
                };
                as_bool(&value).map(Some).ok_or_else(|| {
                    TaskError::new(format!(
                        "`{field}` has to be true or false, and `{text}` gives {value}"
                    ))
                })
            }
        }
    }

    /// A keyword that is a number.
    ///
    /// # Errors
    /// When its template fails or gives something else.
    pub(crate) fn number<T: Copy + Into<f64>>(
        &self,
        field: &str,
        number: Option<&Tmpl<T>>,
    ) -> Result<Option<f64>, TaskError> {
        match number {
            None => Ok(None),
            Some(Tmpl::Value(value)) => Ok(Some((*value).into())),
            Some(Tmpl::Template(text)) => self.number_of(field, text),
        }
    }

    /// The number that a template gives.
    ///
    /// # Errors
    /// When it fails or gives something else.
    pub(crate) fn number_of(&self, field: &str, text: &str) -> Result<Option<f64>, TaskError> {
        let Some(value) = self.keyword(field, &Value::String(text.to_owned()))? else {
            return Ok(None);
        };
        let number = value
            .as_f64()
            .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        number
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .map(Some)
            .ok_or_else(|| {
                TaskError::new(format!(
                    "`{field}` has to be a number, and `{text}` gives {value}"
                ))
            })
    }

    /// Whether all conditions hold; otherwise the first that does not.
    ///
    /// # Errors
    /// When one cannot be decided.
    pub(crate) fn conditions(
        &self,
        field: &str,
        conditions: &Expression,
    ) -> Result<Option<Value>, TaskError> {
        for term in &conditions.0 {
            let holds = match term {
                Term::Bool(holds) => *holds,
                Term::Text(text) => self.engine.condition(text, self.scope).map_err(|error| {
                    self.failed(&format!("`{field}` condition `{text}`"), &error)
                })?,
            };
            if !holds {
                return Ok(Some(match term {
                    Term::Bool(holds) => Value::Bool(*holds),
                    Term::Text(text) => Value::String(text.clone()),
                }));
            }
        }
        Ok(None)
    }

    /// The environment of the task: mappings are merged, later ones win.
    ///
    /// # Errors
    /// When a template fails or an entry is no mapping.
    pub(crate) fn environment(
        &self,
        environment: Option<&Value>,
    ) -> Result<BTreeMap<String, String>, TaskError> {
        let mut merged = BTreeMap::new();
        let entries = match environment {
            None => return Ok(merged),
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(single) => std::slice::from_ref(single),
        };
        for entry in entries {
            match self.keyword("environment", entry)?.unwrap_or_default() {
                Value::Object(vars) => merged.extend(
                    vars.iter()
                        .map(|(name, value)| (name.clone(), py_str(value))),
                ),
                Value::Null => {}
                Value::String(text) if text.is_empty() => {}
                other => {
                    return Err(TaskError::new(format!(
                        "`environment` has to be a mapping, found {other}"
                    )));
                }
            }
        }
        Ok(merged)
    }
}

#[cfg(test)]
mod tests {
    use rustle_template::Trust;
    use serde_json::json;

    use super::*;

    fn message(text: &str) -> String {
        let vars = json!({"port": 1, "user_name": "x"});
        let scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted);
        let engine = Engine::new();
        let cx = Evaluator {
            engine: &engine,
            scope: &scope,
        };
        let args = Object::from_iter([("msg".to_owned(), json!(text))]);
        cx.args(&args).unwrap_err().message
    }

    #[test]
    fn an_undefined_name_is_told_with_the_one_that_was_meant() {
        assert_eq!(
            message("{{ prot }}"),
            "argument `msg`: 'prot' is undefined; did you mean `port`?"
        );
        assert_eq!(
            message("{{ other }}"),
            "argument `msg`: 'other' is undefined"
        );
    }
}
