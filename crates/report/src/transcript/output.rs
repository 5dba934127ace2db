//! What tasks write while they are at work.

use std::collections::HashMap;

use rustle_events::UnitId;

use crate::escape::escape_line;
use crate::format::indented;

/// The most of an unfinished line that is kept.
const LONGEST_LINE: usize = 8192;

/// Cuts output into lines, each with its host in front. Output comes in pieces that end anywhere.
#[derive(Debug, Default)]
pub(super) struct LiveOutput {
    unfinished: HashMap<(UnitId, bool), String>,
}

impl LiveOutput {
    /// Takes a piece, and gives the lines that it completes.
    pub(super) fn note(&mut self, unit: &UnitId, is_stderr: bool, piece: &str) -> String {
        let key = (unit.clone(), is_stderr);
        let mut text = self.unfinished.remove(&key).unwrap_or_default();
        text.push_str(piece);
        let complete = match text.rfind('\n') {
            Some(end) => end + 1,
            None if text.len() > LONGEST_LINE => text.len(),
            None => 0,
        };
        let rest = text.split_off(complete);
        if !rest.is_empty() {
            self.unfinished.insert(key, rest);
        }
        lines_of(unit, &text)
    }

    /// Gives what a task left unfinished.
    pub(super) fn finish(&mut self, unit: &UnitId) -> String {
        let left =
            [false, true].map(|is_stderr| self.unfinished.remove(&(unit.clone(), is_stderr)));
        left.into_iter()
            .flatten()
            .map(|text| lines_of(unit, &text))
            .collect()
    }
}

fn lines_of(unit: &UnitId, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let host = escape_line(unit.host.as_str());
    // A line that is empty shows the host all the same.
    let text = text.trim_end_matches('\n').replace("\n\n", "\n \n");
    indented(&text, &format!("              {host} | "))
}
