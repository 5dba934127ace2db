//! What can go wrong in a template, and the way such an error travels through the engine.

use std::error::Error as StdError;

use minijinja::{Error, ErrorKind};

/// Says why a template or an expression gave no value.
///
/// The text is a fragment without the task and the field, which the caller knows and adds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct TemplateError {
    /// The class of the error, for callers that treat some apart.
    pub kind: TemplateErrorKind,
    /// The name that is undefined, where that is the reason.
    pub undefined: Option<String>,
    /// The line in the template, from 1, where it is known.
    pub line: Option<usize>,
    /// The whole message for people.
    pub detail: String,
}

/// The classes of template errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// The text is no valid template.
    Syntax,
    /// A name, attribute or item does not exist.
    Undefined,
    /// A filter, test, lookup or statement that this engine does not have.
    NotImplemented,
    /// Variables refer to each other in a circle, or too deeply.
    Recursion,
    /// A condition whose value is not a boolean, or which is empty.
    Condition,
    /// An encrypted value that cannot be decrypted.
    Vault,
    /// The value is `omit` where a value is needed.
    Omitted,
    /// Anything else that failed while the template was evaluated.
    Evaluation,
}

impl TemplateError {
    pub(crate) fn new(kind: TemplateErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            undefined: None,
            line: None,
            detail: detail.into(),
        }
    }

    /// True where the error is that something does not exist.
    #[must_use]
    pub fn is_undefined(&self) -> bool {
        self.kind == TemplateErrorKind::Undefined
    }
}

/// Carries a [`TemplateError`] through the engine as the source of its error.
pub(crate) fn raise(error: TemplateError) -> Error {
    let kind = match error.kind {
        TemplateErrorKind::Undefined => ErrorKind::UndefinedError,
        TemplateErrorKind::Syntax => ErrorKind::SyntaxError,
        _ => ErrorKind::InvalidOperation,
    };
    Error::new(kind, error.detail.clone()).with_source(error)
}

/// An error of the engine for a name that does not exist.
pub(crate) fn undefined(name: &str, detail: impl Into<String>) -> Error {
    let mut error = TemplateError::new(TemplateErrorKind::Undefined, detail);
    error.undefined = Some(name.to_owned());
    raise(error)
}

/// An error of the engine for a wrong operand or argument.
pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

/// An error of the engine for something that only Ansible has.
pub(crate) fn not_implemented(what: &str) -> Error {
    raise(TemplateError::new(
        TemplateErrorKind::NotImplemented,
        format!("{what} is not implemented in rustle-exec"),
    ))
}

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(own) = cause.downcast_ref::<Self>() {
                let mut own = own.clone();
                own.line = own.line.or_else(|| error.line());
                return own;
            }
            source = cause.source();
        }
        let kind = match error.kind() {
            ErrorKind::SyntaxError | ErrorKind::BadEscape => TemplateErrorKind::Syntax,
            ErrorKind::UndefinedError => TemplateErrorKind::Undefined,
            ErrorKind::UnknownFilter | ErrorKind::UnknownTest => TemplateErrorKind::NotImplemented,
            _ => TemplateErrorKind::Evaluation,
        };
        Self {
            kind,
            undefined: None,
            line: error.line(),
            detail: message(&error, kind),
        }
    }
}

/// The message of an error that the engine itself made.
fn message(error: &Error, kind: TemplateErrorKind) -> String {
    let detail = error.detail().unwrap_or_default();
    match (kind, error.kind()) {
        (TemplateErrorKind::Syntax, _) => format!("syntax error in template: {detail}"),
        (TemplateErrorKind::Undefined, _) => "an undefined value was used".to_owned(),
        (TemplateErrorKind::NotImplemented, _) => {
            match detail.split(' ').collect::<Vec<_>>().as_slice() {
                [kind, name, "is", "unknown"] => {
                    format!("{kind} `{name}` is not implemented in rustle-exec")
                }
                _ => detail.to_owned(),
            }
        }
        (_, ErrorKind::UnknownMethod) if detail.is_empty() => "unknown method".to_owned(),
        (_, other) if detail.is_empty() => other.to_string(),
        _ => detail.to_owned(),
    }
}
