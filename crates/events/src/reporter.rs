//! Who is told of events.

use crate::event::Event;

/// A reader of a run's events: a terminal, a log, a report.
///
/// Called by the engine's loop, one event after the other, after the event is in the journal. It must not wait: a run is
/// as fast as its slowest reporter.
pub trait Reporter: Send {
    /// Takes the next event.
    fn note(&mut self, event: &Event);

    /// Takes an event of an earlier part of the same run again, when a run is continued. It counts as any other, and needs no telling.
    fn replay(&mut self, event: &Event) {
        self.note(event);
    }

    /// Called every so often while the run goes on, for readers that show time passing.
    fn tick(&mut self) {}

    /// Called once after the last event.
    fn finish(&mut self) {}
}
