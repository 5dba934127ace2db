//! The module `unarchive`: what an archive holds, put into a folder.
//!
//! Archives are read here, without `tar` or `unzip`. One pass compares the archive with the folder, a second one unpacks, and only
//! where something differs. What would be written outside of the folder, devices, pipes and files with a setuid bit are refused before anything is written.
//!
//! The controller sends `_attachment` where the archive is its own, or `_missing` where it has none of that name.

mod format;
mod member;
mod selection;
mod survey;
mod tar_reader;
mod unpack;
mod zip_reader;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::accounts::Accounts;
use rustle_module::{
    Attached, Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Received,
    Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::attributes::{AttributeArgs, Pass, add_path_info};
use crate::diff::BeforeAfter;
use crate::paths::join;
use crate::temp_file::TempFile;
use crate::web;
pub(crate) use format::Format;
use selection::Selection;
use survey::{Survey, Unpacking};
use unpack::Owners;

/// The module `unarchive`.
pub(crate) struct Unarchive;

/// The arguments of `unarchive`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    src: String,
    dest: String,
    remote_src: bool,
    creates: Option<String>,
    list_files: bool,
    keep_newer: bool,
    validate_certs: bool,
    include: Vec<String>,
    exclude: Vec<String>,
    extra_opts: Vec<String>,
    #[serde(rename = "_attachment")]
    attached: Option<Attached>,
    #[serde(rename = "_missing")]
    missing: Option<String>,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

/// What [`Unarchive`] found.
pub(crate) enum State {
    /// It need not run, or cannot tell in check mode, and says why.
    Skipped(String),
    Compared(Box<Compared>),
}

/// An archive that was compared with its destination.
pub(crate) struct Compared {
    source: Source,
    format: Format,
    wanted: Selection,
    survey: Survey,
    owners: Owners,
    zip_owner: (u32, u32),
    /// Whether the archive itself is to be unpacked.
    unpacks: bool,
    /// Whether attributes of what is there differ.
    settles: bool,
    info: Object,
}

/// Where the archive is.
enum Source {
    Here(PathBuf),
    Received(Received),
    Downloaded(TempFile),
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::Here(path) => path,
            Self::Received(received) => received.path(),
            Self::Downloaded(file) => file.path(),
        }
    }
}

const OPTIONS: &[Opt] = &[
    Opt::new("src", Type::Path).required(),
    Opt::new("dest", Type::Path).required(),
    Opt::new("remote_src", Type::Bool).default(Default::Bool(false)),
    Opt::new("creates", Type::Path),
    Opt::new("list_files", Type::Bool).default(Default::Bool(false)),
    Opt::new("keep_newer", Type::Bool).default(Default::Bool(false)),
    Opt::new("exclude", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("include", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("extra_opts", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(true)),
    Opt::new("io_buffer_size", Type::Int).default(Default::Int(64 * 1024)),
    Opt::new("copy", Type::Bool).default(Default::Bool(true)),
    Opt::new("decrypt", Type::Bool).default(Default::Bool(true)),
    Opt::new("_attachment", Type::Raw).internal(),
    Opt::new("_missing", Type::Str).internal(),
];

#[async_trait]
impl Module for Unarchive {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("unarchive", OPTIONS)
        .file_common()
        .constraints(&[Constraint::MutuallyExclusive(&["include", "exclude"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let created = args.creates.as_deref().filter(|path| !path.is_empty());
        if let Some(path) = created.filter(|path| Path::new(path).exists()) {
            return Ok(State::Skipped(format!("skipped, since {path} exists")));
        }
        if let Some(missing) = &args.missing {
            return Err(Failure::new(missing));
        }
        if !Path::new(&args.dest).is_dir() {
            let text = format!("dest '{}' must be an existing dir", args.dest);
            return Err(Failure::new(text));
        }
        let source = args.source(target).await?;
        let format = check_source(source.path())?;
        if target.mode().check && format != Some(Format::Zip) {
            let text = "remote module (ansible.legacy.unarchive) does not support check mode when using gtar";
            return Ok(State::Skipped(text.into()));
        }
        let format = format.ok_or_else(|| {
            let why =
                "It is no zip, and no tar that is plain or packed by gzip, bzip2, xz or zstd.";
            no_handler(source.path(), why)
        })?;
        let compared = args.compare(target, source, format).await?;
        Ok(State::Compared(Box::new(compared)))
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let compared = match state {
            State::Skipped(msg) => {
                let msg = [("msg".to_owned(), msg.as_str().into())];
                return Verdict::Skipped(Output::new(Object::from_iter(msg)));
            }
            State::Compared(compared) => compared,
        };
        let mut result = compared.result(args);
        result.extend(compared.info.clone());
        let output = Output::new(result);
        if compared.unpacks || (compared.settles && !mode.check) {
            return Verdict::Change(Change {
                predicted: output,
                ..Change::default()
            });
        }
        Verdict::unchanged(output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let State::Compared(compared) = state else {
            return Ok(Output::default().changed(false));
        };
        let mut result = compared.result(args);
        if compared.unpacks {
            let told = unpack::unpack(
                &args.unpacking(&compared),
                &compared.survey,
                &compared.owners,
            );
            let told = told.map_err(|failure| {
                let (src, dest) = (compared.source.path().display(), &args.dest);
                Failure {
                    result: result.clone(),
                    ..Failure::new(format!("failed to unpack {src} to {dest}: {}", failure.msg))
                }
                .changed()
            })?;
            let is_zip = compared.format == Format::Zip;
            let out = if is_zip { told } else { String::new() };
            let done = json!({"cmd": compared.command(args), "rc": 0, "out": out, "err": ""});
            result.insert("extract_results".into(), done);
        }
        args.settle(target, &compared.survey, Pass::Set).await?;
        add_path_info(target, &mut result, &args.dest).await;
        Ok(Output::new(result))
    }
}

impl Args {
    async fn source(&self, target: &dyn Target) -> Result<Source, Failure> {
        if let Some(attached) = &self.attached {
            let received = Received::fetch(target, attached, "source", 0o600).await?;
            return Ok(Source::Received(received));
        }
        if Path::new(&self.src).exists() {
            return Ok(Source::Here(self.src.clone().into()));
        }
        if !self.remote_src {
            let text = format!("Source '{}' failed to transfer", self.src);
            return Err(Failure::new(text));
        }
        if self.src.contains("://") {
            let file = web::download(target, &self.src, self.validate_certs).await?;
            return Ok(Source::Downloaded(file));
        }
        let text = format!("Source '{}' does not exist", self.src);
        Err(Failure::new(text))
    }

    async fn compare(
        &self,
        target: &dyn Target,
        source: Source,
        format: Format,
    ) -> Result<Compared, Failure> {
        let wanted = Selection::new(format, &self.include, &self.exclude, &self.extra_opts)?;
        let mut compared = Compared {
            source,
            format,
            wanted,
            survey: Survey::default(),
            owners: Owners::default(),
            zip_owner: self.zip_owner(target).await,
            unpacks: false,
            settles: false,
            info: Object::new(),
        };
        let survey = self.unpacking(&compared).survey();
        compared.survey =
            survey.map_err(|failure| match failure.msg.starts_with("Unable to list") {
                true => no_handler(compared.source.path(), &failure.msg),
                false => failure,
            })?;
        if compared.survey.members.is_empty() {
            let why = "It holds no files. Empty archive files are not supported.";
            return Err(no_handler(compared.source.path(), why));
        }
        if let Some(missing) = compared.wanted.not_met().filter(|_| format != Format::Zip) {
            let why = format!("{missing}: Not found in archive");
            return Err(no_handler(compared.source.path(), &why));
        }
        compared.owners = owners_of(target, &compared.survey).await;
        compared.unpacks = compared.survey.differs || self.has_other_owner(&compared);
        compared.settles = self.settle(target, &compared.survey, Pass::Look).await?;
        add_path_info(target, &mut compared.info, &self.dest).await;
        Ok(compared)
    }

    fn unpacking<'a>(&'a self, compared: &'a Compared) -> Unpacking<'a> {
        Unpacking {
            src: compared.source.path(),
            dest: Path::new(&self.dest),
            format: compared.format,
            wanted: &compared.wanted,
            keep_newer: self.keep_newer,
            mode: &self.attributes.mode,
            zip_owner: compared.zip_owner,
        }
    }

    /// Whom members of a zip belong to: as asked for, else whoever unpacks them.
    async fn zip_owner(&self, target: &dyn Target) -> (u32, u32) {
        let wanted = self.attributes.with_ids(target).await;
        let id = |text: Option<String>| text.and_then(|text| text.trim().parse::<u32>().ok());
        let own = (
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
        );
        (
            id(wanted.owner).unwrap_or(own.0),
            id(wanted.group).unwrap_or(own.1),
        )
    }

    /// Whether a file belongs to others than in the archive, which counts where it could be changed and the task names nobody.
    fn has_other_owner(&self, compared: &Compared) -> bool {
        use std::os::unix::fs::MetadataExt;
        let options = &compared.wanted.options;
        if !rustix::process::geteuid().is_root() || options.no_owner {
            return false;
        }
        compared.survey.owned.iter().any(|(found, owner)| {
            let (uid, gid) = match options.numeric_owner {
                true => (owner.uid, owner.gid),
                false => compared.owners.ids(owner),
            };
            (self.attributes.owner.is_none() && found.uid() != uid)
                || (self.attributes.group.is_none() && found.gid() != gid)
        })
    }

    /// Gives everything that was unpacked the attributes that the task asks for. Looks only at what is there.
    async fn settle(
        &self,
        target: &dyn Target,
        survey: &Survey,
        pass: Pass,
    ) -> Result<bool, Failure> {
        if !self.attributes.any() {
            return Ok(false);
        }
        let wanted = self.attributes.with_ids(target).await;
        let mut changed = false;
        let mut tops: Vec<&Path> = Vec::new();
        let mut diff = BeforeAfter::default();
        for member in &survey.members {
            let top = member.place.iter().next().map(Path::new);
            tops.extend(top.filter(|top| tops.last() != Some(top) && *top != member.place));
            let path = join(&self.dest, &member.place.to_string_lossy());
            if pass == Pass::Set || Path::new(&path).is_symlink() || Path::new(&path).exists() {
                changed |= wanted.settle(target, &path, pass, &mut diff).await?;
            }
        }
        tops.sort_unstable();
        tops.dedup();
        for top in tops {
            let path = join(&self.dest, &top.to_string_lossy());
            if Path::new(&path).exists() {
                changed |= wanted.settle(target, &path, pass, &mut diff).await?;
            }
        }
        Ok(changed)
    }
}

impl Compared {
    fn result(&self, args: &Args) -> Object {
        let mut result = Object::new();
        result.insert("handler".into(), self.format.handler().into());
        result.insert("dest".into(), args.dest.as_str().into());
        let src = self.source.path().display().to_string();
        result.insert("src".into(), src.into());
        if !self.survey.diff.is_empty() {
            let diff = json!({"prepared": self.survey.diff});
            result.insert("diff".into(), diff);
        }
        if args.list_files {
            let names = self.survey.members.iter().map(|member| self.shown(member));
            result.insert("files".into(), names.collect());
        }
        result
    }

    /// A member's name as it is listed.
    fn shown(&self, member: &member::Member) -> Value {
        if self.wanted.options.strip_components == 0 {
            return member.name.trim_start_matches('/').into();
        }
        let place = member.place.to_string_lossy();
        match member.kind {
            member::MemberKind::Directory => format!("{place}/").into(),
            _ => place.into_owned().into(),
        }
    }

    /// The command that would have done the same. Results of Ansible's have it; no program is run.
    fn command(&self, args: &Args) -> Vec<String> {
        let src = self.source.path().display().to_string();
        let mut words: Vec<String> = Vec::new();
        let mut add = |word: &str| words.push(word.to_owned());
        if self.format == Format::Zip {
            ["/usr/bin/unzip", "-o"].into_iter().for_each(&mut add);
            args.extra_opts.iter().for_each(|option| add(option));
            add(&src);
            if !args.exclude.is_empty() {
                add("-x");
                args.exclude.iter().for_each(|pattern| add(pattern));
            }
            args.include.iter().for_each(|pattern| add(pattern));
            ["-d", &args.dest].into_iter().for_each(&mut add);
            return words;
        }
        ["/usr/bin/tar", "--extract", "-C", &args.dest]
            .into_iter()
            .for_each(&mut add);
        self.format.tar_option().into_iter().for_each(&mut add);
        if !args.extra_opts.is_empty() {
            add("--show-transformed-names");
            args.extra_opts.iter().for_each(|option| add(option));
        }
        for (option, value) in [
            ("--owner=", &args.attributes.owner),
            ("--group=", &args.attributes.group),
        ] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                add(&format!("{option}{}", rustle_process::shell_quote(value)));
            }
        }
        if args.keep_newer {
            add("--keep-newer-files");
        }
        for pattern in &args.exclude {
            add(&format!("--exclude={}", pattern.trim_end_matches('/')));
        }
        ["-f", &src].into_iter().for_each(&mut add);
        args.include.iter().for_each(|pattern| add(pattern));
        words
    }
}

/// What kind of archive a file is, where it can be read and is not empty.
fn check_source(path: &Path) -> Result<Option<Format>, Failure> {
    let shown = path.display();
    let size = path.metadata().map(|metadata| metadata.len());
    match size {
        Ok(0) => Err(Failure::new(format!(
            "Invalid archive '{shown}', the file is 0 bytes"
        ))),
        Ok(_) => Format::of_file(path)
            .map_err(|_| Failure::new(format!("Source '{shown}' not readable"))),
        Err(_) => Err(Failure::new(format!("Source '{shown}' not readable"))),
    }
}

fn no_handler(path: &Path, why: &str) -> Failure {
    Failure::new(format!(
        "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n{why}",
        path.display()
    ))
}

/// Looks up the names of all owners in an archive.
async fn owners_of(target: &dyn Target, survey: &Survey) -> Owners {
    let accounts = Accounts::new(target);
    let mut owners = Owners::default();
    for owner in survey
        .members
        .iter()
        .filter_map(|member| member.owner.as_ref())
    {
        if !owner.user.is_empty() && !owners.users.contains_key(&owner.user) {
            let known = accounts.user_named(&owner.user).await;
            let uid = known.map_or(owner.uid, |user| user.uid);
            owners.users.insert(owner.user.clone(), uid);
        }
        if !owner.group.is_empty() && !owners.groups.contains_key(&owner.group) {
            let known = accounts.group_named(&owner.group).await;
            let gid = known.map_or(owner.gid, |group| group.gid);
            owners.groups.insert(owner.group.clone(), gid);
        }
    }
    owners
}
