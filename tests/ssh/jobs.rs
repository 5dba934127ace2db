//! Jobs in the background on hosts behind ssh.

use serde_json::json;

use crate::site::Site;

#[test]
fn job_outlives_the_connection_that_started_it_and_is_cleaned_up() {
    let site = Site::of(1);
    let gate = site.world.path("gate");
    // It ends when the connection that started it is gone and the next one says so.
    let work = format!(
        "until [ -e {} ]; do sleep 0.05; done; echo done",
        gate.display()
    );
    let tasks = json!([
        { "name": "start", "module": "shell", "args": { "_raw_params": work }, "async": 60, "poll": 0, "register": "job" },
        { "name": "leave", "module": "meta", "args": { "_raw_params": "reset_connection" } },
        { "name": "running", "module": "async_status", "args": { "jid": "{{ job.ansible_job_id }}" }, "register": "before" },
        { "name": "still", "module": "assert", "args": { "that": ["not before.finished"] } },
        { "name": "let it end", "module": "command", "args": { "_raw_params": format!("touch {}", gate.display()) } },
        { "name": "ended", "module": "async_status", "args": { "jid": "{{ job.ansible_job_id }}" }, "register": "after", "until": "after.finished", "retries": 100, "delay": 0.1 },
        { "name": "result", "module": "assert", "args": { "that": ["after.stdout == 'done'", "after.rc == 0"] } },
        { "name": "clean", "module": "async_status", "args": { "jid": "{{ job.ansible_job_id }}", "mode": "cleanup" } },
    ]);
    site.run(&tasks).success();
    let jobs = site.hosts[0].home().join(".cache/rustle/jobs");
    let left = std::fs::read_dir(jobs).expect("jobs were there").count();
    assert_eq!(left, 0);
}
