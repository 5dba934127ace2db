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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::plan::{HandlerPlan, LoopControl, PlayPlan, TaskPlan, VarsPrompt};
    use crate::read::ReadFields as _;

    /// The page that says of each keyword what is here of it.
    const PAGE: &str = include_str!("../../../../docs/COMPATIBILITY.md");

    /// The keywords of ansible-core 2.19 for plays, roles, blocks, tasks and handlers.
    const OF_ANSIBLE: &str = "action always any_errors_fatal args async become become_exe become_flags become_method \
        become_user block changed_when check_mode collections connection debugger delay delegate_facts delegate_to diff \
        environment fact_path failed_when force_handlers gather_facts gather_subset gather_timeout handlers hosts \
        ignore_errors ignore_unreachable listen local_action loop loop_control max_fail_percentage module_defaults name \
        no_log notify order poll port post_tasks pre_tasks register remote_user rescue retries role roles run_once serial \
        strategy tags tasks throttle timeout until vars vars_files vars_prompt when";

    fn named() -> BTreeSet<&'static str> {
        PAGE.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn page_of_compatibility_names_every_field_of_a_play_a_task_and_a_handler() {
        let mut fields = Vec::new();
        PlayPlan::field_names(&mut fields);
        TaskPlan::field_names(&mut fields);
        HandlerPlan::field_names(&mut fields);
        LoopControl::field_names(&mut fields);
        VarsPrompt::field_names(&mut fields);
        let named = named();
        fields.retain(|field| !field.starts_with("with_") && !named.contains(field));
        assert!(fields.is_empty(), "docs/COMPATIBILITY.md: {fields:?}");
    }

    #[test]
    fn page_of_compatibility_names_every_keyword_of_ansible() {
        let named = named();
        let missing: Vec<&str> = OF_ANSIBLE
            .split_whitespace()
            .filter(|keyword| !named.contains(keyword))
            .collect();
        assert!(missing.is_empty(), "docs/COMPATIBILITY.md: {missing:?}");
    }
}
