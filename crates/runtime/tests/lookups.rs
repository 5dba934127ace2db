//! Lookups on a real disk, with values that ansible-core 2.19.14 gave for the same files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rustle_process::CancelToken;
use rustle_runtime::{ControllerDisk, ControllerLookups};
use rustle_template::{Engine, Scope, Trust};
use rustle_types::Secret;
use rustle_vault::VaultSecrets;
use serde_json::{Value, json};
use tempfile::TempDir;

const INI: &str =
    "[DEFAULT]\nbase=/x\n[main]\nkey = v1\nkey2: %(base)s/y\nMixed=M\nlong = a\n  b\n";
const CSV: &str = "bob,1,2\n\"x y\",\"q, r\",3\nz,q\n";

struct Desk {
    folder: TempDir,
    engine: Engine,
    scope: Scope,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_owned();
        for (name, text) in [
            ("files/c.ini", INI),
            ("files/c.properties", "a.b=1\nc = 2\n"),
            ("files/u.csv", CSV),
            ("files/ws.txt", "  ws \n\n"),
            ("files/sub/s.txt", "s\n"),
            ("r/files/ws.txt", "of the role"),
            (
                "templates/x.j2",
                "A [[ n ]] {% if true %}\nB\n{% endif %}\n",
            ),
        ] {
            write(&base, name, text);
        }
        let secret = Secret::new("pw".into());
        let engine = Engine::builder()
            .lookups(Arc::new(ControllerLookups::new(
                base.clone(),
                CancelToken::new(),
            )))
            .controller(Arc::new(ControllerDisk::new(base)))
            .vault(Arc::new(VaultSecrets::default().with("default", secret)))
            .build();
        let vars = json!({"n": 3, "groups": {"all": ["a", "b"], "web": ["b"]}});
        let scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted);
        Self {
            folder,
            engine,
            scope,
        }
    }

    fn value(&self, expression: &str) -> Value {
        let value = self.engine.evaluate(expression, &self.scope);
        value.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn error(&self, expression: &str) -> String {
        self.engine
            .evaluate(expression, &self.scope)
            .unwrap_err()
            .to_string()
    }
}

fn write(base: &Path, name: &str, text: &str) {
    let path = base.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn values_are_those_of_ansible() {
    let desk = Desk::new();
    for (expression, expected) in [
        (
            "query('ini', 'key', 'KEY2 section=main file=c.ini', file='c.ini', section='main')",
            json!(["v1", "/x/y"]),
        ),
        (
            "query('ini', '.*', section='main', file='c.ini', re=true)",
            json!(["/x", "v1", "/x/y", "M", "a\nb"]),
        ),
        (
            "lookup('ini', 'a.b', type='properties', file='c.properties')",
            json!("1"),
        ),
        (
            "lookup('ini', 'nope', section='main', file='c.ini', default='dd')",
            json!("dd"),
        ),
        (
            "lookup('ini', 'Mixed', section='main', file='c.ini', case_sensitive=true)",
            json!("M"),
        ),
        (
            "lookup('csvfile', 'bob col=2 file=u.csv delimiter=,')",
            json!("2"),
        ),
        (
            "query('csvfile', 'x y', file='u.csv', delimiter=',')",
            json!(["q, r"]),
        ),
        (
            "query('csvfile', 'q', file='u.csv', delimiter=',', keycol=1, col=0)",
            json!(["z"]),
        ),
        (
            "query('csvfile', 'zz', file='u.csv', delimiter=',')",
            json!([]),
        ),
        ("lookup('file', 'ws.txt')", json!("  ws")),
        (
            "lookup('file', 'ws.txt', lstrip=true, rstrip=false)",
            json!("ws \n\n"),
        ),
        ("lookup('unvault', 'ws.txt')", json!("  ws \n\n")),
        (
            "lookup('template', 'x.j2', variable_start_string='[[', variable_end_string=']]', trim_blocks=false)",
            json!("A 3 \nB\n"),
        ),
        (
            "query('lines', 'printf \"a\\n\\nb \"', 'echo c')",
            json!(["a", "", "b ", "c"]),
        ),
        ("lookup('pipe', 'printf \" x \\n\\n\"')", json!(" x")),
        (
            "query('fileglob', 'sub/*.t?t', 'nosuch/*') | map('basename')",
            json!(["s.txt"]),
        ),
        (
            "lookup('first_found', [{'files': 'zz,s.txt', 'paths': 'files/sub;nope'}]) | basename",
            json!("s.txt"),
        ),
        ("query('first_found', 'zz', skip=true)", json!([])),
        ("query('inventory_hostnames', 'all:!web')", json!(["a"])),
        (
            "query('sequence', start=1, end=3, format='x%02d')",
            json!(["x01", "x02", "x03"]),
        ),
        ("lookup('config', 'DEFAULT_BECOME_METHOD')", json!("sudo")),
        (
            "query('config', 'DEFAULT_TIMEOUT', 'NO_SUCH_SETTING', 'RETRY_FILES_ENABLED', on_missing='skip')",
            json!([10, false]),
        ),
        (
            "lookup('config', 'DEFAULT_ROLES_PATH')[1:]",
            json!(["/usr/share/ansible/roles", "/etc/ansible/roles"]),
        ),
        (
            "lookup('password', '/dev/null seed=web1 length=12')",
            json!("PHReYru8meWg"),
        ),
        ("lookup('file', 'nope', errors='ignore')", json!(null)),
    ] {
        let found = desk.value(expression);
        assert_eq!(found, expected, "{expression}");
    }
}

#[test]
fn what_is_not_there_is_told_with_the_places() {
    let desk = Desk::new();
    let error = desk.error("lookup('file', 'nope')");
    assert!(
        error.contains("there is no file `nope`; looked for") && error.contains("files/nope"),
        "{error}"
    );
    let error = desk.error("lookup('config', 'NO_SUCH_SETTING')");
    assert!(
        error.contains("the setting `NO_SUCH_SETTING` is not known"),
        "{error}"
    );
    assert_eq!(
        desk.error("lookup('pipe', 'echo no >&2; exit 3')"),
        "lookup `pipe` failed: lookup_plugin.pipe(echo no >&2; exit 3) returned 3: no"
    );
    assert!(
        desk.error("lookup('ini', 'k', section='s', file='c.ini')")
            .contains("no section 's'")
    );
    assert_eq!(
        desk.error("lookup('nosuch', 1)"),
        "lookup `nosuch` is not implemented in rustle-exec"
    );
}

#[test]
fn a_role_s_files_come_first() {
    let mut desk = Desk::new();
    let vars = json!({"role_path": "r", "ansible_search_path": [desk.folder.path()]});
    desk.scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Untrusted);
    assert_eq!(desk.value("lookup('file', 'ws.txt')"), "of the role");
    assert_eq!(desk.value("lookup('file', 'sub/s.txt')"), "s");
}

#[test]
fn a_password_is_made_once_and_only_the_user_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let made = desk.value("lookup('password', 'keys/web length=9 chars=digits')");
    assert_eq!(made.as_str().map(str::len), Some(9));
    assert_eq!(desk.value("lookup('password', 'keys/web')"), made);
    let kept = desk.folder.path().join("keys/web");
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let hash = desk.value("lookup('password', 'keys/web encrypt=md5_crypt')");
    assert!(hash.as_str().is_some_and(|hash| hash.starts_with("$1$")));
    assert_eq!(
        desk.value("lookup('password', 'keys/web encrypt=md5_crypt')"),
        hash
    );
}

#[test]
fn encrypted_files_are_read_as_what_is_in_them() {
    let desk = Desk::new();
    let text = rustle_vault::encrypt(b"hidden\n", "pw", b"salt", None).unwrap();
    write(desk.folder.path(), "files/v", &text);
    assert_eq!(desk.value("lookup('file', 'v')"), "hidden");
    assert_eq!(desk.value("'files/v' is vaulted_file"), true);
    assert_eq!(desk.value("'files/ws.txt' is vaulted_file"), false);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_where_other_work_is_under_way() {
    let desk = Desk::new();
    assert_eq!(desk.value("lookup('pipe', 'echo here')"), "here");
}

#[tokio::test]
async fn commands_run_on_a_single_thread_too() {
    let desk = Desk::new();
    assert_eq!(desk.value("lookup('pipe', 'pwd | wc -l')"), "1");
}

#[test]
fn every_lookup_of_ansible_builtin_is_known() {
    let names = include_str!("../../../fixtures/templates.json");
    let names: serde_json::Value = serde_json::from_str(names).unwrap();
    let elsewhere = ["url", "vars", "varnames"];
    for name in names["lookups"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let known = rustle_runtime::WITH_LOOKUPS.contains(&name) || elsewhere.contains(&name);
        assert!(known, "`{name}`");
    }
}

/// Answers one request on a loopback port with `response`, and gives the request's text back.
fn answering(response: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(response.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (base, served)
}

#[test]
fn url_gives_lines_or_the_whole_answer_of_a_server() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\none\ntwo\r\nthree\x0bfour\n";
    let desk = Desk::new();
    let (base, served) = answering(ANSWER);
    assert_eq!(
        desk.value(&format!(
            "query('url', '{base}/a', headers={{'X-Own': 'v'}})"
        )),
        json!(["one", "two", "three\u{b}four"])
    );
    let request = served.join().unwrap();
    assert!(request.starts_with("GET /a HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("X-Own: v\r\n"), "{request}");
    assert!(
        request.contains("User-Agent: ansible-httpget\r\n"),
        "{request}"
    );

    let (base, served) = answering(ANSWER);
    assert_eq!(
        desk.value(&format!("lookup('url', '{base}/a', split_lines=false)")),
        json!("one\ntwo\r\nthree\u{b}four\n")
    );
    served.join().unwrap();
}

#[test]
fn url_says_what_the_server_said_and_which_option_is_wrong() {
    let desk = Desk::new();
    let (base, served) = answering("HTTP/1.1 404 Nowhere\r\nContent-Length: 0\r\n\r\n");
    let error = desk.error(&format!("lookup('url', '{base}/a')"));
    let expected = format!("Received HTTP error for {base}/a: HTTP Error 404: Nowhere");
    assert!(error.contains(&expected), "{error}");
    served.join().unwrap();

    let error = desk.error("lookup('url', 'nonsense')");
    assert!(error.contains("unknown url type: 'nonsense'"), "{error}");
    let error = desk.error("lookup('url', 'http://127.0.0.1/', use_gssapi=true)");
    assert!(error.contains("`use_gssapi` is not available"), "{error}");
}
