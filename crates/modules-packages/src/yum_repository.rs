//! The module `yum_repository`: repositories of yum and dnf, as sections of files.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, py_str,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::files;

/// The module `yum_repository`.
pub(crate) struct YumRepository;

/// The arguments of `yum_repository`; options of the repository are what is left.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    state: String,
    file: Option<String>,
    reposdir: String,
    #[serde(flatten)]
    rest: Object,
}

const fn text(name: &'static str) -> Opt {
    Opt::new(name, Type::Str)
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool)
}

const fn list(name: &'static str) -> Opt {
    Opt::new(name, Type::List(&Type::Str))
}

const OPTIONS: &[Opt] = &[
    flag("async"),
    text("bandwidth"),
    list("baseurl"),
    text("cost"),
    flag("countme"),
    text("deltarpm_metadata_percentage"),
    text("deltarpm_percentage"),
    text("description"),
    flag("enabled"),
    flag("enablegroups"),
    list("exclude").aliases(&["excludepkgs"]),
    text("failovermethod").choices(&["roundrobin", "priority"]),
    text("file"),
    text("gpgcakey"),
    flag("gpgcheck"),
    list("gpgkey"),
    text("http_caching").choices(&["all", "packages", "none"]),
    text("include"),
    list("includepkgs"),
    text("ip_resolve").choices(&["4", "6", "IPv4", "IPv6", "whatever"]),
    flag("keepalive"),
    text("keepcache").choices(&["0", "1"]),
    text("metadata_expire"),
    text("metadata_expire_filter").choices(&[
        "never",
        "read-only:past",
        "read-only:present",
        "read-only:future",
    ]),
    text("metalink"),
    text("mirrorlist"),
    text("mirrorlist_expire"),
    flag("module_hotfixes"),
    text("name").required(),
    text("password").no_log(),
    text("priority"),
    flag("protect"),
    text("proxy"),
    text("proxy_password").no_log(),
    text("proxy_username"),
    flag("repo_gpgcheck"),
    Opt::new("reposdir", Type::Path).default(Default::Str("/etc/yum.repos.d")),
    text("retries"),
    flag("s3_enabled"),
    flag("skip_if_unavailable"),
    flag("ssl_check_cert_permissions"),
    text("sslcacert").aliases(&["ca_cert"]),
    text("sslclientcert").aliases(&["client_cert"]),
    text("sslclientkey").aliases(&["client_key"]),
    flag("sslverify").aliases(&["validate_certs"]),
    text("state")
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    text("throttle"),
    text("timeout"),
    text("ui_repoid_vars"),
    text("username"),
];

/// Options that are about the file, and not of the repository.
const ABOUT_THE_FILE: &[&str] = &[
    "attributes",
    "group",
    "mode",
    "owner",
    "selevel",
    "serole",
    "setype",
    "seuser",
    "unsafe_writes",
];

/// Options whose values stand in a line each; the others' stand side by side.
const IN_LINES: &[&str] = &["baseurl", "gpgkey"];

/// The file before and after.
pub(crate) struct Found {
    before: RepoFile,
    after: RepoFile,
    attributes_differ: bool,
}

#[async_trait]
impl Module for YumRepository {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("yum_repository", OPTIONS)
        .file_common()
        .constraints(&[
            Constraint::RequiredIf {
                option: "state",
                value: "present",
                required: &["baseurl", "mirrorlist", "metalink"],
                any: true,
            },
            Constraint::RequiredIf {
                option: "state",
                value: "present",
                required: &["description"],
                any: false,
            },
        ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        if !Path::new(&args.reposdir).is_dir() {
            let msg = format!("Repo directory '{}' does not exist.", args.reposdir);
            return Err(Failure::new(msg));
        }
        let before = RepoFile::parse(&files::read(&args.path())?);
        let mut after = before.clone();
        if args.state == "present" {
            after.set(&args.name, args.options());
        } else {
            after.remove(&args.name);
        }
        // Only a look: what differs is set once the file is written.
        let is_kept = args.state == "present" && before == after;
        let attributes_differ =
            is_kept && files::differ(target, &args.path(), &files::attributes(&args.rest)).await?;
        Ok(Found {
            before,
            after,
            attributes_differ,
        })
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        let output = Output::new(args.result(found));
        Verdict::change_if(
            found.before != found.after || found.attributes_differ,
            output,
        )
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        change: Change,
    ) -> Result<Output, Failure> {
        let path = args.path();
        if found.after.sections.is_empty() {
            files::remove(&path)?;
        } else if found.before != found.after {
            files::write(&path, &found.after.written())?;
        }
        files::settle(target, &path, &files::attributes(&args.rest)).await?;
        Ok(change.predicted)
    }
}

impl Args {
    fn path(&self) -> String {
        let file = self.file.as_deref().unwrap_or(&self.name);
        format!("{}/{file}.repo", self.reposdir.trim_end_matches('/'))
    }

    /// The options of the repository, sorted by name.
    fn options(&self) -> Vec<(String, String)> {
        let given = self
            .rest
            .iter()
            .filter(|(name, value)| !value.is_null() && !ABOUT_THE_FILE.contains(&name.as_str()));
        let mut options: Vec<(String, String)> = given
            .map(|(name, value)| match (name.as_str(), value) {
                ("description", value) => ("name".to_owned(), py_str(value)),
                (_, Value::Bool(value)) => (name.clone(), i32::from(*value).to_string()),
                (_, Value::Array(items)) => {
                    let items: Vec<String> = items.iter().map(py_str).collect();
                    let between = if IN_LINES.contains(&name.as_str()) {
                        "\n"
                    } else {
                        " "
                    };
                    (name.clone(), items.join(between))
                }
                (_, value) => (name.clone(), py_str(value)),
            })
            .collect();
        options.sort();
        options
    }

    fn result(&self, found: &Found) -> Object {
        let path = self.path();
        let result = json!({
            "repo": self.name,
            "state": self.state,
            "diff": {
                "before_header": path,
                "before": found.before.shown(),
                "after_header": path,
                "after": found.after.shown(),
            },
        });
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }
}

/// The sections of a file in their order, each with its options.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct RepoFile {
    sections: Vec<(String, Vec<(String, String)>)>,
}

impl RepoFile {
    /// Reads `key = value` lines below `[section]` lines; a line that is indented belongs to the value above.
    fn parse(content: &str) -> Self {
        let mut file = Self::default();
        for line in content.lines() {
            let is_comment = line.trim_start().starts_with(['#', ';']);
            if is_comment || line.trim().is_empty() {
                continue;
            }
            let name = line
                .strip_prefix('[')
                .and_then(|rest| rest.split(']').next());
            if let Some(name) = name {
                file.sections.push((name.to_owned(), Vec::new()));
                continue;
            }
            let Some((_, options)) = file.sections.last_mut() else {
                continue;
            };
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), options.last_mut()) {
                value.push('\n');
                value.push_str(line.trim());
            } else if let Some((key, value)) = line.split_once(['=', ':']) {
                let key = key.trim().to_lowercase();
                options.push((key, value.trim().to_owned()));
            }
        }
        file
    }

    /// The options of a section, sorted.
    fn sorted(options: &[(String, String)]) -> Vec<(String, String)> {
        let mut sorted = options.to_vec();
        sorted.sort();
        sorted
    }

    /// Puts a section at the end, in place of one that is there.
    fn set(&mut self, name: &str, options: Vec<(String, String)>) {
        let same =
            |(section, own): &(String, Vec<_>)| section == name && Self::sorted(own) == options;
        if self.sections.iter().any(same) {
            return;
        }
        self.remove(name);
        self.sections.push((name.to_owned(), options));
    }

    fn remove(&mut self, name: &str) {
        self.sections.retain(|(section, _)| section != name);
    }

    /// As it is shown: sorted, and values of several lines without an indent.
    fn shown(&self) -> String {
        let mut sections = self.sections.clone();
        sections.sort();
        for (_, options) in &mut sections {
            options.sort();
        }
        Self::text(&sections)
    }

    /// As it is written.
    fn written(&self) -> String {
        let indented = |(key, value): &(String, String)| (key.clone(), value.replace('\n', "\n\t"));
        let sections: Vec<_> = self
            .sections
            .iter()
            .map(|(name, options)| (name.clone(), options.iter().map(indented).collect()))
            .collect();
        Self::text(&sections)
    }

    fn text(sections: &[(String, Vec<(String, String)>)]) -> String {
        let section = |(name, options): &(String, Vec<(String, String)>)| {
            let lines = options
                .iter()
                .map(|(key, value)| format!("{key} = {value}\n"));
            format!("[{name}]\n{}\n", lines.collect::<String>())
        };
        sections.iter().map(section).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_written_with_values_of_several_lines() {
        let file = RepoFile::parse(
            "# head\n[b]\nname=B\nbaseurl = http://a/\n\thttp://b/\n\n[a]\nenabled: 1\n",
        );
        assert_eq!(
            file.written(),
            "[b]\nname = B\nbaseurl = http://a/\n\thttp://b/\n\n[a]\nenabled = 1\n\n"
        );
        assert_eq!(
            file.shown(),
            "[a]\nenabled = 1\n\n[b]\nbaseurl = http://a/\nhttp://b/\nname = B\n\n"
        );
    }

    #[test]
    fn section_that_changes_goes_to_the_end() {
        let mut file = RepoFile::parse("[a]\nx = 1\n\n[b]\ny = 2\n");
        file.set("a", vec![("x".into(), "1".into())]);
        assert_eq!(file.sections[0].0, "a");
        file.set("a", vec![("x".into(), "3".into())]);
        assert_eq!(
            file.sections[1],
            ("a".into(), vec![("x".into(), "3".into())])
        );
    }
}
