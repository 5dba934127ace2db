//! The keywords that a play, a block and a task share, so that one fold inherits them all.

use serde_json::Value;

use super::{Expression, OneOrMany, TagList, Tmpl};
use crate::Object;
use crate::read::plan_object;

plan_object! {
    /// Keywords that pass from a play to its blocks and from a block to its tasks.
    ///
    /// They are as written at this one place. Whoever runs a task folds play → block → task: `vars`, `environment`,
    /// `module_defaults`, `when` and `tags` add up, the others are replaced by the innermost that is given.
    pub struct Keywords ("set of keywords") {
        /// Variables of this level.
        vars: Object,
        /// Environment of the modules: an object, a list of objects, or a template.
        environment: Option<Value>,
        /// Default arguments by module name or `group/name`: an object or a list of objects.
        module_defaults: Option<Value>,
        /// Runs only where this holds; checked for each task.
        when: Option<Expression>,
        /// Tags of this level.
        tags: TagList,
        /// Whether modules run as another user.
        r#become: Option<Tmpl<bool>> = "become",
        /// That user.
        become_user: Option<String>,
        /// How to become that user: `sudo`, `su`, `doas` …
        become_method: Option<String>,
        /// More arguments for the become method.
        become_flags: Option<String>,
        /// The program of the become method.
        become_exe: Option<String>,
        /// The user to connect as.
        remote_user: Option<String>,
        /// The connection to use.
        connection: Option<String>,
        /// The port to connect to.
        port: Option<Tmpl<u16>>,
        /// Whether a failure is only noted.
        ignore_errors: Option<Tmpl<bool>>,
        /// Whether a host that cannot be reached stays in the play.
        ignore_unreachable: Option<Tmpl<bool>>,
        /// Whether one failure fails every host.
        any_errors_fatal: Option<Tmpl<bool>>,
        /// Whether changes are only predicted.
        check_mode: Option<Tmpl<bool>>,
        /// Whether differences are shown.
        diff: Option<Tmpl<bool>>,
        /// Whether arguments and results stay hidden.
        no_log: Option<Tmpl<bool>>,
        /// Whether only the first host of the batch runs it.
        run_once: Option<Tmpl<bool>>,
        /// How many hosts may run it at once; 0 is no limit.
        throttle: Option<Tmpl<u32>>,
        /// Seconds that a task may take; 0 is no limit.
        timeout: Option<Tmpl<u64>>,
        /// The host to run it on in place of the host itself; for blocks and tasks.
        delegate_to: Option<String>,
        /// Whether facts belong to the host delegated to; for blocks and tasks.
        delegate_facts: Option<Tmpl<bool>>,
        /// Names or topics of the handlers to tell of a change; for blocks and tasks.
        notify: OneOrMany<String>,
    }
}
