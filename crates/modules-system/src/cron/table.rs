//! The lines of a crontab, with the jobs that have a name: pure functions.

/// What stands in front of a job's name, in the line above the job.
const MARK: &str = "#Ansible: ";

/// A crontab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    lines: Vec<String>,
}

/// Where a variable goes that is not there yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// In front of everything.
    First,
    /// After another variable.
    After(&'a str),
    /// Before another variable.
    Before(&'a str),
}

impl Table {
    /// Reads a crontab.
    pub(super) fn parse(text: &str) -> Self {
        Self {
            lines: text.lines().map(ToOwned::to_owned).collect(),
        }
    }

    /// The names of all jobs that have one.
    pub(super) fn jobs(&self) -> Vec<&str> {
        let names = self.lines.iter().map(|line| line.strip_prefix(MARK));
        names.flatten().collect()
    }

    /// The names of all variables.
    pub(super) fn variables(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter_map(|line| variable(line))
            .collect()
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.trim().is_empty())
    }

    /// The text of it.
    pub(super) fn render(&self) -> String {
        let text = self.lines.join("\n");
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    }

    /// Makes the job be there, and tells whether something changed.
    pub(super) fn set_job(&mut self, name: &str, job: &str) -> bool {
        let mark = format!("{MARK}{name}");
        let marks: Vec<usize> = self.jobs_called(&mark);
        if let Some(first) = marks.first() {
            if self.lines[first + 1] == job {
                return false;
            }
            for at in marks {
                job.clone_into(&mut self.lines[at + 1]);
            }
            return true;
        }
        // The same job without a name gets this one.
        let nameless = self.lines.iter().position(|line| line == job);
        match nameless {
            Some(at) if at > 0 && self.lines[at - 1] == MARK => self.lines[at - 1] = mark,
            Some(at) if at == 0 || !self.lines[at - 1].starts_with(MARK) => {
                self.lines.insert(at, mark);
            }
            _ => self.lines.extend([mark, job.to_owned()]),
        }
        true
    }

    /// Takes the job out, and tells whether it was there.
    pub(super) fn remove_job(&mut self, name: &str) -> bool {
        let marks = self.jobs_called(&format!("{MARK}{name}"));
        for at in marks.iter().rev() {
            self.lines.drain(*at..=at + 1);
        }
        !marks.is_empty()
    }

    /// Where the marks of jobs with that mark are; each has a line below.
    fn jobs_called(&self, mark: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = 0;
        while at + 1 < self.lines.len() {
            let is_mark = self.lines[at].starts_with(MARK);
            if self.lines[at] == mark {
                found.push(at);
            }
            at += if is_mark { 2 } else { 1 };
        }
        found
    }

    /// Makes the variable be there, and tells whether something changed.
    ///
    /// # Errors
    /// When the variable beside which it goes is not there; its name.
    pub(super) fn set_variable<'a>(
        &mut self,
        name: &str,
        value: &str,
        place: Place<'a>,
    ) -> Result<bool, &'a str> {
        let line = format!("{name}=\"{value}\"");
        if let Some(at) = self.find_variable(name) {
            let is_same = self.lines[at] == line;
            self.lines[at] = line;
            return Ok(!is_same);
        }
        let at = match place {
            Place::First => 0,
            Place::After(other) => self.find_variable(other).ok_or(other)? + 1,
            Place::Before(other) => self.find_variable(other).ok_or(other)?,
        };
        self.lines.insert(at, line);
        Ok(true)
    }

    /// Takes the variable out, and tells whether it was there.
    pub(super) fn remove_variable(&mut self, name: &str) -> bool {
        let Some(at) = self.find_variable(name) else {
            return false;
        };
        self.lines.remove(at);
        true
    }

    fn find_variable(&self, name: &str) -> Option<usize> {
        self.lines
            .iter()
            .position(|line| variable(line) == Some(name))
    }
}

/// The name of the variable that a line sets.
fn variable(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_set_once_and_removed_with_their_names() {
        let mut table = Table::parse("MAILTO=x\n* * * * * a\n");
        assert!(table.set_job("one", "* * * * * a"), "it gets a name");
        assert!(table.set_job("two", "@daily b"));
        assert!(!table.set_job("two", "@daily b"));
        assert!(table.set_job("two", "@weekly b"));
        let text = "MAILTO=x\n#Ansible: one\n* * * * * a\n#Ansible: two\n@weekly b\n";
        assert_eq!(table.render(), text);
        assert_eq!(table.jobs(), ["one", "two"]);
        assert!(table.remove_job("one") && !table.remove_job("one"));
        assert!(table.remove_job("two") && !table.is_empty());
        assert_eq!(table.render(), "MAILTO=x\n");
    }

    #[test]
    fn variables_go_where_they_are_asked_to() {
        let mut table = Table::parse("A=1\nB=2\n* * * * * X=y z\n");
        assert_eq!(table.set_variable("C", "3", Place::After("A")), Ok(true));
        assert_eq!(table.set_variable("D", "4", Place::Before("A")), Ok(true));
        assert_eq!(table.set_variable("D", "4", Place::First), Ok(false));
        assert_eq!(table.set_variable("E", "5", Place::After("Z")), Err("Z"));
        assert_eq!(table.variables(), ["D", "A", "C", "B"]);
        assert!(table.remove_variable("B") && !table.remove_variable("B"));
    }
}
