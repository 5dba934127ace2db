//! What a program said, and what is answered.

use rustle_module::python_regex::{Alphabet, Flags, PythonRegex, python_error};
use rustle_module::{Failure, Object, py_str};
use serde_json::Value;

/// The most that a program may write. What is larger is no dialogue.
const LIMIT: usize = 10 << 20;

/// How much of the newest output is searched for a question.
const SEARCHED: usize = 64 << 10;

/// The questions with their answers, and all that was said.
pub(super) struct Talk {
    questions: Vec<Question>,
    said: Vec<u8>,
    /// Where that begins which no question was found in yet.
    fresh: usize,
}

struct Question {
    text: String,
    pattern: PythonRegex,
    answers: Answers,
}

enum Answers {
    /// The same each time.
    Same(String),
    /// One after the other.
    Each(std::vec::IntoIter<String>),
}

impl Talk {
    /// Reads the questions, which are patterns.
    ///
    /// # Errors
    /// When one is no pattern.
    pub(super) fn new(responses: &Object) -> Result<Self, Failure> {
        let flags = Flags {
            alphabet: Alphabet::Text,
            dot_all: true,
            ..Flags::default()
        };
        let questions = responses.iter().map(|(text, answers)| {
            let pattern = PythonRegex::with(text, flags).map_err(|failure| {
                let why = python_error(&failure);
                Failure::new(format!("`{text}` is no pattern: {why}"))
            })?;
            let line = |answer: &Value| py_str(answer).trim_end_matches('\n').to_owned();
            let answers = match answers {
                Value::Array(each) => {
                    let each: Vec<String> = each.iter().map(line).collect();
                    Answers::Each(each.into_iter())
                }
                same => Answers::Same(line(same)),
            };
            Ok(Question {
                text: text.clone(),
                pattern,
                answers,
            })
        });
        Ok(Self {
            questions: questions.collect::<Result<_, Failure>>()?,
            said: Vec::new(),
            fresh: 0,
        })
    }

    /// Adds what the program said.
    ///
    /// # Errors
    /// When it is too much.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.said.extend_from_slice(bytes);
        if self.said.len() > LIMIT {
            let msg = format!("the command wrote more than {LIMIT} bytes");
            return Err(Failure::new(msg).changed());
        }
        Ok(())
    }

    /// The answer to the first question that was asked since the last answer; none where none was.
    ///
    /// # Errors
    /// When there are no answers to it left.
    pub(super) fn answer(&mut self) -> Result<Option<String>, Failure> {
        let start = self.fresh.max(self.said.len().saturating_sub(SEARCHED));
        let subject = &self.said[start..];
        let found = self.questions.iter_mut().filter_map(|question| {
            let groups = question.pattern.find(subject)?;
            let at = groups.before().len();
            Some((at, at + groups.whole().len(), question))
        });
        let Some((_, end, question)) = found.min_by_key(|(at, _, _)| *at) else {
            return Ok(None);
        };
        let heard = self.fresh;
        self.fresh = start + end;
        match &mut question.answers {
            Answers::Same(answer) => Ok(Some(answer.clone())),
            Answers::Each(answers) => answers.next().map(Some).ok_or_else(|| {
                let output = String::from_utf8_lossy(&self.said[heard..self.fresh]);
                Failure::new(format!(
                    "No remaining responses for '{}', output was '{output}'",
                    question.text
                ))
                .changed()
            }),
        }
    }

    /// All that was said, without line ends at its end.
    pub(super) fn output(&self) -> String {
        let text = String::from_utf8_lossy(&self.said);
        text.trim_end_matches(['\r', '\n']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn talk(responses: &Value) -> Talk {
        Talk::new(responses.as_object().unwrap()).unwrap()
    }

    #[test]
    fn question_that_was_asked_first_is_answered_first() {
        let mut talk = talk(&json!({"second": "2", "first": "1"}));
        talk.hear(b"first second ").unwrap();
        assert_eq!(talk.answer().unwrap().as_deref(), Some("1"));
        assert_eq!(talk.answer().unwrap().as_deref(), Some("2"));
        assert_eq!(talk.answer().unwrap(), None);
    }

    #[test]
    fn answers_of_a_list_come_to_an_end() {
        let mut talk = talk(&json!({"q": ["x"]}));
        talk.hear(b"q q").unwrap();
        assert_eq!(talk.answer().unwrap().as_deref(), Some("x"));
        let failure = talk.answer().unwrap_err();
        assert!(
            failure.msg.starts_with("No remaining responses"),
            "{failure}"
        );
    }

    #[test]
    fn question_may_come_in_pieces() {
        let mut talk = talk(&json!({"name\\?": "joe"}));
        talk.hear(b"na").unwrap();
        assert_eq!(talk.answer().unwrap(), None);
        talk.hear(b"me?").unwrap();
        assert_eq!(talk.answer().unwrap().as_deref(), Some("joe"));
    }
}
