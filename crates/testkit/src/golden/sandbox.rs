//! A place where modules can change the system: `/etc`, `/home`, `/run`, `/usr` and `/var` of the test alone, and a network without
//! anybody else, thrown away at its end.

use std::path::Path;
use std::process::Stdio;

use crate::program::{command, run_tool};

/// Set in the environment of a test that runs in the sandbox.
const INSIDE: &str = "RUSTLE_TEST_SANDBOX";

/// Lays what is written over the machine's own folders, and runs the test again.
const SCRIPT: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$RUSTLE_TEST_SANDBOX"
for folder in etc home usr var; do
    mkdir -p "$RUSTLE_TEST_SANDBOX/$folder/up" "$RUSTLE_TEST_SANDBOX/$folder/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$RUSTLE_TEST_SANDBOX/$folder/up,workdir=$RUSTLE_TEST_SANDBOX/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
ip link set lo up
mkdir -p "$RUSTLE_TEST_SANDBOX/bin" /run/lock /var/spool/cron/crontabs
if ! command -v crontab >/dev/null; then
    cat >"$RUSTLE_TEST_SANDBOX/bin/crontab" <<'END'
#!/bin/sh
# The least of a `crontab`: -u USER, then -l, -r or a file.
table=/var/spool/cron/crontabs/root
[ "$1" = -u ] && table=/var/spool/cron/crontabs/$2 && shift 2
case $1 in
-l) [ -f "$table" ] || { echo "no crontab for ${table##*/}" >&2; exit 1; }; cat "$table" ;;
-r) rm "$table" ;;
-) cat >"$table" ;;
*) cat "$1" >"$table" ;;
esac
END
    chmod +x "$RUSTLE_TEST_SANDBOX/bin/crontab"
fi
PATH="$RUSTLE_TEST_SANDBOX/bin:$PATH"
export PATH
exec "$@"
"#;

/// Whether this is the sandbox. Outside of it, the calling test (whose full name is given) is run once more in one of its own.
///
/// # Panics
/// When the test fails there, or no sandbox can be made, which takes root.
#[must_use]
pub fn is_sandbox(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().expect("a folder");
    run_in(folder.path(), test);
    false
}

/// What shell lines print.
///
/// # Panics
/// When they fail.
#[must_use]
pub fn said(lines: &str) -> String {
    run_tool(command("/bin/sh").args(["-ec", lines]))
}

fn run_in(folder: &Path, test: &str) {
    let this = std::env::current_exe().expect("this program has a path");
    let output = command("unshare")
        .args(["--mount", "--net", "--", "sh", "-c", SCRIPT, "sh"])
        .arg(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, folder)
        .stdin(Stdio::null())
        .output()
        .expect("unshare can be started");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let ran_one = stdout.contains("1 passed");
    assert!(
        output.status.success() && ran_one,
        "`{test}` failed in the sandbox:\n{stdout}\n{stderr}"
    );
}
